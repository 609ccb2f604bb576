/* SPDX-License-Identifier: BSD-2-Clause */
/* The states of a breaker, by a clock that is only a number. */
#include "config.h"

#include "service/breaker.h"

#include <string.h>

#include "support/check_main.h"

#define SECOND INT64_C(1000000000)

static const struct breaker_limits limits = {.percent = 50, .calls = 10, .window_ns = 10 * SECOND,
	.delay_ns = 5 * SECOND, .trials = 3};

static struct breaker *breaker;
static struct status_guard status;
static int64_t now_ns = 1000 * SECOND;

/* The states that were told of, as letters: Open, Half-open, Closed. */
static char told[64];

static void
on_changed(const struct breaker_view *view, void *arg)
{
	ck_assert_ptr_eq(arg, &status);
	ck_assert_uint_lt(strlen(told) + 1, sizeof told);
	strncat(told, &"COH"[view->state], 1);
}

static void
begin(void)
{
	breaker = breaker_create(2, on_changed, &status);
	breaker_set_status(breaker, &status);
	breaker_set_limits(breaker, &limits);
}

static void
end(void)
{
	breaker_destroy(breaker);
}

static void
count(unsigned calls, bool failed)
{
	while (calls-- > 0)
		breaker_count(breaker, calls % 2, failed, now_ns);
}

static bool
is(enum status_breaker state)
{
	ck_assert_uint_eq(status.state, state);
	ck_assert_int_eq(breaker_mode(breaker), breaker->limits.percent == 0 ? BREAKER_OFF :
		state == STATUS_BREAKER_CLOSED ? BREAKER_COUNTS : BREAKER_STOPS);
	return breaker->state == state;
}

/* 0: refused. */
static uint8_t
ask(void)
{
	struct breaker_view view;
	uint8_t trial;
	bool let = breaker_let(breaker, now_ns, &trial, &view);

	ck_assert(let || trial == 0);
	return trial;
}

static void
open_it(void)
{
	count(10, true);
	ck_assert(is(STATUS_BREAKER_OPEN));
}

START_TEST(one_that_is_off_lets_everything_through)
{
	struct breaker_view view;
	uint8_t trial = 1;

	breaker = breaker_create(2, NULL, NULL);
	ck_assert_int_eq(breaker_mode(breaker), BREAKER_OFF);
	count(100, true);
	ck_assert(breaker_let(breaker, now_ns, &trial, &view));
	ck_assert_uint_eq(trial, 0);
	end();
}
END_TEST

