/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is not in the header because it is not hot: the fiber of a thread, and what the
 * sanitizers want to be told when fibers come and go.
 */
#include "config.h"

#include "fiber/fiber.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if defined(BAY_ASAN)
static void
fiber_find_thread_stack(struct fiber *fiber)
{
	pthread_attr_t attributes;
	void *low;

	if (pthread_getattr_np(pthread_self(), &attributes) != 0)
		abort();
	if (pthread_attr_getstack(&attributes, &low, &fiber->_stack_bytes) != 0)
		abort();
	pthread_attr_destroy(&attributes);
	fiber->_stack_low = low;
}
#endif

/* The context is filled in by the first switch away. */
void
fiber_init_thread(struct fiber *fiber)
{
	memset(fiber, 0, sizeof(*fiber));
#if defined(BAY_ASAN)
	fiber_find_thread_stack(fiber);
#endif
#if defined(BAY_TSAN)
	fiber->_tsan = __tsan_get_current_fiber();
#endif
}

#if defined(BAY_ASAN) || defined(BAY_TSAN)
/* The other half of the switch that started this fiber. */
static void
fiber_first(void *arg)
{
	struct fiber *fiber = arg;

#if defined(BAY_ASAN)
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
	fiber->_fn(fiber->_arg);
	abort();
}

void
fiber_init_announced(struct fiber *fiber, void *stack_low, void *stack_top, fiber_fn *fn,
	void *arg)
{
	memset(fiber, 0, sizeof(*fiber));
	fiber->_fn = fn;
	fiber->_arg = arg;
#if defined(BAY_ASAN)
	fiber->_stack_low = stack_low;
	fiber->_stack_bytes = (size_t)((char *)stack_top - (char *)stack_low);
#endif
#if defined(BAY_TSAN)
	fiber->_tsan = __tsan_create_fiber(0);
#endif
	fiber_context_init(&fiber->_context, stack_low, stack_top, fiber_first, fiber);
}

/* Only a fiber of our making has a function. */
void
fiber_finish_announced(struct fiber *fiber)
{
#if defined(BAY_TSAN)
	if (fiber->_fn != NULL && fiber->_tsan != NULL)
		__tsan_destroy_fiber(fiber->_tsan);
	fiber->_tsan = NULL;
#else
	(void)fiber;
#endif
}
#endif
