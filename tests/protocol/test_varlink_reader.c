/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/varlink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check_main.h"

static const struct varlink_limits small = {.frame_bytes = 64, .tokens = 10, .depth = 3};

static enum varlink_result
decode(const char *text, const struct varlink_limits *limits)
{
	json_t *frame;
	enum varlink_result result = varlink_decode(text, strlen(text), limits, &frame);

	ck_assert_int_eq(result == VARLINK_OK, frame != NULL);
	json_decref(frame);
	return result;
}

static enum varlink_result
feed_text(struct varlink_reader *reader, const char *text)
{
	return varlink_reader_feed(reader, text, strlen(text));
}

START_TEST(a_frame_comes_out_when_its_nul_has_come)
{
	struct varlink_reader reader;
	json_t *frame;

	varlink_reader_init(&reader, &small);
	ck_assert(!varlink_reader_has_frame(&reader));
	for (const char *c = "{\"method\":\"a.B\"}"; *c != '\0'; c++) {
		ck_assert_int_eq(varlink_reader_feed(&reader, c, 1), VARLINK_OK);
		ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_MORE);
		ck_assert_ptr_null(frame);
	}
	ck_assert_int_eq(varlink_reader_feed(&reader, "", 1), VARLINK_OK);
	ck_assert(varlink_reader_has_frame(&reader));
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
	ck_assert_str_eq(json_string_value(json_object_get(frame, "method")), "a.B");
	json_decref(frame);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_MORE);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(frames_in_one_piece_come_out_in_order)
{
	static const char bytes[] = "{\"id\":1}\0{\"id\":2}\0{\"id\":3}\0{\"id\"";
	struct varlink_reader reader;
	json_t *frame;

	varlink_reader_init(&reader, &small);
	ck_assert_int_eq(varlink_reader_feed(&reader, bytes, sizeof(bytes) - 1), VARLINK_OK);
	ck_assert_uint_eq(varlink_reader_fed(&reader), sizeof(bytes) - 1);
	for (int i = 1; i <= 3; i++) {
		ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
		ck_assert_int_eq(json_integer_value(json_object_get(frame, "id")), i);
		ck_assert_uint_eq(varlink_reader_taken(&reader), (uint64_t)i * 9);
		json_decref(frame);
	}
	ck_assert(!varlink_reader_has_frame(&reader));
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_MORE);
	ck_assert_int_eq(varlink_reader_feed(&reader, ":4}", 4), VARLINK_OK);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
	ck_assert_int_eq(json_integer_value(json_object_get(frame, "id")), 4);
	ck_assert_uint_eq(varlink_reader_taken(&reader), varlink_reader_fed(&reader));
	json_decref(frame);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(memory_does_not_grow_with_the_number_of_frames)
{
	struct varlink_reader reader;
	json_t *frame;

	varlink_reader_init(&reader, &small);
	for (int i = 0; i < 100000; i++) {
		ck_assert_int_eq(varlink_reader_feed(&reader, "{}\0{\"a\":1", 9), VARLINK_OK);
		ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
		json_decref(frame);
		ck_assert_int_eq(varlink_reader_feed(&reader, "}", 2), VARLINK_OK);
		ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
		json_decref(frame);
	}
	ck_assert_uint_le(reader._bytes.capacity, 256);
	ck_assert_uint_eq(varlink_reader_fed(&reader), 1100000);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(a_frame_of_the_largest_size_passes_and_one_byte_more_does_not)
{
	char text[80];

	snprintf(text, sizeof(text), "{\"a\":\"%0*d\"}", 64 - 8, 0);
	ck_assert_uint_eq(strlen(text), small.frame_bytes);
	ck_assert_int_eq(decode(text, &small), VARLINK_OK);
	snprintf(text, sizeof(text), "{\"a\":\"%0*d\"}", 64 - 7, 0);
	ck_assert_int_eq(decode(text, &small), VARLINK_TOO_BIG);
}
END_TEST

START_TEST(a_frame_that_never_ends_is_refused_at_the_limit)
{
	struct varlink_reader reader;
	json_t *frame;
	size_t fed = 0;

	varlink_reader_init(&reader, &small);
	while (feed_text(&reader, "x") == VARLINK_OK)
		fed++;
	ck_assert_uint_eq(fed, small.frame_bytes);
	ck_assert(varlink_reader_has_frame(&reader));
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_TOO_BIG);
	ck_assert_int_eq(varlink_reader_feed(&reader, "}", 2), VARLINK_TOO_BIG);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_TOO_BIG);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(an_unfinished_frame_behind_a_finished_one_has_its_own_limit)
{
	struct varlink_reader reader;
	json_t *frame;
	char rest[60];

	memset(rest, ' ', sizeof(rest));
	varlink_reader_init(&reader, &small);
	ck_assert_int_eq(varlink_reader_feed(&reader, "{\"a\":123456}", 13), VARLINK_OK);
	ck_assert_int_eq(varlink_reader_feed(&reader, rest, sizeof(rest)), VARLINK_OK);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
	json_decref(frame);
	ck_assert_int_eq(varlink_reader_feed(&reader, rest, 4), VARLINK_OK);
	ck_assert_int_eq(varlink_reader_feed(&reader, rest, 1), VARLINK_TOO_BIG);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(what_came_in_one_piece_has_the_limits_of_what_came_in_many)
{
	struct varlink_reader reader;
	char bytes[13 + 65] = "{\"a\":123456}";
	json_t *frame;

	memset(bytes + 13, ' ', 65);
	varlink_reader_init(&reader, &small);
	ck_assert_int_eq(varlink_reader_feed(&reader, bytes, sizeof(bytes)), VARLINK_OK);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_OK);
	json_decref(frame);
	ck_assert(varlink_reader_has_frame(&reader));
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_TOO_BIG);
	ck_assert_int_eq(varlink_reader_feed(&reader, "}", 2), VARLINK_TOO_BIG);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(after_a_bad_frame_nothing_more_is_read)
{
	struct varlink_reader reader;
	json_t *frame;

	varlink_reader_init(&reader, &small);
	ck_assert_int_eq(varlink_reader_feed(&reader, "{]\0{}", 6), VARLINK_OK);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_BAD_JSON);
	ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_BAD_JSON);
	ck_assert_ptr_null(frame);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(tokens_are_counted_up_to_the_limit)
{
	/* the braces, then keys and values */
	ck_assert_int_eq(decode("{\"a\":1,\"b\":[1,2,3,4,5]}", &small), VARLINK_OK);
	ck_assert_int_eq(decode("{\"a\":1,\"b\":[1,2,3,4,5,6]}", &small), VARLINK_TOO_MANY_TOKENS);
	ck_assert_int_eq(decode("{\"a\":[{},{},[],[],{},{},[]]}", &small), VARLINK_OK);
	ck_assert_int_eq(decode("{\"a\":[{},{},[],[],{},{},[],[]]}", &small),
		VARLINK_TOO_MANY_TOKENS);
}
END_TEST

