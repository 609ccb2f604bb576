/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/message.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

START_TEST(bytes_are_copied_and_end_with_nul)
{
	static const size_t sizes[] = {0, 1, 7, 8, MESSAGE_SMALL - 1, MESSAGE_SMALL, MESSAGE_SMALL + 1, 4096, 10 << 20};
	size_t i, j;

	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *bytes = malloc(sizes[i] + 1);
		struct bay_message *message;

		for (j = 0; j < sizes[i]; j++)
			bytes[j] = (char)(j * 7 + i);
		message = bay_message(bytes, sizes[i]);
		ck_assert_ptr_nonnull(message);
		ck_assert_uint_eq(bay_message_size(message), sizes[i]);
		ck_assert_int_eq(memcmp(bay_message_data(message), bytes, sizes[i]), 0);
		ck_assert_int_eq(bay_message_text(message)[sizes[i]], '\0');
		memset(bytes, 0, sizes[i]);
		ck_assert(sizes[i] < 2 || bay_message_text(message)[1] != 0 || i != 3);
		bay_message_free(message);
		free(bytes);
	}
	message_clear_cache();
}
END_TEST

START_TEST(null_is_an_empty_message)
{
	int64_t number = 7;

	ck_assert_uint_eq(bay_message_size(NULL), 0);
	ck_assert_ptr_nonnull(bay_message_data(NULL));
	ck_assert_str_eq(bay_message_text(NULL), "");
	ck_assert_int_eq(bay_message_read_int64(NULL, &number), BAY_INVALID);
	ck_assert_int_eq(number, 7);
	bay_message_free(NULL);
	ck_assert_ptr_null(message_ref(NULL));
}
END_TEST

START_TEST(what_is_too_big_is_no_message)
{
	ck_assert_ptr_null(message_create(SIZE_MAX));
	ck_assert_ptr_null(message_create(SIZE_MAX - sizeof(struct bay_message)));
	ck_assert_ptr_null(message_create(SIZE_MAX / 2));
}
END_TEST

START_TEST(formats_make_messages)
{
	struct bay_message *message = bay_message_printf("%d and %s", 7, "eight");
	char *wide = malloc(100001);

	ck_assert_str_eq(bay_message_text(message), "7 and eight");
	ck_assert_uint_eq(bay_message_size(message), 11);
	bay_message_free(message);
	message = bay_message_printf("%s", "");
	ck_assert_uint_eq(bay_message_size(message), 0);
	bay_message_free(message);
	memset(wide, 'w', 100000);
	wide[100000] = '\0';
	message = bay_message_printf("%s", wide);
	ck_assert_str_eq(bay_message_text(message), wide);
	bay_message_free(message);
	free(wide);
	message_clear_cache();
}
END_TEST

