/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock for what one task at a time may do, however often it awaits meanwhile.
 * Tasks of one loop need none for what they do between two awaits.
 *
 *	status = bay_lock_acquire(lock, BAY_INHERIT);
 *	if (status != BAY_OK)
 *		return status;
 *	... may await ...
 *	bay_lock_release(lock);
 *
 * It goes to those who wait in the order of their coming, from hand to hand: a
 * release with somebody waiting makes that task the owner, before it runs and
 * before anybody else can ask. A task that has been handed the lock has it, and
 * gets BAY_OK, even when it was cancelled at the same moment.
 *
 * A lock knows its owner. When that task ends without releasing, the log says so
 * with the names of both, and the lock goes to the next; what it guards is then as
 * that task left it. "bayctl tasks" shows for whom a task waits, and names a circle
 * of tasks that wait for one another's locks; the log names it when it closes.
 *
 * All functions: inside a task, not in a leaf, on the loop that made the lock.
 */
#ifndef BAY_LOCK_H
#define BAY_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_lock;

/* A free lock. The name is for people (copied, up to 31 bytes; NULL: none). NULL
 * when there is no memory. Owned by the caller. Never suspends. Since 1.0. */
BAY_API struct bay_lock *bay_lock_create(const char *name) BAY_MUST_CHECK;

/* Frees the lock; NULL is allowed. Tasks that wait for it end with BAY_CLOSED; who
 * holds it holds nothing any more and does not release it. Never suspends. Since
 * 1.0. */
BAY_API void bay_lock_destroy(struct bay_lock *lock);

/* Makes the running task the owner, waiting until it is its turn. BAY_OK;
 * BAY_TIMEOUT or BAY_CANCELED; BAY_CLOSED when it was destroyed meanwhile;
 * BAY_INVALID, with a line in the log, when the task is the owner already: it would
 * wait for itself. It owns the lock only after BAY_OK. May suspend. Since 1.0. */
BAY_API int bay_lock_acquire(struct bay_lock *lock, int64_t deadline) BAY_MUST_CHECK;

/* The same at once, or BAY_BUSY when somebody else owns it; a cancelled task may
 * still do this. Never suspends. Since 1.0. */
BAY_API int bay_lock_try_acquire(struct bay_lock *lock) BAY_MUST_CHECK;

/* Gives the lock to who has waited longest, or sets it free. BAY_OK; BAY_INVALID,
 * with a line in the log, when the running task is not the owner. Never suspends.
 * Since 1.0. */
BAY_API int bay_lock_release(struct bay_lock *lock);

/* Whether any task owns it, and whether the running one does. Never suspend.
 * Since 1.0. */
BAY_API bool bay_lock_is_held(const struct bay_lock *lock);
BAY_API bool bay_lock_is_mine(const struct bay_lock *lock);

BAY_END_DECLS

#endif
