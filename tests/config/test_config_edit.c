/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_edit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/from_text.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

/* The text with the key set. */
static void
becomes(const char *text, unsigned section, unsigned key_line, const char *key,
	const char *value, const char *expected, unsigned expected_line)
{
	const struct config_place place = {section, key_line};
	struct buffer out = {0};
	unsigned line;

	ck_assert(config_edit_set(text, strlen(text), &place, key, value, &out, &line));
	ck_assert_str_eq(buffer_text(&out), expected);
	ck_assert_uint_eq(line, expected_line);
	buffer_finish(&out);
}

START_TEST(a_value_is_replaced_and_all_else_stays)
{
	becomes("# top\n[service a]\ntimeout   =  2s  ; soon\nx = 1\n", 2, 3, "timeout", "30s",
		"# top\n[service a]\ntimeout   =  30s  ; soon\nx = 1\n", 3);
	becomes("[service a]\ntext=\"a ; b\" ; c\n", 1, 2, "text", "d",
		"[service a]\ntext= d ; c\n", 2);
	becomes("[service a]\ntext = \"a \\\" b\"\n", 1, 2, "text", "d",
		"[service a]\ntext = d\n", 2);
	becomes("[service a]\ntext =\n", 1, 2, "text", "d", "[service a]\ntext = d\n", 2);
	becomes("[service a]\ntext = ; none\n", 1, 2, "text", "d", "[service a]\ntext = d ; none\n", 2);
	becomes("[service a]\r\nqueue = 5\r\n", 1, 2, "queue", "6", "[service a]\r\nqueue = 6\r\n", 2);
	becomes("[service a]\nqueue = 5", 1, 2, "queue", "6", "[service a]\nqueue = 6", 2);
}
END_TEST

START_TEST(the_further_lines_of_a_value_go_and_comments_stay)
{
	becomes("[service a]\ntext = a\n  b\n; remark\n  c\n\nqueue = 5\n", 1, 2, "text", "d",
		"[service a]\ntext = d\n; remark\n\nqueue = 5\n", 2);
}
END_TEST

START_TEST(a_new_key_comes_behind_the_last_of_its_section)
{
	becomes("[service a]\nx = 1\n\n; about b\n[service b]\n", 1, 0, "queue", "5",
		"[service a]\nx = 1\nqueue = 5\n\n; about b\n[service b]\n", 3);
	becomes("[service a]\n[service b]\n", 1, 0, "queue", "5",
		"[service a]\nqueue = 5\n[service b]\n", 2);
	becomes("[service a]\ntext = a\n  b\n", 1, 0, "queue", "5",
		"[service a]\ntext = a\n  b\nqueue = 5\n", 4);
	becomes("[service a]", 1, 0, "queue", "5", "[service a]\nqueue = 5\n", 2);
	becomes("[service a]\r\nx = 1\r\n", 1, 0, "queue", "5",
		"[service a]\r\nx = 1\r\nqueue = 5\r\n", 3);
}
END_TEST

START_TEST(a_new_key_stands_as_the_others_do)
{
	becomes("[service a]\ntimeout     = 2s\n", 1, 0, "queue", "5",
		"[service a]\ntimeout     = 2s\nqueue       = 5\n", 3);
	becomes("[service a]\nx = 2s\n", 1, 0, "queue", "5", "[service a]\nx = 2s\nqueue = 5\n", 3);
}
END_TEST

/* The value is read back as it was given. */
static void
reads_back(const char *value)
{
	const char text[] = "[service a]\nx = 1\n";
	const struct config_place place = {1, 2};
	struct buffer out = {0};
	struct config *config;
	unsigned line;

	ck_assert(config_edit_set(text, strlen(text), &place, "x", value, &out, &line));
	config = accepted(buffer_text(&out));
	ck_assert_str_eq(config->services[0].settings[0].value, value);
	config_destroy(config);
	buffer_finish(&out);
}

START_TEST(every_value_is_read_back_as_it_was_given)
{
	reads_back("plain");
	reads_back("");
	reads_back(" edges ");
	reads_back("a ; b");
	reads_back("; b");
	reads_back("\"quoted\"");
	reads_back("'single ; quoted'");
	reads_back("back\\slash");
	reads_back("a = b # c");
	reads_back("gr\xc3\xbc\xc3\x9f" "e");
}
END_TEST

START_TEST(a_value_of_several_lines_is_refused)
{
	const struct config_place place = {1, 0};
	struct buffer out = {0};
	unsigned line;

	ck_assert(!config_edit_set("[service a]\n", 12, &place, "x", "a\nb", &out, &line));
	buffer_finish(&out);
}
END_TEST

/* --- files --------------------------------------------------------------------- */

static void
file_says(const char *path, const char *expected)
{
	struct buffer data = {0};

	ck_assert(fd_read_file(AT_FDCWD, path, 0, 4096, &data));
	ck_assert_str_eq(buffer_text(&data), expected);
	buffer_finish(&data);
}

START_TEST(a_file_keeps_its_mode_and_its_link)
{
	const struct config_place place = {1, 2};
	struct buffer error = {0};
	struct temp_dir dir;
	struct stat status;
	char *path, *link_path;
	unsigned line;

	temp_dir_init(&dir);
	path = strdup(temp_dir_path(&dir, "bay.ini"));
	link_path = strdup(temp_dir_path(&dir, "link.ini"));
	temp_dir_write(&dir, "bay.ini", "[service a]\nx = 1\n");
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(symlink("bay.ini", link_path), 0);
	ck_assert_msg(config_edit_file(link_path, &place, "x", "2", &line, &error), "%s",
		buffer_text(&error));
	ck_assert_int_eq(lstat(link_path, &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0640);
	file_says(path, "[service a]\nx = 2\n");
	ck_assert_int_eq(unlink(link_path), 0);
	ck_assert_int_eq(unlink(path), 0);
	/* Nothing else is left in the directory. */
	ck_assert_int_eq(rmdir(dir.path), 0);
	free(path);
	free(link_path);
	buffer_finish(&error);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_as_before)
{
	const struct config_place place = {1, 2};
	struct buffer error = {0};
	struct temp_dir dir;
	unsigned line;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "bay.ini", "[service a]\nx = 1\n");
	ck_assert(!config_edit_file(temp_dir_path(&dir, "absent.ini"), &place, "x", "2", &line,
		&error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "No such file"));
	buffer_clear(&error);
	ck_assert(!config_edit_file(temp_dir_path(&dir, "bay.ini"), &place, "x", "2\n3", &line,
		&error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "several lines"));
	file_says(temp_dir_path(&dir, "bay.ini"), "[service a]\nx = 1\n");
	buffer_finish(&error);
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("config/config_edit",
	a_value_is_replaced_and_all_else_stays,
	the_further_lines_of_a_value_go_and_comments_stay,
	a_new_key_comes_behind_the_last_of_its_section,
	a_new_key_stands_as_the_others_do,
	every_value_is_read_back_as_it_was_given,
	a_value_of_several_lines_is_refused,
	a_file_keeps_its_mode_and_its_link,
	a_file_that_cannot_be_written_is_as_before)