START_TEST(integers_go_there_and_back)
{
	static const int64_t numbers[] = {0, 1, -1, 9, 10, 99, 100, 1234567890, -1234567890,
		INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
	int64_t power = 1, number;
	size_t i;
	char text[32];

	for (i = 0; i < sizeof numbers / sizeof numbers[0] + 36; i++) {
		size_t n = sizeof numbers / sizeof numbers[0];
		int64_t wanted = i < n ? numbers[i] : (i - n) % 2 == 0 ? power : power - 1;
		struct bay_message *message = bay_message_int64(wanted);

		if (i >= n && (i - n) % 2 == 1)
			power *= 10;
		snprintf(text, sizeof text, "%" PRId64, wanted);
		ck_assert_str_eq(bay_message_text(message), text);
		ck_assert_uint_eq(bay_message_size(message), strlen(text));
		ck_assert_int_eq(bay_message_read_int64(message, &number), BAY_OK);
		ck_assert_int_eq(number, wanted);
		bay_message_free(message);
	}
	message_clear_cache();
}
END_TEST

START_TEST(what_is_an_integer_and_what_is_not)
{
	static const struct {
		const char *text;
		int status;
		int64_t number;
	} cases[] = {
		{"0", BAY_OK, 0},
		{" 12\n", BAY_OK, 12},
		{"\t-5 \r\n", BAY_OK, -5},
		{"+5", BAY_OK, 5},
		{"007", BAY_OK, 7},
		{"-0", BAY_OK, 0},
		{"9223372036854775807", BAY_OK, INT64_MAX},
		{"-9223372036854775808", BAY_OK, INT64_MIN},
		{"0000000000000000000000000000001", BAY_OK, 1},
		{"9223372036854775808", BAY_INVALID, 0},
		{"-9223372036854775809", BAY_INVALID, 0},
		{"99999999999999999999", BAY_INVALID, 0},
		{"18446744073709551616", BAY_INVALID, 0},
		{"18446744073709551621", BAY_INVALID, 0},
		{"", BAY_INVALID, 0},
		{" ", BAY_INVALID, 0},
		{"-", BAY_INVALID, 0},
		{"+ 1", BAY_INVALID, 0},
		{"--1", BAY_INVALID, 0},
		{"1 2", BAY_INVALID, 0},
		{"0x10", BAY_INVALID, 0},
		{"1e3", BAY_INVALID, 0},
		{"12three", BAY_INVALID, 0},
		{"1\v", BAY_INVALID, 0},
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bay_message *message = bay_message(cases[i].text, strlen(cases[i].text));
		int64_t number = 77;

		ck_assert_msg(bay_message_read_int64(message, &number) == cases[i].status, "'%s'", cases[i].text);
		ck_assert_msg(number == (cases[i].status == BAY_OK ? cases[i].number : 77), "'%s'", cases[i].text);
		bay_message_free(message);
	}
	/* A NUL in the middle ends the text, not the number. */
	{
		struct bay_message *message = bay_message("1\0002", 3);
		int64_t number = 77;

		ck_assert_int_eq(bay_message_read_int64(message, &number), BAY_INVALID);
		bay_message_free(message);
	}
	message_clear_cache();
}
END_TEST

static void *
free_it(void *arg)
{
	bay_message_free(arg);
	message_clear_cache();
	return NULL;
}

/* Any thread may let go last. */
START_TEST(many_owners_on_many_threads)
{
	enum { OWNERS = 8, ROUNDS = 50 };
	pthread_t threads[OWNERS];
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		struct bay_message *message = bay_message("shared", 6);

		for (i = 0; i < OWNERS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, free_it, message_ref(message)), 0);
		ck_assert_str_eq(bay_message_text(message), "shared");
		bay_message_free(message);
		for (i = 0; i < OWNERS; i++)
			pthread_join(threads[i], NULL);
	}
	message_clear_cache();
}
END_TEST

START_TEST(what_is_freed_is_used_again_and_not_without_end)
{
	enum { COUNT = 2000 };
	struct bay_message **messages = malloc(COUNT * sizeof *messages), *again;
	int i;

	for (i = 0; i < COUNT; i++)
		messages[i] = bay_message("x", 1);
	for (i = 0; i < COUNT; i++)
		bay_message_free(messages[i]);
	/* It had one byte, it has room for all that a small one may have. */
	again = message_create(MESSAGE_SMALL);
	memset(again->data, 'y', MESSAGE_SMALL);
	ck_assert_uint_eq(bay_message_size(again), MESSAGE_SMALL);
	bay_message_free(again);
	free(messages);
	message_clear_cache();
	message_clear_cache();
}
END_TEST

CHECK_MAIN("service/message",
	bytes_are_copied_and_end_with_nul,
	null_is_an_empty_message,
	what_is_too_big_is_no_message,
	formats_make_messages,
	integers_go_there_and_back,
	what_is_an_integer_and_what_is_not,
	many_owners_on_many_threads,
	what_is_freed_is_used_again_and_not_without_end)
