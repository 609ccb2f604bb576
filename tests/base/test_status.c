/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/status.h"

#include <limits.h>
#include <string.h>

#include "support/check_main.h"

START_TEST(each_status_has_a_name_that_reads_back)
{
	for (int i = BAY_OK; i <= BAY_NOT_PERMITTED; i++) {
		enum bay_status status = BAY_IO;

		ck_assert_str_ne(bay_status_name(i), "unknown");
		ck_assert(status_parse(bay_status_name(i), &status));
		ck_assert_int_eq(status, i);
	}
	ck_assert_str_eq(bay_status_name(BAY_NOT_FOUND), "not-found");
}
END_TEST

START_TEST(other_numbers_are_unknown)
{
	ck_assert_str_eq(bay_status_name(-1), "unknown");
	ck_assert_str_eq(bay_status_name(BAY_NOT_PERMITTED + 1), "unknown");
	ck_assert_str_eq(bay_status_name(1 << 30), "unknown");
}
END_TEST

START_TEST(a_number_that_is_no_status_is_told_as_such)
{
	char room[STATUS_ROOM];

	ck_assert_str_eq(status_text(BAY_NOT_PERMITTED, room), "not-permitted");
	ck_assert_str_eq(status_text(-77, room), "it returned -77, which is no status of Bay");
	ck_assert_str_eq(status_text(INT_MIN, room), "it returned -2147483648, which is no status of Bay");
}
END_TEST

START_TEST(other_names_leave_the_status_alone)
{
	enum bay_status status = BAY_FULL;

	ck_assert(!status_parse("unknown", &status));
	ck_assert(!status_parse("", &status));
	ck_assert(!status_parse("OK", &status));
	ck_assert_int_eq(status, BAY_FULL);
}
END_TEST

CHECK_MAIN("base/status",
	each_status_has_a_name_that_reads_back,
	other_numbers_are_unknown,
	a_number_that_is_no_status_is_told_as_such,
	other_names_leave_the_status_alone)
