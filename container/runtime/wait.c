/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/wait.h"

#include "base/log.h"
#include "runtime/await.h"
#include "runtime/handle.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

void
waiter_init(struct waiter *waiter, enum await_kind kind)
{
	list_init(&waiter->link);
	waiter->task = task_current();
	waiter->ended = NULL;
	waiter->item = NULL;
	waiter->status = BAY_OK;
	waiter->woken = false;
	waiter->kind = kind;
}

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
}

void
waiter_handle_ended(struct waiter *waiter, struct bay_task *handle)
{
	if (waiter->ended == NULL || waiter->ended(waiter, handle))
		waiter_wake(waiter, BAY_OK);
}

static void
wait_on_deadline(struct timer *timer)
{
	struct task *task = container_of(timer, struct task, timer);

	if (task->waiter != NULL)
		waiter_wake(task->waiter, BAY_TIMEOUT);
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
	bool armed = false;

	if (waiter->woken)
		return waiter->status;
	if (waiter->kind == AWAIT_CANCELABLE) {
		int refusal;

		deadline = task_deadline(self, deadline);
		refusal = wait_refusal(self, deadline);
		if (refusal != BAY_OK) {
			waiter_wake(waiter, refusal);
			return refusal;
		}
		if (deadline != BAY_INHERIT) {
			wheel_add(&self->scheduler->loop.wheel, &self->timer, deadline);
			armed = true;
		}
	}
	self->waiter = waiter;
	task_park(self);
	self->waiter = NULL;
	if (armed)
		wheel_remove(&self->scheduler->loop.wheel, &self->timer);
	return waiter->status;
}

void
wait_init_timer(struct timer *timer)
{
	timer_init(timer, wait_on_deadline);
}

bool
await_refuse(const char *function)
{
	struct scheduler *here = scheduler_here;

	if (here == NULL || here->current == NULL)
		log_error(NULL, "%s was called outside a task: only code that the container runs may wait",
			function);
	else
		here->leaf_awaits = function;
	return false;
}
