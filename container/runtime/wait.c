/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/wait.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "runtime/await.h"
#include "runtime/handle.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

__thread const struct await_elsewhere *await_elsewhere;

void
waiter_wake(struct waiter *waiter, int status)
{
	if (waiter->woken)
		return;
	waiter->woken = true;
	waiter->status = status;
	list_remove(&waiter->link);
	/* A waiter that is woken before its task parks only remembers it. */
	if (waiter->task->waiter == waiter && waiter->task->state == TASK_WAITING)
		task_make_ready(waiter->task);
	else if (waiter->kind == AWAIT_PART)
		waiter->left(waiter);
}

void
waiter_interrupt(struct waiter *waiter, int status)
{
	if (waiter->woken)
		return;
	waiter_wake(waiter, status);
	if (waiter->left != NULL)
		waiter->left(waiter);
}

void
waiter_handle_ended(struct waiter *waiter, struct bay_task *handle)
{
	if (waiter->ended == NULL || waiter->ended(waiter, handle))
		waiter_wake(waiter, BAY_OK);
}

/* The timer may stand for an earlier wait than the present one, or for none. */
static void
wait_on_timer(struct timer *timer)
{
	struct task *task = container_of(timer, struct task, timer);
	struct loop *loop = &task->scheduler->loop;

	if (task->waiter == NULL || task->wake_ns == BAY_INHERIT)
		return;
	if (task->wake_ns <= loop->now_ns)
		waiter_interrupt(task->waiter, BAY_TIMEOUT);
	else
		wheel_add(&loop->wheel, timer, task->wake_ns);
}

/* A task that waits again and again under one deadline arms its timer once: a wait that ends
 * leaves it armed for the next, whose deadline is seldom earlier. */
static inline void
wait_arm(struct task *self, int64_t deadline)
{
	if (deadline != BAY_INHERIT && (!timer_armed(&self->timer) || self->timer.when_ns > deadline))
		wheel_add(&self->scheduler->loop.wheel, &self->timer, deadline);
}

/* Why a cancelable wait must not even begin, or BAY_OK. */
static int
wait_refusal(struct task *self, int64_t deadline)
{
	if (self->canceled != NULL)
		return BAY_CANCELED;
	/* The loop's clock may lag, never lead: a deadline that it has not reached yet
	 * is found by the timer. */
	if (deadline <= self->scheduler->loop.now_ns)
		return BAY_TIMEOUT;
	return BAY_OK;
}

int
task_await(struct waiter *waiter, int64_t deadline)
{
	struct task *self = waiter->task;
	int refusal;

	if (waiter->woken)
		return waiter->status;
	if (waiter->kind == AWAIT_CANCELABLE) {
		deadline = task_deadline(self, deadline);
		refusal = wait_refusal(self, deadline);
		if (refusal != BAY_OK) {
			waiter_interrupt(waiter, refusal);
			return await_refused(self, refusal);
		}
		wait_arm(self, deadline);
	} else if (waiter->kind == AWAIT_LIMITED) {
		wait_arm(self, deadline);
	} else {
		deadline = BAY_INHERIT;
	}
	self->wake_ns = deadline;
	self->waits++;
	self->waiter = waiter;
	task_park(self);
	self->waiter = NULL;
	return waiter->status;
}

void
wait_init_timer(struct timer *timer)
{
	timer_init(timer, wait_on_timer);
}

void
await_pay(struct task *self)
{
	struct scheduler *scheduler = self->scheduler;

	if (scheduler->slice <= 0 || scheduler_poll_is_due(scheduler))
		task_pause();
}

int
await_refused(struct task *self, int status)
{
	return await_passed(self, status);
}

int
await_over(struct task *self)
{
	return await_passed(self, self->canceled != NULL ? BAY_CANCELED : BAY_TIMEOUT);
}

const char *
await_caller(const void *where, char *text, size_t size)
{
	const char *slash;
	Dl_info info;

	if (dladdr(where, &info) == 0 || info.dli_fname == NULL)
		return "nobody that is known";
	slash = strrchr(info.dli_fname, '/');
	snprintf(text, size, "%s", slash != NULL ? slash + 1 : info.dli_fname);
	return text;
}

/* Of the service whose task has just ended. */
static const char *
await_hushed_subject(const struct scheduler *here)
{
	return here->hushed_for != NULL && here->subject != NULL ? here->subject(here->hushed_for) : NULL;
}

bool
await_refuse(const char *function, const void *where)
{
	struct scheduler *here = scheduler_here;
	char caller[64];

	if (await_elsewhere != NULL)
		log_error(await_elsewhere->subject,
			"%s was called by %s, which runs on a helper thread (bay_blocking): only a task may wait [misuse-task]",
			function, await_elsewhere->name);
	else if (here != NULL && here->hushed)
		log_error(await_hushed_subject(here), "%s was called at the end of a task, in a callback or a destructor: that code "
			"may neither wait nor start tasks [misuse-task]", function);
	else if (here == NULL)
		log_error(NULL, "%s was called on a thread that is no loop, by %s: only tasks may wait; "
			"bay_blocking() is for work on another thread [misuse-thread]", function,
			await_caller(where, caller, sizeof caller));
	else if (here->current == NULL)
		log_error(NULL, "%s was called outside a task, by %s: only code that the container runs may "
			"wait [misuse-task]", function, await_caller(where, caller, sizeof caller));
	else
		here->leaf_awaits = function;
	return false;
}
