/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parked context's stack, from its sp upwards (160 bytes):
 *
 *	x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 x30 d8 d9 d10 d11 d12 d13 d14 d15
 *
 * which is all that a called function must keep. x18 belongs to the platform and is left
 * alone. Returns by ret, so that the return predictor stays in step with the calls.
 */
#if defined(__aarch64__) && !defined(BAY_FIBER_UCONTEXT)
	.text
	.p2align 4
	.globl fiber_context_switch
	.hidden fiber_context_switch
	.type fiber_context_switch, %function
fiber_context_switch:
	.cfi_startproc
	hint #34	/* bti c, where the processor knows it */
	sub sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp x19, x20, [sp, #0]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	.cfi_rel_offset x19, 0
	.cfi_rel_offset x20, 8
	.cfi_rel_offset x21, 16
	.cfi_rel_offset x22, 24
	.cfi_rel_offset x23, 32
	.cfi_rel_offset x24, 40
	.cfi_rel_offset x25, 48
	.cfi_rel_offset x26, 56
	.cfi_rel_offset x27, 64
	.cfi_rel_offset x28, 72
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	ldr x9, [x1]
	mov sp, x9
	ldp x19, x20, [sp, #0]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	.cfi_restore x19
	.cfi_restore x20
	.cfi_restore x21
	.cfi_restore x22
	.cfi_restore x23
	.cfi_restore x24
	.cfi_restore x25
	.cfi_restore x26
	.cfi_restore x27
	.cfi_restore x28
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -160
	ret
	.cfi_endproc
	.size fiber_context_switch, . - fiber_context_switch

/* The first instructions of a context: x19 is the function, x20 its argument; no caller. */
	.p2align 4
	.globl fiber_context_start
	.hidden fiber_context_start
	.type fiber_context_start, %function
fiber_context_start:
	.cfi_startproc
	.cfi_undefined x30
	hint #36	/* bti j */
	mov x0, x20
	mov x29, #0
	mov x30, #0
	blr x19
	brk #1
	.cfi_endproc
	.size fiber_context_start, . - fiber_context_start
#endif

	.section .note.GNU-stack, "", %progbits
