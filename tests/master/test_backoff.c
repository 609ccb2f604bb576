/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/backoff.h"

#include "base/clock.h"
#include "support/check_main.h"

static const int64_t second = CLOCK_NS_PER_S;

static struct backoff
at_once_then_100_ms_to_2_s(void)
{
	return (struct backoff){.at_once = true, .first_ns = second / 10,
		.max_ns = 2 * second, .reset_ns = 60 * second};
}

START_TEST(the_first_failure_may_have_to_wait_too)
{
	struct backoff backoff = at_once_then_100_ms_to_2_s();

	backoff.at_once = false;
	ck_assert_int_eq(backoff_next(&backoff, 0, 0), second / 10);
	ck_assert_int_eq(backoff_next(&backoff, 0, 0), second / 5);
}
END_TEST

START_TEST(the_first_failure_is_tried_again_at_once)
{
	struct backoff backoff = at_once_then_100_ms_to_2_s();

	ck_assert_int_eq(backoff_next(&backoff, 5, UINT32_MAX), 0);
}
END_TEST

START_TEST(each_further_failure_doubles_the_wait_up_to_the_maximum)
{
	struct backoff backoff = at_once_then_100_ms_to_2_s();
	const int64_t expected_ms[] = {0, 100, 200, 400, 800, 1600, 1500, 1500};

	for (size_t i = 0; i < sizeof(expected_ms) / sizeof(*expected_ms); i++)
		ck_assert_int_eq(backoff_next(&backoff, (int64_t)i, 0),
			expected_ms[i] * CLOCK_NS_PER_MS);
}
END_TEST

START_TEST(many_failures_do_not_overflow)
{
	struct backoff backoff = {.first_ns = 1, .max_ns = INT64_MAX / 2, .reset_ns = second};
	int64_t delay_ns = 0;

	for (int i = 0; i < 1000; i++)
		delay_ns = backoff_next(&backoff, 0, 0);
	ck_assert_int_eq(delay_ns, INT64_MAX / 2 - INT64_MAX / 2 / 4);
}
END_TEST

START_TEST(the_scatter_stays_between_the_bounds)
{
	struct backoff low = {.first_ns = second, .max_ns = 2 * second, .reset_ns = 60 * second};
	struct backoff high = low;
	struct backoff narrow = {.first_ns = second, .max_ns = second + 1, .reset_ns = 60 * second};

	ck_assert_int_eq(backoff_next(&low, 0, 0), second);
	ck_assert_int_eq(backoff_next(&high, 0, UINT32_MAX), second + second / 4);
	/* The longest wait is scattered, too: those who wait it do not come together. */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(backoff_next(&low, 0, 0), 2 * second - second / 2);
		ck_assert_int_eq(backoff_next(&high, 0, UINT32_MAX), 2 * second);
	}
	ck_assert_int_eq(backoff_next(&narrow, 0, 0), second);
	ck_assert_int_eq(backoff_next(&narrow, 0, UINT32_MAX), second + 1);
}
END_TEST

START_TEST(a_wait_that_is_longer_than_the_quiet_time_is_none)
{
	struct backoff backoff = {.first_ns = 40 * second, .max_ns = 200 * second,
		.reset_ns = 60 * second};

	ck_assert_int_eq(backoff_next(&backoff, 0, 0), 40 * second);
	ck_assert_int_eq(backoff_next(&backoff, 41 * second, 0), 80 * second);
	ck_assert_int_eq(backoff_next(&backoff, 122 * second, 0), 160 * second);
	ck_assert_int_eq(backoff_next(&backoff, (122 + 160 + 60) * second, 0), 40 * second);
}
END_TEST

START_TEST(the_scatter_adds_at_most_a_quarter)
{
	struct backoff low = at_once_then_100_ms_to_2_s();
	struct backoff high = at_once_then_100_ms_to_2_s();

	backoff_next(&low, 0, 0);
	backoff_next(&high, 0, 0);
	ck_assert_int_eq(backoff_next(&low, 1, 0), second / 10);
	ck_assert_int_eq(backoff_next(&high, 1, UINT32_MAX), second / 10 + second / 40);
}
END_TEST

START_TEST(a_quiet_time_forgets_the_failures)
{
	struct backoff backoff = at_once_then_100_ms_to_2_s();

	backoff_next(&backoff, 0, 0);
	ck_assert_int_gt(backoff_next(&backoff, 59 * second, 0), 0);
	ck_assert_int_eq(backoff_next(&backoff, (60 + 60) * second, 0), 0);
}
END_TEST

START_TEST(reset_forgets_the_failures)
{
	struct backoff backoff = at_once_then_100_ms_to_2_s();

	backoff_next(&backoff, 0, 0);
	backoff_reset(&backoff);
	ck_assert_int_eq(backoff_next(&backoff, 1, 0), 0);
}
END_TEST

START_TEST(random_numbers_differ)
{
	ck_assert(backoff_random() != backoff_random() || backoff_random() != backoff_random());
}
END_TEST

CHECK_MAIN("master/backoff",
	the_first_failure_may_have_to_wait_too,
	the_first_failure_is_tried_again_at_once,
	each_further_failure_doubles_the_wait_up_to_the_maximum,
	many_failures_do_not_overflow,
	the_scatter_stays_between_the_bounds,
	a_wait_that_is_longer_than_the_quiet_time_is_none,
	the_scatter_adds_at_most_a_quarter,
	a_quiet_time_forgets_the_failures,
	reset_forgets_the_failures,
	random_numbers_differ)
