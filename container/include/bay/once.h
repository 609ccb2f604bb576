/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Once: what has to be done a single time, by whoever needs it first. Its function
 * may await; who comes meanwhile waits, and goes on when it is done. When it fails
 * or is cancelled, only the task that ran it is told; the next in the order of their
 * coming runs it then, with its own argument.
 *
 * All functions: on the loop that made it; bay_once_run() inside a task, not in a
 * leaf.
 */
#ifndef BAY_ONCE_H
#define BAY_ONCE_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_once;

/* What is to be done; BAY_OK: it is. */
typedef int bay_once_fn(void *arg);

/* One that is not done. The name is for people (copied, up to 31 bytes; NULL: none).
 * NULL when there is no memory. Owned by the caller. Never suspends. Since 1.0. */
BAY_API struct bay_once *bay_once_create(const char *name) BAY_MUST_CHECK;

/* Frees it; NULL is allowed. Tasks that wait for it end with BAY_CLOSED; one that
 * runs the function goes on. Never suspends. Since 1.0. */
BAY_API void bay_once_destroy(struct bay_once *once);

/* Sees to it that it is done: BAY_OK at once when it is, else calls fn(arg), or
 * waits for the task that does. The deadline bounds the wait, and every await of fn
 * inherits it. BAY_OK; the status of fn when this task ran it; BAY_TIMEOUT or
 * BAY_CANCELED; BAY_CLOSED when it was destroyed meanwhile; BAY_INVALID, with a line
 * in the log, when fn itself asks (it would wait for itself) or is NULL. May
 * suspend. Since 1.0. */
BAY_API int bay_once_run(struct bay_once *once, bay_once_fn *fn, void *arg, int64_t deadline) BAY_MUST_CHECK;

/* Whether it is done. Never suspends. Since 1.0. */
BAY_API bool bay_once_done(const struct bay_once *once);

BAY_END_DECLS

#endif