START_TEST(what_looks_like_structure_inside_a_string_does_not_count)
{
	ck_assert_int_eq(decode("{\"a\":\"[[[[[[[[{{{{{{1,2,3,4,5,6,7,8,9\"}", &small), VARLINK_OK);
	ck_assert_int_eq(decode("{\"a\":\"\\\"[[[[[[[[[[[[\\\\\"}", &small), VARLINK_OK);
}
END_TEST

START_TEST(depth_is_counted_up_to_the_limit)
{
	ck_assert_int_eq(decode("{\"a\":[{\"b\":1}]}", &small), VARLINK_OK);
	ck_assert_int_eq(decode("{\"a\":[{\"b\":[]}]}", &small), VARLINK_TOO_DEEP);
	ck_assert_int_eq(decode("{\"a\":[[]],\"b\":[[]]}", &small), VARLINK_OK);
	ck_assert_int_eq(decode("{}}}}}[[[[", &small), VARLINK_TOO_DEEP);
	ck_assert_int_eq(decode("{}}}}}[[[", &small), VARLINK_BAD_JSON);
}
END_TEST

START_TEST(only_an_object_is_a_frame)
{
	ck_assert_int_eq(decode("", &small), VARLINK_NOT_OBJECT);
	ck_assert_int_eq(decode("[]", &small), VARLINK_NOT_OBJECT);
	ck_assert_int_eq(decode("1", &small), VARLINK_NOT_OBJECT);
	ck_assert_int_eq(decode("  \r\n\t{} ", &small), VARLINK_OK);
}
END_TEST

START_TEST(what_is_no_strict_json_is_refused)
{
	ck_assert_int_eq(decode("{\"a\":1,\"a\":2}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":1}{}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":\"\xff\"}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":\"\\u0000\"}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":\"\\ud800\"}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":\"", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":\"\\", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":99999999999999999999}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{a:1}", &small), VARLINK_BAD_JSON);
	ck_assert_int_eq(decode("{\"a\":NaN}", &small), VARLINK_BAD_JSON);
}
END_TEST

