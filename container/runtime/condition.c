/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A notified task is woken and then asks for the lock like anybody else: those whom
 * one notification wakes line up there in the order in which they waited here.
 */
#include "config.h"

#include "runtime/condition.h"

#include "base/log.h"
#include "runtime/lock.h"
#include "runtime/waitable.h"

struct bay_condition {
	struct waitable waitable;
	struct bay_lock *lock;       /* may have been destroyed, unless somebody waits here */
};

struct bay_condition *
bay_condition_create(const char *name, struct bay_lock *lock)
{
	struct bay_condition *condition;

	if (!waitable_is_here(lock, "bay_condition_create"))
		return NULL;
	condition = waitable_create(sizeof *condition, "condition", name);
	if (condition != NULL)
		condition->lock = lock;
	return condition;
}

void
bay_condition_destroy(struct bay_condition *condition)
{
	if (condition != NULL && waitable_is_here(condition, "bay_condition_destroy"))
		waitable_close(&condition->waitable);
}

static void
condition_notify(struct bay_condition *condition, size_t count)
{
	struct waiter *waiter;

	while (count > 0 && (waiter = waitable_first(&condition->waitable)) != NULL) {
		waiter_wake(waiter, BAY_OK);
		count--;
	}
}

/* Between these two others own the lock. Nobody runs between the release and the wait. */
static int
condition_wait_unlocked(struct bay_condition *condition, int64_t deadline)
{
	struct waiter waiter;

	waitable_stand(&condition->waitable, &waiter);
	lock_hand_on(condition->lock);
	return task_await(&waiter, deadline);
}

int
condition_wait(struct bay_condition *condition, int64_t deadline, int64_t patience_ns)
{
	struct bay_lock *lock = condition->lock;
	int status, taken;

	waitable_enter(&condition->waitable);
	waitable_enter(&lock->waitable);
	status = condition_wait_unlocked(condition, deadline);
	taken = lock_take_back(lock, patience_ns);
	/* Who goes on without the lock cannot act on the news: the next can. */
	if (status == BAY_OK && taken != BAY_OK)
		condition_notify(condition, 1);
	waitable_leave(&lock->waitable);
	waitable_leave(&condition->waitable);
	return taken != BAY_OK ? taken : status;
}

/* Whether a task of this loop runs and owns the lock; inline for its caller's address. */
static inline __attribute__((always_inline)) bool
condition_begin(const struct bay_condition *condition, const char *function)
{
	return WAITABLE_BEGIN(condition, function) && lock_check_mine(condition->lock, function);
}

int
bay_condition_wait(struct bay_condition *condition, int64_t deadline)
{
	if (!condition_begin(condition, "bay_condition_wait"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	return condition_wait(condition, deadline, CONDITION_PATIENCE_NS);
}

int
bay_condition_wait_for(struct bay_condition *condition, bay_condition_fn *is_true, void *arg, int64_t deadline)
{
	int status = BAY_OK;

	if (!condition_begin(condition, "bay_condition_wait_for"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	waitable_enter(&condition->waitable);
	while (status == BAY_OK && !is_true(arg))
		status = condition->waitable.closed ? BAY_CLOSED
			: condition_wait(condition, deadline, CONDITION_PATIENCE_NS);
	waitable_leave(&condition->waitable);
	return status;
}

static inline int
condition_notify_some(struct bay_condition *condition, size_t count, const char *function)
{
	if (!condition_begin(condition, function))
		return BAY_INVALID;
	condition_notify(condition, count);
	return BAY_OK;
}

int
bay_condition_notify(struct bay_condition *condition, size_t count)
{
	return condition_notify_some(condition, count, "bay_condition_notify");
}

int
bay_condition_notify_all(struct bay_condition *condition)
{
	return condition_notify_some(condition, SIZE_MAX, "bay_condition_notify_all");
}
