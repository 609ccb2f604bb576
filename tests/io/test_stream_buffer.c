/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/stream_buffer.h"

#include <string.h>

#include "support/run_tasks.h"

static char block[STREAM_BUFFER_MAX];

START_TEST(bytes_come_out_as_they_went_in)
{
	struct stream_buffer buffer = {.data = NULL};
	unsigned char in = 0, out = 0;

	run_tasks_begin();
	for (int i = 0; i < 10000; i++) {
		unsigned char bytes[7];

		for (size_t j = 0; j < sizeof bytes; j++)
			bytes[j] = in++;
		ck_assert(stream_buffer_append(&buffer, bytes, sizeof bytes));
		while (stream_buffer_size(&buffer) > 100) {
			ck_assert_uint_eq((unsigned char)stream_buffer_bytes(&buffer)[0], out++);
			stream_buffer_consume(&buffer, 1);
		}
	}
	/* What has gone out makes room for what comes in. */
	ck_assert_uint_eq(buffer.capacity, STREAM_BUFFER_MIN);
	stream_buffer_finish(&buffer);
	run_tasks_end();
}
END_TEST

START_TEST(it_grows_and_shrinks_with_what_is_inside)
{
	struct stream_buffer buffer = {.data = NULL};

	run_tasks_begin();
	memset(block, 'x', sizeof block);
	ck_assert(stream_buffer_append(&buffer, block, 100000));
	ck_assert_uint_ge(buffer.capacity, 100000);
	stream_buffer_consume(&buffer, 99990);
	stream_buffer_release(&buffer);
	ck_assert_uint_eq(buffer.capacity, STREAM_BUFFER_MIN);
	ck_assert_uint_eq(stream_buffer_size(&buffer), 10);
	ck_assert_int_eq(memcmp(stream_buffer_bytes(&buffer), block, 10), 0);
	stream_buffer_consume(&buffer, 10);
	stream_buffer_release(&buffer);
	ck_assert_ptr_null(buffer.data);
	ck_assert_uint_eq(buffer.capacity, 0);
	ck_assert(stream_buffer_append(&buffer, NULL, 0));
	ck_assert_ptr_null(buffer.data);
	stream_buffer_finish(&buffer);
	run_tasks_end();
}
END_TEST

START_TEST(what_cannot_be_is_refused_and_changes_nothing)
{
	struct stream_buffer buffer = {.data = NULL};

	run_tasks_begin();
	ck_assert(!stream_buffer_reserve(&buffer, SIZE_MAX));
	ck_assert(!stream_buffer_reserve(&buffer, SIZE_MAX / 4));
	ck_assert(stream_buffer_append(&buffer, "abc", 3));
	ck_assert(!stream_buffer_reserve(&buffer, SIZE_MAX));
	ck_assert(!stream_buffer_reserve(&buffer, SIZE_MAX - 3));
	ck_assert_uint_eq(stream_buffer_size(&buffer), 3);
	ck_assert_int_eq(memcmp(stream_buffer_bytes(&buffer), "abc", 3), 0);
	stream_buffer_finish(&buffer);
	run_tasks_end();
}
END_TEST

#if !defined(BAY_ASAN)
START_TEST(memory_of_the_usual_sizes_is_used_again)
{
	struct stream_buffer buffer = {.data = NULL};
	char *first;

	run_tasks_begin();
	for (size_t size = STREAM_BUFFER_MIN; size <= STREAM_BUFFER_MAX; size *= 2) {
		ck_assert(stream_buffer_reserve(&buffer, size));
		ck_assert_uint_eq(buffer.capacity, size);
		first = buffer.data;
		stream_buffer_release(&buffer);
		ck_assert(stream_buffer_reserve(&buffer, size));
		ck_assert_ptr_eq(buffer.data, first);
		stream_buffer_finish(&buffer);
	}
	run_tasks_end();
}
END_TEST
#endif

CHECK_MAIN("io/stream_buffer",
#if !defined(BAY_ASAN)
	memory_of_the_usual_sizes_is_used_again,
#endif
	bytes_come_out_as_they_went_in,
	it_grows_and_shrinks_with_what_is_inside,
	what_cannot_be_is_refused_and_changes_nothing)
