/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A barrier: a number of tasks wait for one another, and go on together. Then it is
 * ready for the next round.
 *
 * A round that cannot come to its end is broken, and all its tasks are told
 * (BAY_FAILED), so that nobody waits for who does not come: a task is cancelled or
 * passes its deadline before all are there, or somebody aborts. The barrier stays
 * broken, and refuses whoever comes, until it is reset. A task that was let through
 * gets BAY_OK, even when it was cancelled at the same moment.
 *
 * All functions: on the loop that made the barrier; those with a deadline inside a
 * task.
 */
#ifndef BAY_BARRIER_H
#define BAY_BARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_barrier;

/* A barrier for so many tasks, at least 1. The name is for people (copied, up to 31
 * bytes; NULL: none). NULL when there is no memory, or for 0. Owned by the caller.
 * Never suspends. Since 1.0. */
BAY_API struct bay_barrier *bay_barrier_create(const char *name, size_t parties) BAY_MUST_CHECK;

/* Frees the barrier; NULL is allowed. Tasks that wait at it end with BAY_CLOSED.
 * Never suspends. Since 1.0. */
BAY_API void bay_barrier_destroy(struct bay_barrier *barrier);

/* Waits until all are there. *index_r (or NULL) is the task's place in the order of
 * their coming, from 0: no two of a round have the same. BAY_OK; BAY_TIMEOUT or
 * BAY_CANCELED, which break the round, also when the task came so; BAY_FAILED when
 * the barrier is or gets broken, or is reset; BAY_CLOSED when it was destroyed
 * meanwhile. The last to come does not wait and does not look at the time. May
 * suspend. Since 1.0. */
BAY_API int bay_barrier_wait(struct bay_barrier *barrier, size_t *index_r, int64_t deadline);

/* Breaks it: who waits gets BAY_FAILED, and so does who comes. Never suspends.
 * Since 1.0. */
BAY_API void bay_barrier_abort(struct bay_barrier *barrier);

/* Makes it as new; who waits gets BAY_FAILED. Never suspends. Since 1.0. */
BAY_API void bay_barrier_reset(struct bay_barrier *barrier);

/* Whether it is broken, and how many tasks wait at it. Never suspend. Since 1.0. */
BAY_API bool bay_barrier_is_broken(const struct bay_barrier *barrier);
BAY_API size_t bay_barrier_waiting(const struct bay_barrier *barrier);

BAY_END_DECLS

#endif
