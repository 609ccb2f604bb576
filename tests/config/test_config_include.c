/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_include.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "config/config_report.h"
#include "support/check_main.h"
#include "support/codes.h"
#include "support/temp_dir.h"

START_TEST(patterns_are_one_a_line)
{
	struct config_patterns patterns = {0};

	config_patterns_add(&patterns, "a b.ini", 3);
	config_patterns_add(&patterns, "\nc.ini\nconf.d/*.ini\n", 7);
	config_patterns_add(&patterns, "", 9);
	ck_assert_uint_eq(patterns.count, 3);
	ck_assert_str_eq(patterns.list[0].text, "a b.ini");
	ck_assert_uint_eq(patterns.list[0].line, 3);
	ck_assert_str_eq(patterns.list[1].text, "c.ini");
	ck_assert_str_eq(patterns.list[2].text, "conf.d/*.ini");
	ck_assert_uint_eq(patterns.list[2].line, 7);
	config_patterns_finish(&patterns);
	ck_assert_uint_eq(patterns.count, 0);
}
END_TEST

/* The names that a pattern in dir/main.ini means, each with a blank behind, below dir. */
static void
matches(struct temp_dir *dir, const char *pattern, const char *expected)
{
	struct config_patterns names = {0};
	struct config_report report = {0};
	struct buffer seen = {0};

	config_pattern_match(pattern, 1, temp_dir_path(dir, "main.ini"), &names, &report);
	for (size_t i = 0; i < names.count; i++) {
		ck_assert(strncmp(names.list[i].text, dir->path, strlen(dir->path)) == 0);
		ck_assert(buffer_printf(&seen, "%s ", names.list[i].text + strlen(dir->path) + 1));
	}
	ck_assert_str_eq(buffer_text(&seen), expected);
	ck_assert_uint_eq(report.count, 0);
	buffer_finish(&seen);
	config_patterns_finish(&names);
}

START_TEST(matches_are_sorted_and_relative_to_the_including_file)
{
	struct temp_dir dir;
	char absolute[600];

	temp_dir_init(&dir);
	temp_dir_write(&dir, "conf.d/b.ini", "");
	temp_dir_write(&dir, "conf.d/a.ini", "");
	temp_dir_write(&dir, "conf.d/B.ini", "");
	temp_dir_write(&dir, "conf.d/.hidden.ini", "");
	temp_dir_write(&dir, "conf.d/a.ini~", "");
	matches(&dir, "conf.d/*.ini", "conf.d/B.ini conf.d/a.ini conf.d/b.ini ");
	matches(&dir, "conf.d/[ab].ini", "conf.d/a.ini conf.d/b.ini ");
	snprintf(absolute, sizeof(absolute), "%s/conf.d/a*.ini", dir.path);
	matches(&dir, absolute, "conf.d/a.ini ");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_pattern_without_match_is_nothing_and_a_plain_name_is_itself)
{
	struct temp_dir dir;

	temp_dir_init(&dir);
	matches(&dir, "*.conf", "");
	matches(&dir, "absent/*.ini", "");
	matches(&dir, "absent/plain.ini", "absent/plain.ini ");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(the_directory_of_the_file_is_no_pattern)
{
	struct temp_dir dir;
	struct config_patterns names = {0};
	struct config_report report = {0};

	temp_dir_init(&dir);
	temp_dir_write(&dir, "[x]*/a.ini", "");
	temp_dir_write(&dir, "xy/b.ini", "");
	config_pattern_match("*.ini", 1, temp_dir_path(&dir, "[x]*/main.ini"), &names, &report);
	ck_assert_uint_eq(names.count, 1);
	ck_assert_ptr_nonnull(strstr(names.list[0].text, "[x]*/a.ini"));
	config_patterns_finish(&names);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_directory_that_cannot_be_searched_is_complained_of)
{
	struct temp_dir dir;
	struct config_patterns names = {0};
	struct config_report report = {0};

	temp_dir_init(&dir);
	ck_assert_int_eq(symlink("loop", temp_dir_path(&dir, "loop")), 0);
	config_pattern_match("loop/*.ini", 4, temp_dir_path(&dir, "main.ini"), &names, &report);
	ck_assert_uint_eq(names.count, 0);
	ck_assert_uint_eq(report.count, 1);
	ck_assert_uint_eq(report.complaints[0].line, 4);
	take_codes_off(report.complaints[0].text);
	ck_assert_str_eq(report.complaints[0].text,
		"cannot look for 'loop/*.ini': Too many levels of symbolic links");
	config_report_finish(&report);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_above_itself_is_a_fault_that_shows_the_way)
{
	struct config_chain a = {.file = "a.ini", .device = 1, .inode = 1};
	struct config_chain b = {.file = "b.ini", .includer = &a, .depth = 1, .device = 1, .inode = 2};
	struct config_chain c = {.file = "./b.ini", .includer = &b, .depth = 2, .device = 1,
		.inode = 2};
	struct config_chain d = {.file = "a2.ini", .includer = &b, .depth = 2, .device = 1, .inode = 1};
	char *fault;

	ck_assert_ptr_null(config_chain_fault(&a));
	ck_assert_ptr_null(config_chain_fault(&b));
	fault = config_chain_fault(&c);
	ck_assert_str_eq(fault, "a file that includes itself: b.ini -> ./b.ini");
	free(fault);
	fault = config_chain_fault(&d);
	ck_assert_str_eq(fault, "a file that includes itself: a.ini -> b.ini -> a2.ini");
	free(fault);
}
END_TEST

START_TEST(a_chain_is_not_too_long)
{
	struct config_chain links[CONFIG_INCLUDE_DEPTH + 2] = {{.file = "x"}};
	char *fault;

	for (unsigned i = 1; i < CONFIG_INCLUDE_DEPTH + 2; i++)
		links[i] = (struct config_chain){.file = "x", .includer = &links[i - 1], .depth = i,
			.inode = i};
	ck_assert_ptr_null(config_chain_fault(&links[CONFIG_INCLUDE_DEPTH]));
	fault = config_chain_fault(&links[CONFIG_INCLUDE_DEPTH + 1]);
	ck_assert_str_eq(fault, "includes are nested more than 8 deep");
	free(fault);
}
END_TEST

CHECK_MAIN("config/config_include",
	patterns_are_one_a_line,
	matches_are_sorted_and_relative_to_the_including_file,
	a_pattern_without_match_is_nothing_and_a_plain_name_is_itself,
	the_directory_of_the_file_is_no_pattern,
	a_directory_that_cannot_be_searched_is_complained_of,
	a_file_above_itself_is_a_fault_that_shows_the_way,
	a_chain_is_not_too_long)
