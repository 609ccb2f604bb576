/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The once of <bay/once.h>. Who runs the function is its holder; one whose function
 * fails makes the next waiter the holder, before anybody else can ask.
 */
#include "config.h"

#include <bay/once.h>

#include "base/log.h"
#include "runtime/waitable.h"

struct bay_once {
	struct waitable waitable;    /* its holder runs the function, or is about to */
	bool done;
};

struct bay_once *
bay_once_create(const char *name)
{
	return waitable_create(sizeof(struct bay_once), "once", name);
}

void
bay_once_destroy(struct bay_once *once)
{
	if (once != NULL && waitable_is_here(once, "bay_once_destroy"))
		waitable_close(&once->waitable);
}

/* The holder has failed. */
static void
once_hand_on(struct bay_once *once)
{
	struct waiter *next = waitable_first(&once->waitable);

	once->waitable.holder = next != NULL ? next->task : NULL;
	if (next != NULL)
		waiter_wake(next, BAY_OK);
}

/* The running task is the holder. */
static int
once_run(struct bay_once *once, bay_once_fn *fn, void *arg, int64_t deadline)
{
	struct task *self = task_current();
	int64_t inherited = task_deadline(self, BAY_INHERIT);
	int status;

	self->deadline = task_deadline(self, deadline);
	status = self->canceled == NULL ? fn(arg) : BAY_CANCELED;
	self->deadline = inherited;
	if (status != BAY_OK) {
		once_hand_on(once);
		return status;
	}
	once->done = true;
	once->waitable.holder = NULL;
	waitable_wake_all(&once->waitable, BAY_OK, NULL);
	return BAY_OK;
}

/* BAY_OK: it is done, or the running task has become the holder. */
static int
once_wait(struct bay_once *once, int64_t deadline)
{
	struct waiter waiter;

	waitable_warn_of_circle(&once->waitable);
	waitable_stand(&once->waitable, &waiter);
	return task_await(&waiter, deadline);
}

/* For one that is not done. */
static int
once_do(struct bay_once *once, bay_once_fn *fn, void *arg, int64_t deadline)
{
	struct task *self = task_current();
	int status = BAY_OK;

	waitable_enter(&once->waitable);
	if (once->waitable.holder == NULL)
		once->waitable.holder = self;
	else
		status = once_wait(once, deadline);
	if (status == BAY_OK && !once->done)
		status = once->waitable.closed ? BAY_CLOSED : once_run(once, fn, arg, deadline);
	waitable_leave(&once->waitable);
	return status;
}

int
bay_once_run(struct bay_once *once, bay_once_fn *fn, void *arg, int64_t deadline)
{
	struct task *self;

	if (!WAITABLE_BEGIN(once, "bay_once_run"))
		return BAY_INVALID;
	self = task_current();
	if (once->waitable.holder == self) {
		log_error(task_subject(task_current()),
			"bay_once_run: task %s runs once %s and would wait for itself [misuse-argument]", self->name,
			once->waitable.name);
		return BAY_INVALID;
	}
	if (await_is_over(self))
		return await_over(self);
	if (once->done)
		return await_passed(self, BAY_OK);
	if (fn == NULL) {
		log_error(task_subject(task_current()),
			"bay_once_run: once %s is not done and there is no function to run [misuse-argument]", once->waitable.name);
		return BAY_INVALID;
	}
	return once_do(once, fn, arg, deadline);
}

bool
bay_once_done(const struct bay_once *once)
{
	return once->done;
}
