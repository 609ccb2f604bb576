/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/probation.h"

#include "support/check_main.h"

static bool
is_worse(uint64_t old_failed, uint64_t old_ended, uint64_t new_failed, uint64_t new_ended)
{
	const struct probation_counts before = {.ended = old_ended, .failed = old_failed};
	const struct probation_counts now = {.ended = new_ended, .failed = new_failed};

	return probation_is_worse(&before, &now);
}

START_TEST(a_few_failures_say_nothing)
{
	ck_assert(!is_worse(0, 1000, 0, 0));
	ck_assert(!is_worse(0, 1000, 1, 1));
	ck_assert(!is_worse(0, 1000, 4, 4));
	ck_assert(is_worse(0, 1000, 5, 5));
}
END_TEST

START_TEST(what_failed_before_may_fail_again)
{
	ck_assert(!is_worse(500, 1000, 52, 100));
	ck_assert(!is_worse(10, 1000, 5, 500));
	ck_assert(!is_worse(1000, 1000, 100, 100));
	ck_assert(is_worse(500, 1000, 80, 100));
	ck_assert(is_worse(10, 1000, 50, 500));
}
END_TEST

START_TEST(chance_is_no_reason)
{
	/* Twice as often, of a handful; and of many. */
	ck_assert(!is_worse(30, 1000, 6, 100));
	ck_assert(is_worse(3000, 100000, 600, 10000));
}
END_TEST

START_TEST(a_service_that_nobody_has_called_counts_as_a_good_one)
{
	ck_assert(!is_worse(0, 0, 5, 50));
	ck_assert(is_worse(0, 0, 12, 12));
	ck_assert(!is_worse(0, 0, 0, 100000));
}
END_TEST

START_TEST(what_has_come_since_is_never_negative)
{
	struct probation_counts base = {.ended = 100, .failed = 10}, now = {.ended = 90, .failed = 12};
	struct probation_counts since = probation_since(&base, &now);

	ck_assert_uint_eq(since.failed, 2);
	ck_assert_uint_eq(since.ended, 2);
	now.ended = 150;
	since = probation_since(&base, &now);
	ck_assert_uint_eq(since.ended, 50);
}
END_TEST

CHECK_MAIN("master/probation",
	a_few_failures_say_nothing,
	what_failed_before_may_fail_again,
	chance_is_no_reason,
	a_service_that_nobody_has_called_counts_as_a_good_one,
	what_has_come_since_is_never_negative)
