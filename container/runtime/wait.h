/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a task waits. A struct waiter lives on the waiting task's stack and stands
 * in at most one list of whatever it waits for; whoever wakes it takes it out of
 * that list first, so that the thing waited for is handed to exactly one and a
 * wake and a cancellation cannot both have it.
 *
 *	struct waiter waiter;
 *
 *	waiter_init(&waiter, AWAIT_CANCELABLE);
 *	list_push_back(&channel->getters, &waiter.link);
 *	status = task_await(&waiter, deadline);
 *	if (status == BAY_OK) ... waiter.item is ours
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_WAIT_H
#define BAY_RUNTIME_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/status.h>

#include "base/list.h"
#include "runtime/scheduler.h"

struct bay_task;
struct task;
struct waitable;
struct waiter;

/* A handle that the waiter waits for has ended; says whether the wait is over. */
typedef bool waiter_ended_fn(struct waiter *waiter, struct bay_task *handle);

/* The waiter has just left its list and will not come back: for those behind it. */
typedef void waiter_left_fn(struct waiter *waiter);

enum await_kind {
	AWAIT_CANCELABLE,
	/* Waits for things that are ending and use our memory: neither a deadline
	 * nor a cancellation may cut it short. */
	AWAIT_TO_THE_END,
	/* One of the waiters of a wait for several things; its task is parked on another. */
	AWAIT_PART,
	/* Only the deadline of the wait ends it, not the task's, nor a cancellation: for a
	 * task that has to clean up. */
	AWAIT_LIMITED
};

struct waiter {
	struct list link;       /* in the list of what is waited for, or in none */
	struct task *task;
	waiter_ended_fn *ended; /* NULL: the end of any handle ends the wait */
	waiter_left_fn *left;   /* or NULL; called when the wait is cut short (deadline, cancel),
	                         * and whenever a part is woken */
	const char *on;         /* name of what is waited for, for the task list, or NULL; lives
	                         * as long as the wait */
	void *item;             /* what was handed over, if anything */
	const struct waitable *waitable; /* what is waited for, where it is one, or NULL */
	const void *request;    /* the call that is waited for, or NULL; to tell it from others */
	int status;             /* how the wait ended */
	bool woken;             /* ended; later wakes are ignored */
	bool any;               /* the end of one of several handles may be enough */
	enum await_kind kind;
};

/* For the running task. */
static inline void
waiter_init(struct waiter *waiter, enum await_kind kind)
{
	list_init(&waiter->link);
	waiter->task = scheduler_here->current;
	waiter->ended = NULL;
	waiter->left = NULL;
	waiter->on = NULL;
	waiter->item = NULL;
	waiter->waitable = NULL;
	waiter->request = NULL;
	waiter->status = BAY_OK;
	waiter->woken = false;
	waiter->any = false;
	waiter->kind = kind;
}

/* Parks the running task until waiter_wake(), its cancellation, or the earlier of
 * deadline and the task's own. On every end the waiter is in no list. Returns its
 * status. Inside a task; suspends. */
int task_await(struct waiter *waiter, int64_t deadline);

/* Ends the wait: takes the waiter out of its list and makes its task ready. Does
 * nothing to one that has ended. */
void waiter_wake(struct waiter *waiter, int status);

/* The same for who is not what is waited for: a deadline, a cancellation. */
void waiter_interrupt(struct waiter *waiter, int status);

/* What handle_end() calls: wakes the waiter with BAY_OK when that was the end it
 * waited for. */
void waiter_handle_ended(struct waiter *waiter, struct bay_task *handle);

struct timer;
/* Readies a task's timer, which ends that task's wait. It may stay armed between waits. */
void wait_init_timer(struct timer *timer);

#endif
