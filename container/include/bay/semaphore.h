/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A semaphore: a number of units that tasks take and give back, to bound how many do
 * something at a time. Nobody owns a unit: another task may give it back.
 *
 * Those who wait are served strictly in the order of their coming, also when a later
 * one wants fewer units: who wants many is not overtaken for ever. A task that was
 * given its units has them, and gets BAY_OK, even when it was cancelled at the same
 * moment.
 *
 * All functions: on the loop that made the semaphore; those with a deadline inside a
 * task.
 */
#ifndef BAY_SEMAPHORE_H
#define BAY_SEMAPHORE_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_semaphore;

/* A semaphore with that many units. Of the bounded one no more may be given back
 * than were taken. The name is for people (copied, up to 31 bytes; NULL: none). NULL
 * when there is no memory. Owned by the caller. Never suspend. Since 1.0. */
BAY_API struct bay_semaphore *bay_semaphore_create(const char *name, size_t units) BAY_MUST_CHECK;
BAY_API struct bay_semaphore *bay_semaphore_create_bounded(const char *name, size_t units) BAY_MUST_CHECK;

/* Frees the semaphore; NULL is allowed. Tasks that wait for it end with BAY_CLOSED.
 * Never suspends. Since 1.0. */
BAY_API void bay_semaphore_destroy(struct bay_semaphore *semaphore);

/* Takes count units, all of them together, waiting until it is the task's turn and
 * they are there. BAY_OK; BAY_TIMEOUT or BAY_CANCELED; BAY_CLOSED when it was
 * destroyed meanwhile; BAY_TOO_BIG for more than a bounded semaphore has;
 * BAY_INVALID for 0. None are taken unless BAY_OK. May suspend. Since 1.0. */
BAY_API int bay_semaphore_acquire(struct bay_semaphore *semaphore, size_t count, int64_t deadline)
	BAY_MUST_CHECK;

/* The same at once, or BAY_BUSY when they are not there or others wait already.
 * Never suspends. Since 1.0. */
BAY_API int bay_semaphore_try_acquire(struct bay_semaphore *semaphore, size_t count) BAY_MUST_CHECK;

/* Gives count units back, to those who wait first. BAY_OK; BAY_INVALID, with a line
 * in the log and nothing changed, for more than a bounded semaphore had at first, or
 * for more than a size_t can count. Never suspends. Since 1.0. */
BAY_API int bay_semaphore_release(struct bay_semaphore *semaphore, size_t count);

/* The units that are there. Never suspends. Since 1.0. */
BAY_API size_t bay_semaphore_value(const struct bay_semaphore *semaphore);

BAY_END_DECLS

#endif
