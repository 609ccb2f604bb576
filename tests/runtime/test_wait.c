/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/wait.h"

#include <bay/channel.h>
#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"

TASK_TEST(a_wake_before_the_wait_is_remembered)
{
	struct list waiters = LIST_INIT(waiters);
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	list_push_back(&waiters, &waiter.link);
	waiter_wake(&waiter, BAY_FULL);
	ck_assert(list_empty(&waiters));
	ck_assert_int_eq(task_await(&waiter, BAY_INHERIT), BAY_FULL);
	return BAY_OK;
}

struct waking {
	struct waiter *waiter;
	int first;
	int second;
};

static int
wake_twice(void *arg)
{
	struct waking *waking = arg;

	waiter_wake(waking->waiter, waking->first);
	waiter_wake(waking->waiter, waking->second);
	return BAY_OK;
}

TASK_TEST(the_first_wake_counts)
{
	struct waiter waiter;
	struct waking waking = {&waiter, BAY_OK, BAY_CLOSED};

	waiter_init(&waiter, AWAIT_CANCELABLE);
	ck_assert_int_eq(bay_go("wakes", wake_twice, &waking), BAY_OK);
	ck_assert_int_eq(task_await(&waiter, BAY_INHERIT), BAY_OK);
	/* A second wake made nobody ready. */
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_ptr_null(run_tasks_scheduler.ready_head);
	return BAY_OK;
}

TASK_TEST(a_refused_wait_stands_nowhere)
{
	struct list waiters = LIST_INIT(waiters);
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	list_push_back(&waiters, &waiter.link);
	ck_assert_int_eq(task_await(&waiter, bay_now() - 1), BAY_TIMEOUT);
	ck_assert(list_empty(&waiters));
	return BAY_OK;
}

TASK_TEST(a_deadline_takes_the_waiter_out_and_leaves_no_timer)
{
	struct list waiters = LIST_INIT(waiters);
	int64_t deadline = bay_after(BAY_MS);
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	list_push_back(&waiters, &waiter.link);
	ck_assert_int_eq(task_await(&waiter, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert(list_empty(&waiters));
	ck_assert(!timer_armed(&task_current()->timer));
	/* Whoever cancels us from now on must not look at what was on our stack. */
	ck_assert_ptr_null(task_current()->waiter);
	return BAY_OK;
}

static int
cancel_it(void *arg)
{
	bay_task_cancel(arg, "enough");
	return BAY_OK;
}

static int
wake_it(void *arg)
{
	/* Well beyond the deadline, so that its timer would have fired. */
	ck_assert_int_eq(bay_sleep(2 * BAY_MS), BAY_OK);
	waiter_wake(arg, BAY_OK);
	return BAY_OK;
}

static int
wait_to_the_end(void *arg)
{
	struct waiter waiter;

	(void)arg;
	waiter_init(&waiter, AWAIT_TO_THE_END);
	ck_assert_int_eq(bay_go("wakes", wake_it, &waiter), BAY_OK);
	task_current()->deadline = bay_after(1);
	ck_assert_int_eq(task_await(&waiter, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(bay_cancel_reason(), "enough");
	return BAY_OK;
}

TASK_TEST(a_wait_to_the_end_is_cut_by_nothing)
{
	struct bay_task *task = bay_spawn("waits", wait_to_the_end, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_go("cancels", cancel_it, task), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static int
wait_in_list(void *arg)
{
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	list_push_back(arg, &waiter.link);
	return task_await(&waiter, bay_after(BAY_SECOND));
}

TASK_TEST(a_cancellation_takes_the_waiter_out_and_leaves_no_timer)
{
	struct list waiters = LIST_INIT(waiters);
	struct bay_task *task = bay_spawn("waits", wait_in_list, &waiters);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!list_empty(&waiters));
	bay_task_cancel(task, "enough");
	ck_assert(list_empty(&waiters));
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

static int
wait_long(void *arg)
{
	int status = bay_sleep(100 * BAY_SECOND);

	/* No tail call: we are the caller. */
	ck_assert_ptr_null(arg);
	return status;
}

TASK_TEST(where_a_task_waits_is_remembered)
{
	struct bay_task *task = bay_spawn("waits", wait_long, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(task_of_handle(task)->awaiting, "bay_sleep");
	ck_assert((uintptr_t)task_of_handle(task)->where - (uintptr_t)wait_long < 4096);
	bay_task_free(task);
	return BAY_OK;
}

static int
put_after_a_ms(void *channel)
{
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return bay_channel_put(channel, channel, BAY_INHERIT);
}

/* A wait that is served, under one deadline, and then one that is not, under another: the timer
 * of the first may still be armed. */
static void
wait_twice(int64_t first_ns, int64_t second_ns)
{
	struct bay_channel *channel = bay_channel_create(1);
	int64_t deadline;
	void *item;

	ck_assert_int_eq(bay_go("puts", put_after_a_ms, channel), BAY_OK);
	ck_assert_int_eq(bay_channel_get(channel, &item, bay_after(first_ns)), BAY_OK);
	deadline = bay_after(second_ns);
	ck_assert_int_eq(bay_channel_get(channel, &item, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_lt(bay_now(), deadline + 10 * BAY_SECOND);
	bay_channel_destroy(channel);
}

/* The timer of the first fires in the second, which goes on. */
TASK_TEST(a_second_wait_with_a_later_deadline_ends_at_that)
{
	wait_twice(BAY_SECOND, 1100 * BAY_MS);
	return BAY_OK;
}

TASK_TEST(a_second_wait_with_an_earlier_deadline_ends_at_that)
{
	wait_twice(3600 * BAY_SECOND, 20 * BAY_MS);
	return BAY_OK;
}

CHECK_MAIN("runtime/wait",
	a_wake_before_the_wait_is_remembered,
	the_first_wake_counts,
	a_refused_wait_stands_nowhere,
	a_deadline_takes_the_waiter_out_and_leaves_no_timer,
	a_wait_to_the_end_is_cut_by_nothing,
	a_cancellation_takes_the_waiter_out_and_leaves_no_timer,
	where_a_task_waits_is_remembered,
	a_second_wait_with_a_later_deadline_ends_at_that,
	a_second_wait_with_an_earlier_deadline_ends_at_that)
