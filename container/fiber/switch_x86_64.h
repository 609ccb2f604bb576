/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch for x86-64, inline: the three words that the compiler cannot be told about go
 * to the context, everything else is declared lost, so the compiler saves what is live and
 * nothing more. Nothing is pushed: the red zone below the stack pointer may be in use.
 *
 * Inline also keeps the processor's return predictor in step. A switch made by a call and
 * ended by a jump leaves an entry too many, and every return of the fiber after it is then
 * mispredicted (18 ns three calls deep, against 5 ns); here the first returns go where the
 * last fiber's would have gone, which is right for all fibers that wait at the same place.
 *
 * To see where a fiber is parked, in gdb: set $rsp, $rbp and $rip to its sp, bp and pc; bt.
 *
 * Not for functions that have both arrays of variable length and over-aligned variables:
 * compilers address those by rbx, and cannot do without it.
 */
#ifndef BAY_FIBER_SWITCH_X86_64_H
#define BAY_FIBER_SWITCH_X86_64_H

#include <stdint.h>

struct fiber_context {
	void *sp;
	void *pc;
	void *bp;
};

/* Where a context begins; in switch_x86_64.S. Not to be called. */
void fiber_context_start(void);

/* Makes a context that will call fn(arg), which must not return, on the given stack. */
static inline void
fiber_context_init(struct fiber_context *context, void *stack_low, void *stack_top,
	void (*fn)(void *arg), void *arg)
{
	void **sp = (void **)((uintptr_t)stack_top & ~(uintptr_t)15);

	(void)stack_low;
	*--sp = (void *)fn;
	*--sp = arg;
	context->sp = sp;
	context->pc = (void *)fiber_context_start;
	context->bp = NULL;
}

/* Saves the running context in from and goes on with to. */
static inline __attribute__((always_inline)) void
fiber_context_switch(struct fiber_context *from, struct fiber_context *to)
{
	__asm__ volatile(
		"movq 8(%1), %%rcx\n\t"
		"leaq 1f(%%rip), %%rax\n\t"
		"movq %%rsp, 0(%0)\n\t"
		"movq %%rax, 8(%0)\n\t"
		"movq %%rbp, 16(%0)\n\t"
		"movq 0(%1), %%rsp\n\t"
		"movq 16(%1), %%rbp\n\t"
		"jmpq *%%rcx\n"
		"1:"
		: "+D"(from), "+S"(to)
		:
		: "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		"xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)",
		"st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
#if defined(__AVX512F__)
		"xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",
		"xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2",
		"k3", "k4", "k5", "k6", "k7",
#endif
#if defined(__APX_F__)
		"r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27",
		"r28", "r29", "r30", "r31",
#endif
		"cc", "memory");
}

#endif
