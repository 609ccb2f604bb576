/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "support/check_main.h"

static void
printed_as(const struct config_report *report, const char *expected)
{
	struct buffer out = {0};

	ck_assert(config_report_print(report, &out));
	ck_assert_str_eq(buffer_text(&out), expected);
	buffer_finish(&out);
}

START_TEST(an_empty_report_prints_nothing)
{
	struct config_report report = {0};

	printed_as(&report, "");
	config_report_finish(&report);
}
END_TEST

START_TEST(complaints_are_sorted_by_file_as_read_and_line)
{
	struct config_report report = {0};

	config_report_file(&report, "b.ini");
	config_report_file(&report, "a.ini");
	config_report_add(&report, "a.ini", 3, "fourth");
	config_report_add(&report, "b.ini", 10, "%s", "second");
	config_report_add(&report, "b.ini", 9, "first");
	config_report_add(&report, "b.ini", 10, "third");
	config_report_add(&report, "c.ini", 0, "fifth");
	printed_as(&report, "b.ini:9: first\nb.ini:10: second\nb.ini:10: third\na.ini:3: fourth\n"
		"c.ini: fifth\n");
	ck_assert_uint_eq(report.count, 5);
	ck_assert_str_eq(report.complaints[3].file, "a.ini");
	ck_assert_uint_eq(report.complaints[3].line, 3);
	config_report_finish(&report);
	ck_assert_uint_eq(report.count, 0);
}
END_TEST

START_TEST(of_too_many_the_first_are_kept_and_the_others_counted)
{
	struct config_report report = {0};
	struct buffer out = {0};
	unsigned count = CONFIG_REPORT_MAX + 50;

	/* From the last line to the first, so that each one pushes another out. */
	for (unsigned line = count; line > 0; line--)
		config_report_add(&report, "a.ini", line, "x");
	for (unsigned line = 1000; line < 1010; line++)
		config_report_add(&report, "a.ini", line, "x");
	ck_assert_uint_eq(report.count, CONFIG_REPORT_MAX);
	ck_assert_uint_eq(report.hidden, 60);
	for (size_t i = 0; i < report.count; i++)
		ck_assert_uint_eq(report.complaints[i].line, i + 1);
	ck_assert(config_report_print(&report, &out));
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "\nand 60 more complaints\n"));
	buffer_finish(&out);
	config_report_finish(&report);
}
END_TEST

static void
quoted_as(const char *text, const char *expected)
{
	char *quoted = config_report_quote(text);

	ck_assert_str_eq(quoted, expected);
	free(quoted);
}

START_TEST(quoted_text_is_one_short_line)
{
	quoted_as("", "''");
	quoted_as("plain", "'plain'");
	quoted_as("two\nlines\x1b", "'two\\nlines\\x1b'");
	quoted_as("123456789012345678901234567890123456789012345678901234567890123456789012",
		"'123456789012345678901234567890123456789012345678901234567890123456789012'");
	quoted_as("1234567890123456789012345678901234567890123456789012345678901234567890123",
		"'123456789012345678901234567890123456789012345678901234567890123456789012...'");
	quoted_as("12345678901234567890123456789012345678901234567890123456789012345678901\xe2\x82\xac",
		"'12345678901234567890123456789012345678901234567890123456789012345678901...'");
}
END_TEST

CHECK_MAIN("config/config_report",
	an_empty_report_prints_nothing,
	complaints_are_sorted_by_file_as_read_and_line,
	of_too_many_the_first_are_kept_and_the_others_counted,
	quoted_text_is_one_short_line)
