/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "support/check_main.h"

static const struct log_record plain = {
	.wall_ns = INT64_C(1767323045678000000),
	.level = LOG_LEVEL_WARN,
	.process = "cell main",
	.subject = "service square",
	.text = "text",
	.trace = {UINT64_C(0x4bf92f3577b34da6), 7},
};

START_TEST(a_record_comes_back_as_it_was)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct log_record back;
	size_t size = log_record_encode(&plain, bytes);
	size_t used;

	ck_assert_int_eq(log_record_decode(bytes, size, &back, &used), LOG_RECORD_OK);
	ck_assert_uint_eq(used, size);
	ck_assert_int_eq(back.wall_ns, plain.wall_ns);
	ck_assert_int_eq(back.level, LOG_LEVEL_WARN);
	ck_assert_str_eq(back.process, "cell main");
	ck_assert_str_eq(back.subject, "service square");
	ck_assert_str_eq(back.text, "text");
	ck_assert(back.trace.high == plain.trace.high && back.trace.low == 7);
}
END_TEST

START_TEST(every_level_comes_back)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		uint8_t bytes[LOG_RECORD_MAX];
		struct log_record record = plain;
		struct log_record back;
		size_t used;

		record.level = (enum log_level)level;
		ck_assert_int_eq(log_record_decode(bytes, log_record_encode(&record, bytes), &back, &used),
			LOG_RECORD_OK);
		ck_assert_int_eq(back.level, level);
	}
}
END_TEST

START_TEST(a_record_without_subject_comes_back_without)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct log_record record = plain;
	struct log_record back;
	size_t used;

	record.subject = NULL;
	ck_assert_int_eq(log_record_decode(bytes, log_record_encode(&record, bytes), &back, &used),
		LOG_RECORD_OK);
	ck_assert_ptr_null(back.subject);
	ck_assert_str_eq(back.text, "text");
}
END_TEST

START_TEST(part_of_a_record_is_waited_for)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct log_record back;
	size_t size = log_record_encode(&plain, bytes);
	size_t used;

	for (size_t some = 0; some < size; some++)
		ck_assert_int_eq(log_record_decode(bytes, some, &back, &used), LOG_RECORD_MORE);
}
END_TEST

START_TEST(a_long_text_is_cut_at_a_whole_character)
{
	uint8_t bytes[LOG_RECORD_MAX];
	char text[6001];
	struct log_record record = plain;
	struct log_record back;
	size_t used;

	/* Shifted by one byte each time, so that the cut falls on every byte of a character. */
	for (size_t shift = 0; shift < 3; shift++) {
		for (size_t i = 0; i < 2000; i++)
			memcpy(text + 3 * i, "\xe2\x82\xac", 3);
		text[6000] = '\0';
		memset(text, 'x', shift);
		memmove(text + shift, text + 3, strlen(text + 3) + 1);
		record.text = text;
		ck_assert_uint_le(log_record_encode(&record, bytes), LOG_RECORD_MAX);
		ck_assert_int_eq(log_record_decode(bytes, LOG_RECORD_MAX, &back, &used), LOG_RECORD_OK);
		ck_assert_uint_gt(strlen(back.text), 4000);
		ck_assert(text_is_utf8(back.text, strlen(back.text)));
	}
}
END_TEST

START_TEST(long_names_and_broken_text_are_cut_too)
{
	uint8_t bytes[LOG_RECORD_MAX];
	char name[5000];
	struct log_record record = plain;
	struct log_record back;
	size_t used;

	memset(name, 0xff, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	record.process = record.subject = record.text = name;
	ck_assert_uint_eq(log_record_encode(&record, bytes), LOG_RECORD_MAX);
	ck_assert_int_eq(log_record_decode(bytes, LOG_RECORD_MAX, &back, &used), LOG_RECORD_OK);
	ck_assert_uint_eq(strlen(back.process), 127);
	ck_assert_uint_eq(strlen(back.subject), 255);
}
END_TEST

/* Whatever one byte is changed to, the result is a record with whole strings or none. */
START_TEST(a_hostile_record_never_leads_outside_its_bytes)
{
	uint8_t good[LOG_RECORD_MAX];
	size_t size = log_record_encode(&plain, good);

	for (size_t at = 0; at < size; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t *bytes = malloc(size);
			struct log_record back;
			size_t used;

			memcpy(bytes, good, size);
			bytes[at] = (uint8_t)value;
			if (log_record_decode(bytes, size, &back, &used) == LOG_RECORD_OK) {
				ck_assert_uint_le(used, size);
				ck_assert_ptr_eq(back.text + strlen(back.text) + 1, (char *)bytes + used);
				ck_assert_uint_le(back.level, LOG_LEVEL_DEBUG);
			}
			free(bytes);
		}
	}
}
END_TEST

START_TEST(what_is_no_record_is_refused)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct log_record back;
	size_t size = log_record_encode(&plain, bytes);
	size_t used;

	bytes[0] ^= 1;
	ck_assert_int_eq(log_record_decode(bytes, size, &back, &used), LOG_RECORD_INVALID);
	bytes[0] ^= 1;
	bytes[size - 2] = '\0';
	ck_assert_int_eq(log_record_decode(bytes, size, &back, &used), LOG_RECORD_INVALID);
	bytes[size - 2] = 't';
	bytes[size - 1] = 'x';
	ck_assert_int_eq(log_record_decode(bytes, size, &back, &used), LOG_RECORD_INVALID);
}
END_TEST

CHECK_MAIN("base/log_record",
	a_record_comes_back_as_it_was,
	every_level_comes_back,
	a_record_without_subject_comes_back_without,
	part_of_a_record_is_waited_for,
	a_long_text_is_cut_at_a_whole_character,
	long_names_and_broken_text_are_cut_too,
	a_hostile_record_never_leads_outside_its_bytes,
	what_is_no_record_is_refused)
