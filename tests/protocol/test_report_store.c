/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/report_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

static const char *const details[] = {"long", NULL};

/* Adds one of the service; returns its number. */
static uint64_t
add(const char *directory, const struct report_store_limits *limits, const char *service)
{
	json_t *object = json_pack("{s:s, s:s}", "service", service, "long", "text");
	struct buffer error = {0};
	uint64_t number = 0;

	ck_assert_msg(report_store_add(directory, limits, object, &number, &error), "%s", buffer_text(&error));
	json_decref(object);
	return number;
}

START_TEST(what_is_added_is_read_back_and_listed_with_the_newest_first)
{
	const struct report_store_limits limits = {.count = 10};
	struct temp_dir dir;
	json_t *list, *one;
	struct stat st;
	char path[512];

	temp_dir_init(&dir);
	/* Neither is there yet. */
	snprintf(path, sizeof path, "%s", temp_dir_path(&dir, "state/crashes"));
	ck_assert_uint_eq(add(path, &limits, "a"), 1);
	ck_assert_uint_eq(add(path, &limits, "b"), 2);
	ck_assert_uint_eq(add(path, &limits, "a"), 3);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	list = report_store_select(path, "a", 0, details);
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(list, 0), "number")), 3);
	ck_assert_ptr_null(json_object_get(json_array_get(list, 0), "long"));
	json_decref(list);
	one = report_store_read(path, 2);
	ck_assert_str_eq(json_string_value(json_object_get(one, "long")), "text");
	json_decref(one);
	ck_assert(report_store_remove(path, 2));
	ck_assert(!report_store_remove(path, 2));
	ck_assert_ptr_null(report_store_read(path, 2));
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(the_oldest_go_when_there_are_too_many_or_too_large_ones)
{
	const struct report_store_limits few = {.count = 2}, small = {.count = 10, .bytes = 1}, none = {0};
	struct temp_dir dir;
	uint64_t *numbers;
	char path[512];
	size_t count;

	temp_dir_init(&dir);
	snprintf(path, sizeof path, "%s", temp_dir_path(&dir, "s/c"));
	ck_assert_uint_eq(add(path, &none, "a"), 0);
	ck_assert(report_store_list(path, &numbers, &count));
	ck_assert_uint_eq(count, 0);
	for (int i = 0; i < 4; i++)
		add(path, &few, "a");
	ck_assert(report_store_list(path, &numbers, &count));
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(numbers[0], 4);
	ck_assert_uint_eq(numbers[1], 3);
	free(numbers);
	add(path, &small, "a");
	ck_assert(report_store_list(path, &numbers, &count));
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(numbers[0], 5);
	free(numbers);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(what_is_no_report_is_left_alone)
{
	const struct report_store_limits limits = {.count = 1};
	struct temp_dir dir;
	uint64_t *numbers;
	char path[512];
	size_t count;
	json_t *list;

	temp_dir_init(&dir);
	snprintf(path, sizeof path, "%s", temp_dir_path(&dir, "s/c"));
	add(path, &limits, "a");
	temp_dir_write(&dir, "s/c/notes.txt", "x");
	temp_dir_write(&dir, "s/c/007.json", "{}");
	temp_dir_write(&dir, "s/c/5.json", "no JSON");
	ck_assert(report_store_list(path, &numbers, &count));
	ck_assert_uint_eq(count, 2);
	free(numbers);
	list = report_store_select(path, NULL, 0, details);
	ck_assert_uint_eq(json_array_size(list), 1);
	json_decref(list);
	ck_assert_uint_eq(add(path, &limits, "a"), 6);
	ck_assert_int_eq(access(temp_dir_path(&dir, "s/c/notes.txt"), F_OK), 0);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_an_error_with_its_path)
{
	const struct report_store_limits limits = {.count = 1};
	json_t *object = json_object();
	struct buffer error = {0};
	struct temp_dir dir;
	uint64_t number;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "file", "x");
	ck_assert(!report_store_add(temp_dir_path(&dir, "file/c"), &limits, object, &number, &error));
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "file/c"));
	buffer_finish(&error);
	json_decref(object);
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("protocol/report_store",
	what_is_added_is_read_back_and_listed_with_the_newest_first,
	the_oldest_go_when_there_are_too_many_or_too_large_ones,
	what_is_no_report_is_left_alone,
	a_directory_that_cannot_be_made_is_an_error_with_its_path)
