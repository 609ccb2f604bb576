/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions of a context. The stack holds, from its top down, the function and
 * its argument, which stay there. There is no caller: unwinders are told that the return address is
 * undefined, and the frame pointer chain ends with 0.
 */
#if defined(__x86_64__) && defined(__LP64__) && !defined(BAY_FIBER_UCONTEXT)
	.text
	.p2align 4
	.globl fiber_context_start
	.hidden fiber_context_start
	.type fiber_context_start, @function
fiber_context_start:
	.cfi_startproc
	.cfi_undefined rip
	.cfi_def_cfa rsp, 16
	movq 0(%rsp), %rdi
	callq *8(%rsp)
	ud2
	.cfi_endproc
	.size fiber_context_start, . - fiber_context_start
#endif

	.section .note.GNU-stack, "", @progbits
