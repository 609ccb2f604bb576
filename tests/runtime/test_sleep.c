/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>

#include <bay/scope.h>
#include <bay/task.h>
#include <bay/time.h>

#include "runtime/task.h"
#include "support/run_tasks.h"

TASK_TEST(a_sleep_is_never_too_short)
{
	int64_t span_ns;

	for (span_ns = 1; span_ns < 30 * BAY_MS; span_ns = span_ns * 3 + 1) {
		int64_t before = bay_now();

		ck_assert_int_eq(bay_sleep(span_ns), BAY_OK);
		ck_assert_int_ge(bay_now() - before, span_ns);
	}
	return BAY_OK;
}

struct sleeper {
	int64_t when_ns;
	int64_t lay_down_ns;
	int *clock;
	int place;
	int64_t woke_ns;
};

static int
sleep_until(void *arg)
{
	struct sleeper *sleeper = arg;
	int status;

	sleeper->lay_down_ns = bay_now();
	status = bay_sleep_until(sleeper->when_ns);
	sleeper->woke_ns = bay_now();
	sleeper->place = ++*sleeper->clock;
	return status;
}

TASK_TEST(many_sleepers_wake_in_the_order_of_their_times)
{
	enum { COUNT = 500 };
	struct sleeper *sleepers = calloc(COUNT, sizeof *sleepers);
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int64_t start = bay_after(200 * BAY_MS);
	int clock = 0, i;

	for (i = 0; i < COUNT; i++) {
		/* Two ticks of the wheel apart, in a mixed order. */
		sleepers[i] = (struct sleeper){.when_ns = start + (i * 7919 % COUNT) * 2 * WHEEL_TICK_NS, .clock = &clock};
		ck_assert_int_eq(bay_scope_go(scope, "sleeps", sleep_until, &sleepers[i]), BAY_OK);
	}
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	for (i = 0; i < COUNT; i++) {
		ck_assert_int_ge(sleepers[i].woke_ns, sleepers[i].when_ns);
		/* On a machine that is too busy, some lie down too late to tell. */
		if (sleepers[COUNT - 1].lay_down_ns < start)
			ck_assert_int_eq(sleepers[i].place, i * 7919 % COUNT + 1);
	}
	free(sleepers);
	return BAY_OK;
}

static int
count_turns(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

TASK_TEST(no_sleep_is_a_yield)
{
	int turns = 0;

	ck_assert_int_eq(bay_go("counts", count_turns, &turns), BAY_OK);
	ck_assert_int_eq(bay_sleep(0), BAY_OK);
	ck_assert_int_eq(turns, 1);
	ck_assert_int_eq(bay_sleep(-BAY_SECOND), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_time_that_has_passed_is_no_wait)
{
	int turns = 0;

	ck_assert_int_eq(bay_go("counts", count_turns, &turns), BAY_OK);
	ck_assert_int_eq(bay_sleep_until(0), BAY_OK);
	ck_assert_int_eq(bay_sleep_until(bay_now()), BAY_OK);
	return BAY_OK;
}

static int
sleep_long(void *arg)
{
	int64_t span_ns = *(int64_t *)arg;

	return bay_sleep(span_ns);
}

TASK_TEST(an_inherited_deadline_cuts_a_sleep)
{
	int64_t span_ns = 100 * BAY_SECOND, deadline = bay_after(3 * BAY_MS);
	struct bay_scope *scope = bay_scope_open(deadline);
	struct bay_task *task = bay_scope_spawn(scope, "sleeps", sleep_long, &span_ns);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

static int
sleep_past_the_deadline(void *arg)
{
	int i;

	(void)arg;
	ck_assert_int_eq(bay_sleep(BAY_SECOND), BAY_TIMEOUT);
	/* From then on no await waits. */
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(bay_sleep(1), BAY_TIMEOUT);
		ck_assert_int_eq(bay_sleep_until(0), BAY_TIMEOUT);
		ck_assert_int_eq(bay_yield(), BAY_TIMEOUT);
	}
	return BAY_OK;
}

TASK_TEST(past_the_deadline_nothing_sleeps)
{
	struct bay_scope *scope = bay_scope_open(bay_after(2 * BAY_MS));
	struct bay_task *task = bay_scope_spawn(scope, "sleeps", sleep_past_the_deadline, NULL);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_sleep_that_ends_with_the_deadline_was_whole)
{
	int64_t deadline = bay_after(2 * BAY_MS);

	task_current()->deadline = deadline;
	ck_assert_int_eq(bay_sleep_until(deadline), BAY_OK);
	ck_assert_int_eq(bay_sleep_until(deadline + 1), BAY_TIMEOUT);
	return BAY_OK;
}

TASK_TEST(spans_become_deadlines)
{
	int64_t before = bay_now(), deadline = bay_after(BAY_SECOND), after = bay_now();

	ck_assert_int_ge(deadline, before + BAY_SECOND);
	ck_assert_int_le(deadline, after + BAY_SECOND);
	ck_assert_int_eq(bay_after(INT64_MAX), BAY_INHERIT);
	ck_assert_int_eq(bay_after(INT64_MAX - 1), BAY_INHERIT);
	ck_assert_int_le(bay_after(-BAY_SECOND), bay_now() - BAY_SECOND);
	ck_assert_int_lt(bay_after(INT64_MIN), 0);
	ck_assert_int_gt(bay_wall(), INT64_C(1600000000) * BAY_SECOND);
	return BAY_OK;
}

TASK_TEST(a_sleep_by_the_wall_is_never_too_short_and_ends_with_the_deadline)
{
	int64_t when = bay_wall() + 3 * BAY_MS;

	ck_assert_int_eq(bay_sleep_until_wall(when), BAY_OK);
	ck_assert_int_ge(bay_wall(), when);
	ck_assert_int_eq(bay_sleep_until_wall(INT64_MIN), BAY_OK);
	ck_assert_int_eq(bay_sleep_until_wall(bay_wall()), BAY_OK);
	return BAY_OK;
}

static int
sleep_for_ages(void *arg)
{
	*(int *)arg = bay_sleep_until_wall(INT64_MAX);
	return BAY_OK;
}

/* It looks at the clock again and again, and is still one sleep. */
TASK_TEST(a_sleep_by_the_wall_can_be_cancelled)
{
	int status = -1;
	struct bay_task *task = bay_spawn("ages", sleep_for_ages, &status);

	ck_assert_int_eq(bay_sleep(1100 * BAY_MS), BAY_OK);
	ck_assert_int_eq(status, -1);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(status, BAY_CANCELED);
	return BAY_OK;
}

CHECK_MAIN("runtime/sleep",
	a_sleep_is_never_too_short,
	many_sleepers_wake_in_the_order_of_their_times,
	no_sleep_is_a_yield,
	a_time_that_has_passed_is_no_wait,
	an_inherited_deadline_cuts_a_sleep,
	past_the_deadline_nothing_sleeps,
	a_sleep_that_ends_with_the_deadline_was_whole,
	spans_become_deadlines,
	a_sleep_by_the_wall_is_never_too_short_and_ends_with_the_deadline,
	a_sleep_by_the_wall_can_be_cancelled)
