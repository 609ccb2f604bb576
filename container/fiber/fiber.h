/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fibers: a bare execution context with a stack of its own, and the switch between two of
 * them. There is no scheduler here, no state and no result; a task is built on top.
 *
 *	struct fiber thread, fiber;
 *
 *	fiber_init_thread(&thread);
 *	fiber_init(&fiber, stack.low, stack.top, run, arg);
 *	fiber_switch(&thread, &fiber);          run(arg) starts; it ends with
 *	                                        fiber_exit_to(&fiber, &thread)
 *	fiber_finish(&fiber);                   now its stack may be given back
 *
 * A switch keeps what the calling convention keeps, except the floating point control words
 * (rounding mode): those belong to the thread. A fiber never runs on two threads in its life.
 *
 * A parked fiber is all there for a debugger: its program counter, stack pointer and frame
 * pointer are in its struct, and the functions' own unwind tables do the rest.
 *
 * All functions: on the one thread that runs these fibers. Nothing here fails.
 */
#ifndef BAY_FIBER_FIBER_H
#define BAY_FIBER_FIBER_H

#include <stddef.h>

/* BAY_FIBER_UCONTEXT, BAY_ASAN, BAY_TSAN: on the compiler's command line, by configure. */
#if defined(BAY_FIBER_UCONTEXT)
#include "fiber/switch_ucontext.h"
#elif defined(__x86_64__) && defined(__LP64__)
#include "fiber/switch_x86_64.h"
#elif defined(__aarch64__)
#include "fiber/switch_aarch64.h"
#else
#define BAY_FIBER_UCONTEXT 1
#include "fiber/switch_ucontext.h"
#endif

#if defined(BAY_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(BAY_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

/* What a fiber runs. It never returns: it ends with fiber_exit_to. */
typedef void fiber_fn(void *arg);

/* In the caller's memory, which may be on the fiber's own stack, above stack_top. */
struct fiber {
	struct fiber_context _context;
#if defined(BAY_ASAN) || defined(BAY_TSAN)
	fiber_fn *_fn;
	void *_arg;
#endif
#if defined(BAY_ASAN)
	void *_fake_stack;
	const void *_stack_low;
	size_t _stack_bytes;
#endif
#if defined(BAY_TSAN)
	void *_tsan;
#endif
};

/*
 * Makes a fiber that will call fn(arg) when it is first switched to. The stack is borrowed
 * until fiber_finish and grows down from stack_top, which may be any address.
 */
static inline void fiber_init(struct fiber *fiber, void *stack_low, void *stack_top,
	fiber_fn *fn, void *arg);

/* Makes the fiber that stands for the stack the calling thread came with. */
void fiber_init_thread(struct fiber *fiber);

/* The running fiber is from: parks it and runs to. Returns when somebody switches to from. */
static inline void fiber_switch(struct fiber *from, struct fiber *to);

/* The running fiber is from: ends it for good and runs to. */
static inline _Noreturn void fiber_exit_to(struct fiber *from, struct fiber *to);

/*
 * After fiber_exit_to, from another fiber: releases what the fiber held. Also for a fiber
 * that was made and never ran, or will not be run on. Its memory and stack are the caller's
 * again. For a thread's fiber it does nothing.
 */
static inline void fiber_finish(struct fiber *fiber);

/*
 * Where the frames of a parked fiber end, but for a red zone of 128 bytes below. NULL: that
 * is not known with this switch.
 */
static inline void *
fiber_parked_sp(const struct fiber *fiber)
{
#if defined(BAY_FIBER_UCONTEXT)
	return fiber_context_sp(&fiber->_context);
#else
	return fiber->_context.sp;
#endif
}

/* --- inline ---------------------------------------------------------------- */

#if defined(BAY_ASAN) || defined(BAY_TSAN)
void fiber_init_announced(struct fiber *fiber, void *stack_low, void *stack_top, fiber_fn *fn,
	void *arg);
void fiber_finish_announced(struct fiber *fiber);
#endif

static inline void
fiber_init(struct fiber *fiber, void *stack_low, void *stack_top, fiber_fn *fn, void *arg)
{
#if defined(BAY_ASAN) || defined(BAY_TSAN)
	fiber_init_announced(fiber, stack_low, stack_top, fn, arg);
#else
	fiber_context_init(&fiber->_context, stack_low, stack_top, fn, arg);
#endif
}

static inline void
fiber_finish(struct fiber *fiber)
{
#if defined(BAY_ASAN) || defined(BAY_TSAN)
	fiber_finish_announced(fiber);
#else
	(void)fiber;
#endif
}

static inline void
fiber_switch(struct fiber *from, struct fiber *to)
{
#if defined(BAY_ASAN)
	__sanitizer_start_switch_fiber(&from->_fake_stack, to->_stack_low, to->_stack_bytes);
#endif
#if defined(BAY_TSAN)
	__tsan_switch_to_fiber(to->_tsan, 0);
#endif
	fiber_context_switch(&from->_context, &to->_context);
#if defined(BAY_ASAN)
	__sanitizer_finish_switch_fiber(from->_fake_stack, NULL, NULL);
#endif
}

static inline _Noreturn void
fiber_exit_to(struct fiber *from, struct fiber *to)
{
#if defined(BAY_ASAN)
	__sanitizer_start_switch_fiber(NULL, to->_stack_low, to->_stack_bytes);
#endif
#if defined(BAY_TSAN)
	__tsan_switch_to_fiber(to->_tsan, 0);
#endif
	fiber_context_switch(&from->_context, &to->_context);
	__builtin_unreachable();
}

#endif
