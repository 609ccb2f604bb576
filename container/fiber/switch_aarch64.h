/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch for aarch64: a called function, because the calling convention says which
 * registers survive whatever extensions (SVE and its like) the compiler makes use of.
 */
#ifndef BAY_FIBER_SWITCH_AARCH64_H
#define BAY_FIBER_SWITCH_AARCH64_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fiber_context {
	void *sp; /* points to the saved registers, in the order of switch_aarch64.S */
};

/* Where a context begins; in switch_aarch64.S. Not to be called. */
void fiber_context_start(void);

/* Saves the running context in from and goes on with to. */
void fiber_context_switch(struct fiber_context *from, struct fiber_context *to);

/* Makes a context that will call fn(arg), which must not return, on the given stack. */
static inline void
fiber_context_init(struct fiber_context *context, void *stack_low, void *stack_top,
	void (*fn)(void *arg), void *arg)
{
	enum { FRAME_WORDS = 20, X19 = 0, X20 = 1, X30 = 11 };
	uintptr_t *frame = (uintptr_t *)((uintptr_t)stack_top & ~(uintptr_t)15) - FRAME_WORDS;

	(void)stack_low;
	memset(frame, 0, FRAME_WORDS * sizeof(*frame));
	frame[X19] = (uintptr_t)fn;
	frame[X20] = (uintptr_t)arg;
	frame[X30] = (uintptr_t)fiber_context_start;
	context->sp = frame;
}

#endif
