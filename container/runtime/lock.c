/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/lock.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"

struct bay_lock *
bay_lock_create(const char *name)
{
	return waitable_create(sizeof(struct bay_lock), "lock", name);
}

static inline void
lock_give(struct bay_lock *lock, struct task *task)
{
	lock->waitable.holder = task;
	lock->newer = NULL;
	lock->older = task->locks;
	if (lock->older != NULL)
		lock->older->newer = lock;
	task->locks = lock;
}

/* It has an owner. */
static inline void
lock_take_away(struct bay_lock *lock)
{
	if (lock->newer != NULL)
		lock->newer->older = lock->older;
	else
		lock->waitable.holder->locks = lock->older;
	if (lock->older != NULL)
		lock->older->newer = lock->newer;
	lock->waitable.holder = NULL;
}

void
lock_hand_on(struct bay_lock *lock)
{
	struct waiter *next = waitable_first(&lock->waitable);

	lock_take_away(lock);
	if (next == NULL)
		return;
	lock_give(lock, next->task);
	waiter_wake(next, BAY_OK);
}

void
bay_lock_destroy(struct bay_lock *lock)
{
	if (lock == NULL || !waitable_is_here(lock, "bay_lock_destroy"))
		return;
	if (lock->waitable.holder != NULL)
		lock_take_away(lock);
	waitable_close(&lock->waitable);
}

static __attribute__((noinline)) bool
lock_refuse_owner(const struct bay_lock *lock, const char *function)
{
	log_error(task_subject(task_current()),
		"%s: task %s owns lock %s already and would wait for itself [misuse-argument]", function, task_current()->name,
		lock->waitable.name);
	return false;
}

/* --- taking ------------------------------------------------------------------------ */

static __attribute__((noinline)) int
lock_wait(struct bay_lock *lock, int64_t deadline)
{
	struct waiter waiter;
	int status;

	waitable_warn_of_circle(&lock->waitable);
	waitable_enter(&lock->waitable);
	waitable_stand(&lock->waitable, &waiter);
	status = task_await(&waiter, deadline);
	/* What was handed over may be gone before we could run. */
	if (lock->waitable.closed)
		status = BAY_CLOSED;
	waitable_leave(&lock->waitable);
	return status;
}

/* What is left to be said about a lock that cannot simply be taken. */
static __attribute__((noinline)) int
lock_acquire(struct bay_lock *lock, int64_t deadline, const void *where)
{
	struct task *self;

	if (!await_begin("bay_lock_acquire", where) || !waitable_is_here(lock, "bay_lock_acquire"))
		return BAY_INVALID;
	self = task_current();
	if (lock->waitable.holder == self && !lock_refuse_owner(lock, "bay_lock_acquire"))
		return BAY_INVALID;
	if (await_is_over(self))
		return await_over(self);
	return lock_wait(lock, deadline);
}

int
bay_lock_acquire(struct bay_lock *lock, int64_t deadline)
{
	struct scheduler *here = scheduler_here;

	if (__builtin_expect(!await_may_begin(here) || lock == NULL || lock->waitable.scheduler != here ||
			lock->waitable.holder != NULL || await_is_over(here->current), 0))
		return lock_acquire(lock, deadline, __builtin_return_address(0));
	lock_give(lock, here->current);
	return await_passed(here->current, BAY_OK);
}

int
bay_lock_try_acquire(struct bay_lock *lock)
{
	struct task *self;

	if (!WAITABLE_BEGIN(lock, "bay_lock_try_acquire"))
		return BAY_INVALID;
	self = task_current();
	if (lock->waitable.holder == self && !lock_refuse_owner(lock, "bay_lock_try_acquire"))
		return BAY_INVALID;
	if (lock->waitable.holder != NULL)
		return BAY_BUSY;
	lock_give(lock, self);
	return BAY_OK;
}

/* The last wait of a task that is to end, before all others. */
static int
lock_wait_patiently(struct bay_lock *lock, int64_t patience_ns)
{
	struct task *self = task_current();
	struct waiter waiter;
	int status;

	waiter_init(&waiter, AWAIT_LIMITED);
	waiter.waitable = &lock->waitable;
	list_push_front(&lock->waitable.waiters, &waiter.link);
	status = task_await(&waiter, clock_monotonic_ns() + patience_ns);
	if (lock->waitable.closed)
		return BAY_CLOSED;
	if (status != BAY_TIMEOUT)
		return status;
	log_error(task_subject(task_current()),
		"task %" PRIu64 " %s goes on without lock %s, which task %" PRIu64 " %s has not released: "
		"does that one wait for it?", self->id, self->name, lock->waitable.name,
		lock->waitable.holder->id, lock->waitable.holder->name);
	return BAY_BUSY;
}

int
lock_take_back(struct bay_lock *lock, int64_t patience_ns)
{
	int status;

	if (lock->waitable.closed)
		return BAY_CLOSED;
	if (lock->waitable.holder != NULL) {
		status = lock_wait(lock, BAY_INHERIT);
		if (status == BAY_OK || status == BAY_CLOSED)
			return status;
		if (lock->waitable.holder != NULL)
			return lock_wait_patiently(lock, patience_ns);
	}
	lock_give(lock, task_current());
	return BAY_OK;
}

/* --- giving back ------------------------------------------------------------------- */

bool
lock_check_mine(const struct bay_lock *lock, const char *function)
{
	const struct task *owner = lock->waitable.holder;

	if (__builtin_expect(owner == task_current(), 1))
		return true;
	log_error(task_subject(task_current()),
		"%s: task %s does not own lock %s: %s%s [misuse-owner]", function, task_current()->name,
		lock->waitable.name, owner != NULL ? "its owner is task " : "nobody does",
		owner != NULL ? owner->name : "");
	return false;
}

static __attribute__((noinline)) int
lock_refuse_release(const struct bay_lock *lock)
{
	if (AWAIT_BEGIN("bay_lock_release") && waitable_is_here(lock, "bay_lock_release"))
		(void)lock_check_mine(lock, "bay_lock_release");
	return BAY_INVALID;
}

int
bay_lock_release(struct bay_lock *lock)
{
	struct scheduler *here = scheduler_here;

	/* Whose owner runs here belongs here. */
	if (__builtin_expect(!await_may_begin(here) || lock == NULL || lock->waitable.holder != here->current, 0))
		return lock_refuse_release(lock);
	lock_hand_on(lock);
	return BAY_OK;
}

void
lock_abandon_all(struct task *task)
{
	struct bay_lock *lock;

	while ((lock = task->locks) != NULL) {
		log_error(task_subject(task),
			"task %" PRIu64 " %s ended without releasing lock %s: it goes to the next, with all as "
			"that task left it", task->id, task->name, lock->waitable.name);
		lock_hand_on(lock);
	}
}

bool
bay_lock_is_held(const struct bay_lock *lock)
{
	return lock->waitable.holder != NULL;
}

bool
bay_lock_is_mine(const struct bay_lock *lock)
{
	return lock->waitable.holder != NULL && lock->waitable.holder == task_current();
}
