/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/graveyard.h"

#include "support/check_main.h"

enum { MANY = GRAVEYARD_RESERVE + 100 };

static struct graveyard yard;
static struct grave graves[MANY];

/* Grave i ended at the time i. */
static void
add_all(void)
{
	for (int i = 0; i < MANY; i++)
		graveyard_add(&yard, &graves[i], i);
}

START_TEST(the_latest_is_taken_first)
{
	ck_assert_ptr_null(graveyard_take(&yard));
	graveyard_add(&yard, &graves[0], 10);
	graveyard_add(&yard, &graves[1], 10);
	ck_assert_ptr_eq(graveyard_take(&yard), &graves[1]);
	graveyard_add(&yard, &graves[2], 11);
	ck_assert_uint_eq(yard.count, 2);
	ck_assert_ptr_eq(graveyard_take(&yard), &graves[2]);
	ck_assert_ptr_eq(graveyard_take(&yard), &graves[0]);
	ck_assert_ptr_null(graveyard_take(&yard));
	ck_assert_uint_eq(yard.count, 0);
}
END_TEST

START_TEST(what_is_beyond_the_reserve_goes_when_its_time_has_come_the_oldest_first)
{
	add_all();
	ck_assert_int_eq(graveyard_cold_ns(&yard), GRAVEYARD_WARM_NS);
	ck_assert_ptr_null(graveyard_take_cold(&yard, GRAVEYARD_WARM_NS - 1));
	ck_assert_ptr_eq(graveyard_take_cold(&yard, GRAVEYARD_WARM_NS), &graves[0]);
	ck_assert_ptr_null(graveyard_take_cold(&yard, GRAVEYARD_WARM_NS));
	ck_assert_int_eq(graveyard_cold_ns(&yard), GRAVEYARD_WARM_NS + 1);
	for (int i = 1; i < MANY - GRAVEYARD_RESERVE; i++)
		ck_assert_ptr_eq(graveyard_take_cold(&yard, 10 * GRAVEYARD_WARM_NS), &graves[i]);
	ck_assert_ptr_null(graveyard_take_cold(&yard, 10 * GRAVEYARD_WARM_NS));
	ck_assert_int_eq(graveyard_cold_ns(&yard), INT64_MAX);
}
END_TEST

START_TEST(what_was_in_use_in_between_is_warm_again)
{
	add_all();
	for (int i = 0; i < MANY - 1; i++)
		ck_assert_ptr_nonnull(graveyard_take(&yard));
	for (int i = 1; i < MANY; i++)
		graveyard_add(&yard, &graves[i], GRAVEYARD_WARM_NS);
	ck_assert_ptr_eq(graveyard_take_cold(&yard, GRAVEYARD_WARM_NS), &graves[0]);
	ck_assert_ptr_null(graveyard_take_cold(&yard, GRAVEYARD_WARM_NS));
}
END_TEST

START_TEST(a_yard_that_was_emptied_forgets_who_was_the_oldest)
{
	add_all();
	ck_assert_ptr_nonnull(graveyard_take_cold(&yard, GRAVEYARD_WARM_NS));
	while (graveyard_take(&yard) != NULL)
		continue;
	for (int i = 0; i < MANY; i++)
		graveyard_add(&yard, &graves[MANY - 1 - i], 1000);
	ck_assert_ptr_eq(graveyard_take_cold(&yard, 1000 + GRAVEYARD_WARM_NS), &graves[MANY - 1]);
}
END_TEST

CHECK_MAIN("runtime/graveyard",
	the_latest_is_taken_first,
	what_is_beyond_the_reserve_goes_when_its_time_has_come_the_oldest_first,
	what_was_in_use_in_between_is_warm_again,
	a_yard_that_was_emptied_forgets_who_was_the_oldest)