START_TEST(a_nul_inside_does_not_stop_the_count)
{
	static const char bytes[] = "{\"a\":\0\0\0\0 }";
	json_t *frame;

	ck_assert_int_eq(varlink_decode(bytes, sizeof(bytes) - 1, &small, &frame), VARLINK_BAD_JSON);
}
END_TEST

static int64_t
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Decoded, this takes jansson seconds and a gigabyte. */
START_TEST(fifteen_megabytes_of_empty_objects_cost_nothing)
{
	static const struct varlink_limits wide = {
		.frame_bytes = 16 << 20, .tokens = 10000, .depth = 32};
	size_t size = 15 << 20;
	char *text = malloc(size + 1);
	int64_t start = cpu_ms();

	memset(text, ' ', size);
	memcpy(text, "{\"a\":[", 6);
	for (size_t at = 6; at + 3 <= size - 2; at += 3)
		memcpy(text + at, "{},", 3);
	text[size] = '\0';
	ck_assert_int_eq(decode(text, &wide), VARLINK_TOO_MANY_TOKENS);
	ck_assert_int_lt(cpu_ms() - start, 500);
	free(text);
}
END_TEST

/* A sanitizer makes every byte dear; the plain build has the teeth. */
#if defined(BAY_ASAN) || defined(BAY_TSAN)
enum { TRICKLE = 1 << 16 };
#else
enum { TRICKLE = 1 << 20 };
#endif

/* One byte at a time, the search for the end must not start over each time. */
START_TEST(a_trickle_of_bytes_costs_linear_time)
{
	static const struct varlink_limits wide = {
		.frame_bytes = 2 << 20, .tokens = 10000, .depth = 32};
	struct varlink_reader reader;
	json_t *frame;
	int64_t start = cpu_ms();

	varlink_reader_init(&reader, &wide);
	for (int i = 0; i < TRICKLE; i++) {
		ck_assert_int_eq(varlink_reader_feed(&reader, " ", 1), VARLINK_OK);
		ck_assert_int_eq(varlink_reader_take(&reader, &frame), VARLINK_MORE);
	}
	ck_assert_int_lt(cpu_ms() - start, 5000);
	varlink_reader_finish(&reader);
}
END_TEST

START_TEST(the_limits_are_those_of_the_plan)
{
	ck_assert_uint_eq(varlink_limits_server.frame_bytes, 256 * 1024);
	ck_assert_uint_eq(varlink_limits_server.tokens, 10000);
	ck_assert_uint_eq(varlink_limits_server.depth, 32);
	ck_assert_uint_eq(varlink_limits_cell.frame_bytes, 4 << 20);
	ck_assert_uint_eq(varlink_limits_cell.depth, 32);
}
END_TEST

START_TEST(each_result_has_a_sentence)
{
	for (int i = VARLINK_OK; i <= VARLINK_NO_MEMORY; i++) {
		ck_assert_uint_gt(strlen(varlink_result_text((enum varlink_result)i)), 10);
		for (int k = VARLINK_OK; k < i; k++)
			ck_assert_str_ne(varlink_result_text((enum varlink_result)i),
				varlink_result_text((enum varlink_result)k));
	}
}
END_TEST

CHECK_MAIN("protocol/varlink_reader",
	a_frame_comes_out_when_its_nul_has_come,
	frames_in_one_piece_come_out_in_order,
	memory_does_not_grow_with_the_number_of_frames,
	a_frame_of_the_largest_size_passes_and_one_byte_more_does_not,
	a_frame_that_never_ends_is_refused_at_the_limit,
	an_unfinished_frame_behind_a_finished_one_has_its_own_limit,
	what_came_in_one_piece_has_the_limits_of_what_came_in_many,
	after_a_bad_frame_nothing_more_is_read,
	tokens_are_counted_up_to_the_limit,
	what_looks_like_structure_inside_a_string_does_not_count,
	depth_is_counted_up_to_the_limit,
	only_an_object_is_a_frame,
	what_is_no_strict_json_is_refused,
	a_nul_inside_does_not_stop_the_count,
	fifteen_megabytes_of_empty_objects_cost_nothing,
	a_trickle_of_bytes_costs_linear_time,
	the_limits_are_those_of_the_plan,
	each_result_has_a_sentence)
