/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/buffer.h"

#include <stdint.h>
#include <string.h>

#include "support/check_main.h"

START_TEST(a_zeroed_buffer_is_empty_and_can_be_finished)
{
	struct buffer b = {0};

	ck_assert_uint_eq(b.size, 0);
	buffer_consume(&b, 5);
	buffer_clear(&b);
	buffer_finish(&b);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(appended_bytes_are_there_in_order)
{
	struct buffer b = {0};

	ck_assert(buffer_append(&b, "ab\0c", 4));
	ck_assert(buffer_append(&b, NULL, 0));
	ck_assert(buffer_append_text(&b, "de"));
	ck_assert_uint_eq(b.size, 6);
	ck_assert_mem_eq(b.data, "ab\0cde", 6);
	buffer_finish(&b);
}
END_TEST

START_TEST(many_appends_keep_what_was_there)
{
	struct buffer b = {0};

	for (uint32_t i = 0; i < 10000; i++)
		ck_assert(buffer_append(&b, &i, sizeof(i)));
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_mem_eq(b.data + i * sizeof(i), &i, sizeof(i));
	ck_assert_uint_le(b.capacity, 4 * b.size);
	buffer_finish(&b);
}
END_TEST

START_TEST(formatted_text_of_any_length_fits)
{
	struct buffer b = {0};
	char x[300];

	memset(x, 'x', sizeof(x) - 1);
	x[sizeof(x) - 1] = '\0';
	ck_assert(buffer_printf(&b, "%d", 5));
	ck_assert(buffer_printf(&b, "-%s-", x));
	ck_assert(buffer_printf(&b, "%s", ""));
	ck_assert_uint_eq(b.size, 1 + 301);
	ck_assert_mem_eq(b.data, "5-xx", 4);
	ck_assert_uint_eq(b.data[b.size - 1], '-');
	buffer_finish(&b);
}
END_TEST

START_TEST(text_exactly_as_long_as_the_room_is_not_cut)
{
	/* 64 bytes at first: every length around it must come out whole. */
	for (int length = 60; length < 70; length++) {
		struct buffer b = {0};

		ck_assert(buffer_reserve(&b, 1));
		ck_assert(buffer_printf(&b, "%*d", length, 7));
		ck_assert_uint_eq(b.size, (size_t)length);
		ck_assert_uint_eq(b.data[length - 1], '7');
		buffer_finish(&b);
	}
}
END_TEST

START_TEST(consuming_moves_the_rest_to_the_front)
{
	struct buffer b = {0};

	ck_assert(buffer_append_text(&b, "hello"));
	buffer_consume(&b, 0);
	buffer_consume(&b, 2);
	ck_assert_str_eq(buffer_text(&b), "llo");
	buffer_consume(&b, 99);
	ck_assert_uint_eq(b.size, 0);
	buffer_finish(&b);
}
END_TEST

START_TEST(text_is_terminated_behind_the_bytes)
{
	struct buffer b = {0};

	ck_assert_str_eq(buffer_text(&b), "");
	ck_assert(buffer_append(&b, "abc", 3));
	ck_assert_str_eq(buffer_text(&b), "abc");
	ck_assert_uint_eq(b.size, 3);
	buffer_finish(&b);
}
END_TEST

START_TEST(clearing_keeps_the_memory)
{
	struct buffer b = {0};
	uint8_t *before;

	ck_assert(buffer_append_text(&b, "abc"));
	before = b.data;
	buffer_clear(&b);
	ck_assert_uint_eq(b.size, 0);
	ck_assert(buffer_append_text(&b, "x"));
	ck_assert_ptr_eq(b.data, before);
	buffer_finish(&b);
}
END_TEST

START_TEST(a_size_that_wraps_around_is_refused_and_nothing_changes)
{
	struct buffer b = {0};

	ck_assert(buffer_append_text(&b, "abc"));
	ck_assert(!buffer_reserve(&b, SIZE_MAX));
	ck_assert(!buffer_reserve(&b, SIZE_MAX - 3));
	ck_assert_str_eq(buffer_text(&b), "abc");
	buffer_finish(&b);
}
END_TEST

START_TEST(a_failure_is_false_and_its_reason_is_appended)
{
	struct buffer error = {0};

	ck_assert(!buffer_fail(&error, "no room for %d", 7));
	ck_assert(!buffer_fail(&error, " things"));
	ck_assert_str_eq(buffer_text(&error), "no room for 7 things");
	buffer_finish(&error);
}
END_TEST

CHECK_MAIN("base/buffer",
	a_zeroed_buffer_is_empty_and_can_be_finished,
	appended_bytes_are_there_in_order,
	many_appends_keep_what_was_there,
	formatted_text_of_any_length_fits,
	text_exactly_as_long_as_the_room_is_not_cut,
	consuming_moves_the_rest_to_the_front,
	text_is_terminated_behind_the_bytes,
	clearing_keeps_the_memory,
	a_failure_is_false_and_its_reason_is_appended,
	a_size_that_wraps_around_is_refused_and_nothing_changes)
