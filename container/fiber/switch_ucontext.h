/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch for all other processors, with the C library's means. It also saves the
 * signal mask, which costs a system call each time.
 */
#ifndef BAY_FIBER_SWITCH_UCONTEXT_H
#define BAY_FIBER_SWITCH_UCONTEXT_H

#include <stddef.h>
#include <ucontext.h>

struct fiber_context {
	ucontext_t _ucontext;
	void (*_fn)(void *arg);
	void *_arg;
};

/* Makes a context that will call fn(arg), which must not return, on the given stack. */
void fiber_context_init(struct fiber_context *context, void *stack_low, void *stack_top,
	void (*fn)(void *arg), void *arg);

/* Saves the running context in from and goes on with to. */
void fiber_context_switch(struct fiber_context *from, struct fiber_context *to);

/* The stack pointer of a saved context, or NULL where that is not known how to find. */
static inline void *
fiber_context_sp(const struct fiber_context *context)
{
#if defined(__x86_64__) && defined(REG_RSP)
	return (void *)context->_ucontext.uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return (void *)context->_ucontext.uc_mcontext.sp;
#else
	(void)context;
	return NULL;
#endif
}

#endif
