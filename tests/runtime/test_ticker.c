/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/ticker.h"

#include <bay/task.h>

#include "support/run_tasks.h"

TASK_TEST(a_period_that_is_not_above_zero_is_refused)
{
	struct bay_ticker *ticker;

	ck_assert_ptr_null(bay_ticker_create(0));
	ck_assert_ptr_null(bay_ticker_create(-BAY_SECOND));
	ticker = bay_ticker_create(BAY_SECOND);
	ck_assert_int_eq(bay_ticker_reset(ticker, 0), BAY_INVALID);
	bay_ticker_destroy(ticker);
	bay_ticker_destroy(NULL);
	return BAY_OK;
}

/* However late it is asked: the ticks stay where they are. */
TASK_TEST(ticks_do_not_drift)
{
	struct bay_ticker *ticker = bay_ticker_create(1000);
	int64_t first_ns = bay_ticker_when(ticker);
	uint64_t missed = 99;

	ck_assert(!ticker_take(ticker, first_ns - 1, &missed));
	ck_assert_uint_eq(missed, 99);
	ck_assert(ticker_take(ticker, first_ns + 300, &missed));
	ck_assert_uint_eq(missed, 0);
	ck_assert_int_eq(bay_ticker_when(ticker), first_ns + 1000);
	ck_assert(ticker_take(ticker, first_ns + 1999, &missed));
	ck_assert_int_eq(bay_ticker_when(ticker), first_ns + 2000);
	bay_ticker_destroy(ticker);
	return BAY_OK;
}

TASK_TEST(missed_ticks_are_counted_and_do_not_come_in_a_bunch)
{
	struct bay_ticker *ticker = bay_ticker_create(1000);
	int64_t first_ns = bay_ticker_when(ticker);
	uint64_t missed;

	ck_assert(ticker_take(ticker, first_ns + 4500, &missed));
	ck_assert_uint_eq(missed, 4);
	ck_assert_int_eq(bay_ticker_when(ticker), first_ns + 5000);
	ck_assert(!ticker_take(ticker, first_ns + 4999, &missed));
	ck_assert(ticker_take(ticker, first_ns + 5000, NULL));
	bay_ticker_destroy(ticker);
	return BAY_OK;
}

TASK_TEST(a_period_may_be_as_long_as_time)
{
	struct bay_ticker *ticker = bay_ticker_create(BAY_INHERIT);

	ck_assert_int_eq(bay_ticker_when(ticker), BAY_INHERIT);
	ck_assert(!ticker_take(ticker, BAY_INHERIT - 1, NULL));
	ck_assert_int_eq(bay_ticker_reset(ticker, BAY_INHERIT / 2), BAY_OK);
	ck_assert(ticker_take(ticker, bay_ticker_when(ticker), NULL));
	ck_assert(ticker_take(ticker, BAY_INHERIT, NULL) || bay_ticker_when(ticker) == BAY_INHERIT);
	bay_ticker_destroy(ticker);
	return BAY_OK;
}

TASK_TEST(next_waits_for_a_tick_and_no_longer_than_told)
{
	struct bay_ticker *ticker = bay_ticker_create(2 * BAY_MS);
	int64_t when_ns = bay_ticker_when(ticker);
	uint64_t missed = 99;

	ck_assert_int_eq(bay_ticker_next(ticker, &missed, BAY_INHERIT), BAY_OK);
	ck_assert_int_ge(bay_now(), when_ns);
	ck_assert_uint_lt(missed, 99);
	ck_assert_int_eq((bay_ticker_when(ticker) - when_ns) % (2 * BAY_MS), 0);
	ck_assert_int_eq(bay_ticker_reset(ticker, 3600 * BAY_SECOND), BAY_OK);
	when_ns = bay_ticker_when(ticker);
	ck_assert_int_eq(bay_ticker_next(ticker, &missed, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_ticker_when(ticker), when_ns);
	bay_ticker_destroy(ticker);
	return BAY_OK;
}

struct party {
	struct bay_ticker *ticker;
	int ticks;
	int status;
};

static int
count_ticks(void *arg)
{
	struct party *party = arg;

	while ((party->status = bay_ticker_next(party->ticker, NULL, BAY_INHERIT)) == BAY_OK)
		party->ticks++;
	return BAY_OK;
}

/* A tick is for one of those who wait: the other goes on waiting for the next. */
TASK_TEST(each_tick_is_for_one)
{
	struct party one = {bay_ticker_create(3600 * BAY_SECOND), 0, -1}, two = one;
	struct bay_task *tasks[] = {bay_spawn("one", count_ticks, &one), bay_spawn("two", count_ticks, &two)};

	ck_assert_int_eq(bay_ticker_reset(one.ticker, BAY_MS), BAY_OK);
	while (one.ticks + two.ticks < 3)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(bay_ticker_reset(one.ticker, 3600 * BAY_SECOND), BAY_OK);
	bay_task_cancel(tasks[0], "enough");
	bay_task_cancel(tasks[1], "enough");
	ck_assert_int_eq(bay_join(tasks[0], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[1], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(one.status, BAY_CANCELED);
	ck_assert_int_eq(two.status, BAY_CANCELED);
	bay_ticker_destroy(one.ticker);
	return BAY_OK;
}

CHECK_MAIN("runtime/ticker",
	a_period_that_is_not_above_zero_is_refused,
	ticks_do_not_drift,
	missed_ticks_are_counted_and_do_not_come_in_a_bunch,
	a_period_may_be_as_long_as_time,
	next_waits_for_a_tick_and_no_longer_than_told,
	each_tick_is_for_one)
