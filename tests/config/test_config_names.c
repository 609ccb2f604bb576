/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_names.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static void
tidy_is(const char *text, const char *expected)
{
	char *wrong = NULL;
	char *tidy = config_names_tidy(text, &wrong);

	ck_assert_msg(tidy != NULL, "%s: %s", text, wrong);
	ck_assert_str_eq(tidy, expected);
	free(tidy);
}

static void
wrong_is(const char *text, const char *expected)
{
	char *wrong = NULL;

	ck_assert_ptr_null(config_names_tidy(text, &wrong));
	ck_assert_str_eq(wrong, expected);
	free(wrong);
}

START_TEST(blanks_commas_and_lines_part_names)
{
	tidy_is("", "");
	tidy_is(" ,\t, \n", "");
	tidy_is("a", "a");
	tidy_is("a b,c , d\n\te\r\n", "a, b, c, d, e");
}
END_TEST

START_TEST(a_name_that_is_there_twice_is_there_once)
{
	tidy_is("a, b a, b", "a, b");
	tidy_is("ab a", "ab, a");
}
END_TEST

START_TEST(what_is_no_name_is_told)
{
	wrong_is("a, b/c d", "b/c");
	wrong_is("-a", "-a");
	wrong_is("a1234567890123456789012345678901234567890123456789",
		"a1234567890123456789012345678901234567890123456789");
}
END_TEST

START_TEST(names_are_compared_whole)
{
	ck_assert(config_names_have("ab, c", "ab"));
	ck_assert(config_names_have("ab, c", "c"));
	ck_assert(!config_names_have("ab, c", "a"));
	ck_assert(!config_names_have("ab, c", "abc"));
	ck_assert(!config_names_have("", ""));
}
END_TEST

CHECK_MAIN("config/config_names",
	blanks_commas_and_lines_part_names,
	a_name_that_is_there_twice_is_there_once,
	what_is_no_name_is_told,
	names_are_compared_whole)
