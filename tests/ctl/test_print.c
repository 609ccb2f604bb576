/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/print.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/error.h"
#include "support/check_main.h"

static char *text;
static size_t size;
static struct print print;

static void
open_print(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	print_init(&print, open_memstream(&text, &size));
}

/* What has been printed. */
static const char *
printed(void)
{
	fflush(print.file);
	return text;
}

static void
close_print(void)
{
	fclose(print.file);
	free(text);
}

START_TEST(a_file_is_no_terminal_and_has_no_colour)
{
	open_print();
	ck_assert(!print.is_tty);
	ck_assert(!print.colour);
	ck_assert_uint_eq(print.columns, 0);
	print_styled(&print, PRINT_BAD, "failed");
	ck_assert_str_eq(printed(), "failed");
	close_print();
}
END_TEST

START_TEST(what_steers_a_terminal_is_escaped)
{
	open_print();
	print_text(&print, "a\033[31m\r\n\xc2\x9b b\x7f \xff gr\xc3\xbc\xc3\x9f");
	ck_assert_str_eq(printed(), "a\\x1b[31m\\r\\n\\xc2\\x9b b\\x7f \\xff gr\xc3\xbc\xc3\x9f");
	print_text(&print, NULL);
	close_print();
}
END_TEST

START_TEST(colour_is_around_the_escaped_text)
{
	open_print();
	print.colour = true;
	print_styled(&print, PRINT_GOOD, "re\033ady");
	print_styled(&print, PRINT_PLAIN, " x");
	ck_assert_str_eq(printed(), "\033[32mre\\x1bady\033[0m x");
	close_print();
}
END_TEST

START_TEST(width_counts_columns_not_bytes)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	ck_assert_uint_eq(print_width(""), 0);
	ck_assert_uint_eq(print_width("abc"), 3);
	ck_assert_uint_eq(print_width("gr\xc3\xbc\xc3\x9f"), 4);
	ck_assert_uint_eq(print_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
	ck_assert_uint_eq(print_width("e\xcc\x81"), 1);
	setlocale(LC_CTYPE, "C");
	ck_assert_uint_eq(print_width("\xc3\xbc"), 2);
}
END_TEST

START_TEST(what_fits_ends_between_characters)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	ck_assert_uint_eq(print_fit("abc", 5), 3);
	ck_assert_uint_eq(print_fit("abc", 2), 2);
	ck_assert_uint_eq(print_fit("\xe6\xbc\xa2\xe5\xad\x97", 3), 3);
	ck_assert_uint_eq(print_fit("\xe6\xbc\xa2\xe5\xad\x97", 1), 0);
	ck_assert_uint_eq(print_fit("abc", 0), 0);
}
END_TEST

START_TEST(json_is_one_line)
{
	json_t *json = json_pack("{s:s}", "a", "x\ny\xc2\x9b");

	open_print();
	print_json(&print, json);
	ck_assert_str_eq(printed(), "{\"a\":\"x\\ny\xc2\x9b\"}\n");
	close_print();
	open_print();
	print.is_tty = true;
	print_json(&print, json);
	ck_assert_str_eq(printed(), "{\"a\":\"x\\ny\\u009B\"}\n");
	close_print();
	json_decref(json);
}
END_TEST

START_TEST(an_error_has_its_hint_below)
{
	struct ctl_error error;

	ctl_error_set(&error, INTERFACE_EXIT_FAILED, "code", "it failed: %d", 5);
	open_print();
	print_error(&print, &error, false);
	ctl_error_hint(&error, "try %s", "again");
	print_error(&print, &error, false);
	print_error(&print, &error, true);
	ck_assert_str_eq(printed(), "bayctl: it failed: 5 [code]\n"
		"bayctl: it failed: 5 [code]\n        try again\n"
		"bayctl: it failed: 5 [code]\n");
	close_print();
}
END_TEST

START_TEST(the_lines_of_a_message_stay_lines)
{
	struct ctl_error error;

	ctl_error_set(&error, INTERFACE_EXIT_FAILED, "code", "one\ntwo\033\n");
	open_print();
	print_error(&print, &error, false);
	ck_assert_str_eq(printed(), "bayctl: one\n        two\\x1b [code]\n");
	close_print();
}
END_TEST

START_TEST(an_error_becomes_an_object)
{
	struct ctl_error error;
	json_t *json;

	ctl_error_set(&error, INTERFACE_EXIT_FAILED, "code", "bad \xff");
	json = ctl_error_to_json(&error);
	ck_assert_str_eq(json_string_value(json_object_get(json, "message")), "bad \\xff");
	ck_assert_ptr_null(json_object_get(json, "hint"));
	json_decref(json);
	ctl_error_hint(&error, "try");
	json = ctl_error_to_json(&error);
	ck_assert_str_eq(json_string_value(json_object_get(json, "hint")), "try");
	json_decref(json);
}
END_TEST

START_TEST(members_that_are_missing_or_wrong_are_nothing)
{
	json_t *json = json_pack("{s:s, s:i}", "text", "t", "number", 5);

	ck_assert_str_eq(view_text(json, "text"), "t");
	ck_assert_str_eq(view_text(json, "number"), "");
	ck_assert_str_eq(view_text(json, "none"), "");
	ck_assert_str_eq(view_text(NULL, "none"), "");
	ck_assert_int_eq(view_int(json, "number"), 5);
	ck_assert_int_eq(view_int(json, "text"), 0);
	ck_assert_int_eq(view_int(NULL, "none"), 0);
	json_decref(json);
}
END_TEST

CHECK_MAIN("ctl/print",
	a_file_is_no_terminal_and_has_no_colour,
	what_steers_a_terminal_is_escaped,
	colour_is_around_the_escaped_text,
	width_counts_columns_not_bytes,
	what_fits_ends_between_characters,
	json_is_one_line,
	an_error_has_its_hint_below,
	the_lines_of_a_message_stay_lines,
	an_error_becomes_an_object,
	members_that_are_missing_or_wrong_are_nothing)