START_TEST(it_opens_when_so_many_percent_of_the_calls_have_failed)
{
	begin();
	count(6, false);
	count(5, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	count(1, true);
	ck_assert(is(STATUS_BREAKER_OPEN));
	ck_assert_uint_eq(status.calls, 12);
	ck_assert_uint_eq(status.failed, 6);
	ck_assert_uint_eq(status.next_ns, (uint64_t)(now_ns + 5 * SECOND));
	ck_assert_uint_eq(status.opened, 1);
	ck_assert_str_eq(told, "O");
	end();
}
END_TEST

START_TEST(it_stays_closed_as_long_as_there_were_few_calls)
{
	begin();
	count(9, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	count(1, true);
	ck_assert(is(STATUS_BREAKER_OPEN));
	end();
}
END_TEST

START_TEST(what_was_before_the_window_does_not_count)
{
	begin();
	count(9, true);
	now_ns += 10 * SECOND;
	count(9, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	/* Nor do those that went well before it. */
	now_ns += 10 * SECOND;
	count(1000, false);
	now_ns += 10 * SECOND;
	open_it();
	end();
}
END_TEST

START_TEST(an_open_one_refuses_until_its_delay_is_over)
{
	struct breaker_view view;
	uint8_t trial;

	begin();
	open_it();
	ck_assert(!breaker_let(breaker, now_ns, &trial, &view));
	ck_assert_int_eq(view.state, STATUS_BREAKER_OPEN);
	ck_assert_uint_eq(view.failed, 10);
	ck_assert_int_eq(view.next_ns, now_ns + 5 * SECOND);
	now_ns += 5 * SECOND - 1;
	ck_assert_uint_eq(ask(), 0);
	ck_assert_uint_eq(status.refused, 2);
	/* What ends meanwhile has no say. */
	count(100, false);
	count(100, true);
	ck_assert(is(STATUS_BREAKER_OPEN));
	now_ns++;
	ck_assert_uint_ne(ask(), 0);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	ck_assert_uint_eq(status.refused, 2);
	end();
}
END_TEST

/* Opens it and waits, so that trials may begin. */
static void
half_open(uint8_t *trials, unsigned how_many)
{
	open_it();
	now_ns += 5 * SECOND;
	for (unsigned i = 0; i < how_many; i++) {
		trials[i] = ask();
		ck_assert_uint_ne(trials[i], 0);
	}
}

START_TEST(a_half_open_one_lets_as_many_through_as_it_has_trials)
{
	uint8_t trials[3];

	begin();
	half_open(trials, 3);
	ck_assert_uint_eq(ask(), 0);
	ck_assert_uint_eq(status.refused, 1);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	end();
}
END_TEST

START_TEST(trials_that_do_well_close_it_and_all_is_forgotten)
{
	uint8_t trials[3];

	begin();
	half_open(trials, 3);
	breaker_end_trial(breaker, trials[0], BREAKER_WELL, now_ns);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	breaker_end_trial(breaker, trials[1], BREAKER_FAILED, now_ns);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	breaker_end_trial(breaker, trials[2], BREAKER_WELL, now_ns);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	ck_assert_uint_eq(status.calls, 0);
	ck_assert_str_eq(told, "OHC");
	/* The failures that had opened it are in the same window. */
	count(9, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	end();
}
END_TEST

START_TEST(trials_that_fail_open_it_for_another_delay)
{
	uint8_t trials[3];

	begin();
	half_open(trials, 3);
	breaker_end_trial(breaker, trials[0], BREAKER_FAILED, now_ns);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	breaker_end_trial(breaker, trials[1], BREAKER_FAILED, now_ns);
	ck_assert(is(STATUS_BREAKER_OPEN));
	ck_assert_uint_eq(status.opened, 2);
	ck_assert_uint_eq(status.calls, 2);
	ck_assert_str_eq(told, "OHO");
	now_ns += 5 * SECOND - 1;
	ck_assert_uint_eq(ask(), 0);
	now_ns++;
	ck_assert_uint_ne(ask(), 0);
	end();
}
END_TEST

START_TEST(a_trial_of_an_earlier_round_comes_too_late)
{
	uint8_t trials[3], next;

	begin();
	half_open(trials, 3);
	breaker_end_trial(breaker, trials[0], BREAKER_FAILED, now_ns);
	breaker_end_trial(breaker, trials[1], BREAKER_FAILED, now_ns);
	now_ns += 5 * SECOND;
	next = ask();
	ck_assert_uint_ne(next, trials[2]);
	breaker_end_trial(breaker, trials[2], BREAKER_FAILED, now_ns);
	breaker_end_trial(breaker, next, BREAKER_FAILED, now_ns);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	end();
}
END_TEST

START_TEST(a_trial_that_says_nothing_leaves_its_place_to_another)
{
	uint8_t trials[3];

	begin();
	half_open(trials, 3);
	breaker_end_trial(breaker, trials[0], BREAKER_IGNORED, now_ns);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	ck_assert_uint_eq(ask(), trials[1]);
	ck_assert_uint_eq(ask(), 0);
	end();
}
END_TEST

START_TEST(trials_that_do_not_come_back_let_one_more_through_after_the_delay)
{
	uint8_t trials[3];

	begin();
	half_open(trials, 3);
	now_ns += 5 * SECOND - 1;
	ck_assert_uint_eq(ask(), 0);
	now_ns++;
	ck_assert_uint_eq(ask(), trials[0]);
	ck_assert_uint_eq(ask(), 0);
	end();
}
END_TEST

START_TEST(a_reset_closes_it_and_forgets)
{
	begin();
	open_it();
	breaker_close(breaker);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	ck_assert_uint_eq(status.next_ns, 0);
	count(9, true);
	breaker_close(breaker);
	count(9, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	ck_assert_str_eq(told, "OC");
	end();
}
END_TEST

START_TEST(turned_off_it_closes_and_turned_on_it_has_seen_nothing)
{
	struct breaker_limits off = limits;

	begin();
	open_it();
	off.percent = 0;
	breaker_set_limits(breaker, &off);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	count(100, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	breaker_set_limits(breaker, &limits);
	count(9, true);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	count(1, true);
	ck_assert(is(STATUS_BREAKER_OPEN));
	end();
}
END_TEST

START_TEST(other_limits_hold_at_once_and_keep_what_was_counted)
{
	struct breaker_limits less = limits;

	begin();
	count(4, true);
	less.calls = 5;
	breaker_set_limits(breaker, &less);
	count(1, true);
	ck_assert(is(STATUS_BREAKER_OPEN));
	/* The same again changes nothing. */
	breaker_set_limits(breaker, &less);
	ck_assert(is(STATUS_BREAKER_OPEN));
	end();
}
END_TEST

START_TEST(a_trial_decides_by_the_percentage_too)
{
	struct breaker_limits all = limits;
	uint8_t trials[3];

	begin();
	all.percent = 100;
	breaker_set_limits(breaker, &all);
	half_open(trials, 3);
	breaker_end_trial(breaker, trials[0], BREAKER_FAILED, now_ns);
	breaker_end_trial(breaker, trials[1], BREAKER_FAILED, now_ns);
	ck_assert(is(STATUS_BREAKER_HALF_OPEN));
	breaker_end_trial(breaker, trials[2], BREAKER_WELL, now_ns);
	ck_assert(is(STATUS_BREAKER_CLOSED));
	end();
}
END_TEST

CHECK_MAIN("service/breaker",
	one_that_is_off_lets_everything_through,
	it_opens_when_so_many_percent_of_the_calls_have_failed,
	it_stays_closed_as_long_as_there_were_few_calls,
	what_was_before_the_window_does_not_count,
	an_open_one_refuses_until_its_delay_is_over,
	a_half_open_one_lets_as_many_through_as_it_has_trials,
	trials_that_do_well_close_it_and_all_is_forgotten,
	trials_that_fail_open_it_for_another_delay,
	a_trial_of_an_earlier_round_comes_too_late,
	a_trial_that_says_nothing_leaves_its_place_to_another,
	trials_that_do_not_come_back_let_one_more_through_after_the_delay,
	a_reset_closes_it_and_forgets,
	turned_off_it_closes_and_turned_on_it_has_seen_nothing,
	other_limits_hold_at_once_and_keep_what_was_counted,
	a_trial_decides_by_the_percentage_too)
