/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/event.h>

#include <bay/task.h>

#include "support/run_tasks.h"

struct guest {
	struct bay_event *event;
	int64_t deadline;
	int status;
	int place;
	int *clock;
};

static int
wait_once(void *arg)
{
	struct guest *guest = arg;

	guest->status = bay_event_wait(guest->event, guest->deadline);
	guest->place = ++*guest->clock;
	return BAY_OK;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

TASK_TEST(who_comes_when_it_is_set_does_not_wait)
{
	struct bay_event *event = bay_event_create("set");

	ck_assert(!bay_event_is_set(event));
	bay_event_set(event);
	bay_event_set(event);
	ck_assert(bay_event_is_set(event));
	ck_assert_int_eq(bay_event_wait(event, bay_after(-BAY_SECOND)), BAY_OK);
	bay_event_clear(event);
	ck_assert(!bay_event_is_set(event));
	ck_assert_int_eq(bay_event_wait(event, bay_after(-BAY_SECOND)), BAY_TIMEOUT);
	bay_event_destroy(event);
	bay_event_destroy(NULL);
	return BAY_OK;
}

/* Also when the flag is down again before they run. */
TASK_TEST(setting_lets_all_go_on_in_their_order)
{
	struct bay_event *event = bay_event_create("start");
	struct guest guests[10];
	struct bay_task *tasks[10];
	int i, clock = 0;

	for (i = 0; i < 10; i++) {
		guests[i] = (struct guest){event, BAY_INHERIT, -1, 0, &clock};
		tasks[i] = bay_spawn("guest", wait_once, &guests[i]);
	}
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(clock, 0);
	bay_event_set(event);
	bay_event_clear(event);
	for (i = 0; i < 10; i++) {
		end(tasks[i]);
		ck_assert_int_eq(guests[i].status, BAY_OK);
		ck_assert_int_eq(guests[i].place, i + 1);
	}
	bay_event_destroy(event);
	return BAY_OK;
}

TASK_TEST(a_cancellation_counts_before_the_event_and_not_after)
{
	struct bay_event *event = bay_event_create("race");
	int clock = 0;
	struct guest before = {event, BAY_INHERIT, -1, 0, &clock}, after = before, late = before;
	struct bay_task *one = bay_spawn("before", wait_once, &before), *two = bay_spawn("after", wait_once, &after);
	struct bay_task *three;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(one, "before");
	bay_event_set(event);
	bay_task_cancel(two, "after");
	three = bay_spawn("late", wait_once, &late);
	bay_task_cancel(three, "before it came");
	end(one);
	end(two);
	end(three);
	ck_assert_int_eq(before.status, BAY_CANCELED);
	ck_assert_int_eq(after.status, BAY_OK);
	ck_assert_int_eq(late.status, BAY_CANCELED);
	bay_event_destroy(event);
	return BAY_OK;
}

TASK_TEST(a_deadline_ends_one_wait_and_not_the_others)
{
	struct bay_event *event = bay_event_create("slow");
	int64_t deadline = bay_after(2 * BAY_MS);
	int clock = 0;
	struct guest first = {event, deadline, -1, 0, &clock}, second = {event, BAY_INHERIT, -1, 0, &clock};
	struct bay_task *one = bay_spawn("one", wait_once, &first), *two = bay_spawn("two", wait_once, &second);

	end(one);
	ck_assert_int_eq(first.status, BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert(!bay_task_done(two));
	bay_event_set(event);
	end(two);
	ck_assert_int_eq(second.status, BAY_OK);
	bay_event_destroy(event);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits)
{
	struct bay_event *event = bay_event_create("gone");
	int clock = 0;
	struct guest guest = {event, BAY_INHERIT, -1, 0, &clock};
	struct bay_task *task = bay_spawn("guest", wait_once, &guest);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_event_destroy(event);
	end(task);
	ck_assert_int_eq(guest.status, BAY_CLOSED);
	return BAY_OK;
}

CHECK_MAIN("runtime/event",
	who_comes_when_it_is_set_does_not_wait,
	setting_lets_all_go_on_in_their_order,
	a_cancellation_counts_before_the_event_and_not_after,
	a_deadline_ends_one_wait_and_not_the_others,
	destroying_ends_the_waits)
