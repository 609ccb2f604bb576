/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A condition: the owner of a lock waits until another owner says that something
 * has changed.
 *
 *	one task                                     another
 *
 *	bay_lock_acquire(lock, deadline)             bay_lock_acquire(lock, deadline)
 *	while (status == BAY_OK && !full)            full = true;
 *		status = bay_condition_wait(c, deadline);  bay_condition_notify(c, 1);
 *	...                                          bay_lock_release(lock);
 *	bay_lock_release(lock);
 *
 * After a wait the lock is held again, whatever the status: also after BAY_TIMEOUT,
 * BAY_CANCELED and BAY_CLOSED. A task that is cancelled, or past the deadline that
 * it inherited, waits for the lock all the same, but goes before the others, and
 * for one second at most: who owns the lock for longer may be waiting for this
 * very task. Then, and when the lock itself was destroyed, the task does not hold
 * it: the only such statuses are BAY_BUSY, with a line in the log, and BAY_CLOSED
 * after bay_lock_destroy().
 *
 * A notification is used up by exactly one wait that returns BAY_OK, even when that
 * task was cancelled at the same moment; a wait that ends otherwise used up none.
 *
 * All functions: inside a task, on the loop that made the lock.
 */
#ifndef BAY_CONDITION_H
#define BAY_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/lock.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_condition;

/* What a task waits for; called with the lock held. May not await. */
typedef bool bay_condition_fn(void *arg);

/* A condition of a lock, which is borrowed and may have several. The name is for
 * people (copied, up to 31 bytes; NULL: none). NULL when there is no memory. Owned
 * by the caller. Never suspends. Since 1.0. */
BAY_API struct bay_condition *bay_condition_create(const char *name, struct bay_lock *lock)
	BAY_MUST_CHECK;

/* Frees the condition, not the lock, and may come before or after the lock's own
 * end; NULL is allowed. Tasks that wait in it end with BAY_CLOSED, with the lock.
 * Never suspends. Since 1.0. */
BAY_API void bay_condition_destroy(struct bay_condition *condition);

/* Releases the lock, waits for a notification and takes the lock again. BAY_OK,
 * BAY_TIMEOUT, BAY_CANCELED, BAY_CLOSED or BAY_BUSY (see above); BAY_INVALID, with
 * a line in the log, when the running task does not own the lock. The deadline is
 * for the notification, not for the lock. Suspends. Since 1.0. */
BAY_API int bay_condition_wait(struct bay_condition *condition, int64_t deadline);

/* The same until is_true(arg) is; at once if it is already. May suspend. Since
 * 1.0. */
BAY_API int bay_condition_wait_for(struct bay_condition *condition, bay_condition_fn *is_true, void *arg,
	int64_t deadline);

/* Notifies up to count of those who wait, in the order of their coming, or all. They
 * go on when the lock is theirs. BAY_OK, also when nobody waits; BAY_INVALID, with a
 * line in the log, when the running task does not own the lock. Never suspend.
 * Since 1.0. */
BAY_API int bay_condition_notify(struct bay_condition *condition, size_t count);
BAY_API int bay_condition_notify_all(struct bay_condition *condition);

BAY_END_DECLS

#endif
