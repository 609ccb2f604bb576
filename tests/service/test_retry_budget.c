/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/retry_budget.h"

#include "support/check_main.h"

#define SECOND INT64_C(1000000000)

static struct retry_budget budget;

static void
send(unsigned count, int64_t now_ns)
{
	while (count-- > 0)
		retry_budget_note(&budget, now_ns);
}

/* How many may be sent again. */
static unsigned
again(int64_t now_ns)
{
	struct call_counts sent;
	unsigned count = 0;

	while (count < 1000 && retry_budget_take(&budget, now_ns, &sent))
		count++;
	return count;
}

START_TEST(without_a_budget_all_may_be_sent_again)
{
	struct call_counts sent;

	ck_assert_uint_eq(again(SECOND), 1000);
	retry_budget_set(&budget, 20, 0);
	ck_assert(!retry_budget_take(&budget, SECOND, &sent));
	retry_budget_set(&budget, 0, 0);
	ck_assert(retry_budget_take(&budget, SECOND, &sent));
}
END_TEST

START_TEST(a_percentage_of_the_requests_may_and_no_retry_counts_as_one)
{
	retry_budget_set(&budget, 20, 0);
	ck_assert_uint_eq(again(SECOND), 0);
	send(100, SECOND);
	ck_assert_uint_eq(again(SECOND), 20);
	ck_assert_uint_eq(again(2 * SECOND), 0);
	send(10, 2 * SECOND);
	ck_assert_uint_eq(again(2 * SECOND), 2);
}
END_TEST

START_TEST(so_many_a_second_may_in_any_case)
{
	retry_budget_set(&budget, 20, 1);
	ck_assert_uint_eq(again(SECOND), 10);
	send(100, SECOND);
	ck_assert_uint_eq(again(SECOND), 20);
}
END_TEST

START_TEST(requests_and_retries_are_those_of_the_last_ten_seconds)
{
	retry_budget_set(&budget, 50, 0);
	send(10, SECOND);
	ck_assert_uint_eq(again(10 * SECOND), 5);
	send(10, 10 * SECOND);
	ck_assert_uint_eq(again(10 * SECOND), 5);
	/* The first ten have gone, the retries have not. */
	ck_assert_uint_eq(again(11 * SECOND), 0);
	send(12, 11 * SECOND);
	ck_assert_uint_eq(again(11 * SECOND), 1);
	ck_assert_uint_eq(again(60 * SECOND), 0);
}
END_TEST

START_TEST(who_may_not_hears_how_many_there_were)
{
	struct call_counts sent;

	retry_budget_set(&budget, 10, 0);
	send(19, SECOND);
	ck_assert(retry_budget_take(&budget, SECOND, &sent));
	ck_assert(!retry_budget_take(&budget, SECOND, &sent));
	ck_assert_uint_eq(sent.calls, 20);
	ck_assert_uint_eq(sent.bad, 1);
}
END_TEST

START_TEST(the_same_budget_again_goes_on_and_another_begins_anew)
{
	retry_budget_set(&budget, 10, 0);
	send(10, SECOND);
	retry_budget_set(&budget, 10, 0);
	ck_assert_uint_eq(again(SECOND), 1);
	retry_budget_set(&budget, 20, 0);
	ck_assert_uint_eq(again(SECOND), 0);
	send(10, SECOND);
	ck_assert_uint_eq(again(SECOND), 2);
}
END_TEST

CHECK_MAIN("service/retry_budget",
	without_a_budget_all_may_be_sent_again,
	a_percentage_of_the_requests_may_and_no_retry_counts_as_one,
	so_many_a_second_may_in_any_case,
	requests_and_retries_are_those_of_the_last_ten_seconds,
	who_may_not_hears_how_many_there_were,
	the_same_budget_again_goes_on_and_another_begins_anew)
