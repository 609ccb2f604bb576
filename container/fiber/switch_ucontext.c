/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fiber/fiber.h"

#if defined(BAY_FIBER_UCONTEXT)

#include <stdint.h>
#include <stdlib.h>

/* makecontext passes only ints on, so the pointer comes in halves. */
static void
fiber_context_start(unsigned high, unsigned low)
{
	struct fiber_context *context =
		(struct fiber_context *)(uintptr_t)((uint64_t)high << 32 | low);

	context->_fn(context->_arg);
	abort();
}

void
fiber_context_init(struct fiber_context *context, void *stack_low, void *stack_top,
	void (*fn)(void *arg), void *arg)
{
	uint64_t address = (uintptr_t)context;

	if (getcontext(&context->_ucontext) != 0)
		abort();
	context->_fn = fn;
	context->_arg = arg;
	context->_ucontext.uc_link = NULL;
	context->_ucontext.uc_stack.ss_sp = stack_low;
	context->_ucontext.uc_stack.ss_size = (size_t)((char *)stack_top - (char *)stack_low);
	makecontext(&context->_ucontext, (void (*)(void))fiber_context_start, 2,
		(unsigned)(address >> 32), (unsigned)address);
}

void
fiber_context_switch(struct fiber_context *from, struct fiber_context *to)
{
	if (swapcontext(&from->_ucontext, &to->_ucontext) != 0)
		abort();
}

#endif
