/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that block: they run on a helper thread of the cell, beside the loops, while the
 * task that called waits and others go on.
 *
 *	struct lookup *lookup = lookup_create(name);
 *
 *	status = bay_blocking("lookup", lookup_run, lookup, lookup_free, NULL, BAY_INHERIT);
 *	if (status != BAY_OK)
 *		return status;                    lookup is not ours any more
 *	...
 *	lookup_free(lookup);
 *
 * A thread cannot be stopped: when the caller is cancelled or out of time, the function goes
 * on to its end. Then arg is in use although the caller has gone on, so from then on it
 * belongs to the container, which calls free_arg(arg) when the function is through.
 *
 * A service that stops waits for its functions to end; while one does not, the service
 * refuses to stop and its code stays. The cell has at most blocking_threads of [container],
 * and the functions of one service occupy at most blocking_threads of its own section at
 * once; others wait in turn.
 *
 * On the helper thread there is no task: what says "inside a task" is refused there. What
 * says "any thread" works, and bay_log() and bay_alloc() are the service's.
 */
#ifndef BAY_BLOCKING_H
#define BAY_BLOCKING_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

/* Runs on a helper thread. */
typedef int bay_blocking_fn(void *arg);

/* Frees an arg. On the helper thread or in the calling task; must not suspend. */
typedef void bay_blocking_free_fn(void *arg);

/* Runs fn(arg) on a helper thread and waits for it. name is for bayctl tasks (copied, up to
 * 31 bytes; NULL: "function"). BAY_OK: fn has returned, *result_r (NULL: not wanted) is what
 * it returned, and arg is the caller's as before. After anything else arg was taken:
 * free_arg(arg) (NULL: nothing) was called or will be, once, when fn is through or will
 * never begin. Without free_arg, arg has to outlive fn: the state of the instance does, until
 * fini. BAY_TIMEOUT and BAY_CANCELED: a function that has not begun never will; BAY_FULL: 1024
 * of the service wait already; BAY_NO_MEMORY: neither memory nor a thread; BAY_INVALID: not a
 * task. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_blocking(const char *name, bay_blocking_fn *fn, void *arg, bay_blocking_free_fn *free_arg,
	int *result_r, int64_t deadline);

BAY_END_DECLS

#endif
