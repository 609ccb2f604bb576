/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/log_ring.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

static const struct log_filter all;

static void
push(struct log_ring *ring, const char *subject, const char *text)
{
	struct log_record record = {.wall_ns = 7, .level = LOG_LEVEL_WARN, .process = "cell main",
		.subject = subject, .text = text};

	log_ring_push(ring, &record);
}

/* All texts from seq on about service, joined by spaces. */
static const char *
texts(const struct log_ring *ring, uint64_t seq, const char *service)
{
	const struct log_filter filter = {.service = service};
	static char joined[1024];
	struct log_record record;

	joined[0] = '\0';
	while (log_ring_next(ring, &seq, &filter, &record)) {
		if (joined[0] != '\0')
			strcat(joined, " ");
		strcat(joined, record.text);
	}
	return joined;
}

START_TEST(an_empty_ring_has_no_lines)
{
	struct log_ring *ring = log_ring_create(4);

	ck_assert_str_eq(texts(ring, 0, NULL), "");
	ck_assert_uint_eq(log_ring_start(ring, &all, 10), 0);
	log_ring_destroy(ring);
}
END_TEST

START_TEST(a_line_keeps_everything_of_its_record)
{
	struct log_ring *ring = log_ring_create(4);
	char text[] = "it works";
	struct log_record record;
	uint64_t seq = 0;

	push(ring, "service square", text);
	text[0] = 'X';
	ck_assert(log_ring_next(ring, &seq, &all, &record));
	ck_assert_int_eq(record.wall_ns, 7);
	ck_assert_int_eq(record.level, LOG_LEVEL_WARN);
	ck_assert_str_eq(record.process, "cell main");
	ck_assert_str_eq(record.subject, "service square");
	ck_assert_str_eq(record.text, "it works");
	ck_assert_uint_eq(seq, 1);
	log_ring_destroy(ring);
}
END_TEST

START_TEST(a_line_without_subject_stays_without)
{
	struct log_ring *ring = log_ring_create(4);
	struct log_record record;
	uint64_t seq = 0;

	push(ring, NULL, "a");
	ck_assert(log_ring_next(ring, &seq, &all, &record));
	ck_assert_ptr_null(record.subject);
	log_ring_destroy(ring);
}
END_TEST

START_TEST(a_full_ring_forgets_the_oldest_lines)
{
	struct log_ring *ring = log_ring_create(3);

	for (int i = 0; i < 5; i++)
		push(ring, NULL, (const char *[]){"a", "b", "c", "d", "e"}[i]);
	ck_assert_str_eq(texts(ring, 0, NULL), "c d e");
	ck_assert_str_eq(texts(ring, 4, NULL), "e");
	ck_assert_uint_eq(log_ring_end(ring), 5);
	log_ring_destroy(ring);
}
END_TEST

START_TEST(start_counts_back_from_the_end)
{
	struct log_ring *ring = log_ring_create(10);

	push(ring, NULL, "a");
	push(ring, NULL, "b");
	push(ring, NULL, "c");
	ck_assert_str_eq(texts(ring, log_ring_start(ring, &all, 2), NULL), "b c");
	ck_assert_str_eq(texts(ring, log_ring_start(ring, &all, 100), NULL), "a b c");
	ck_assert_str_eq(texts(ring, log_ring_start(ring, &all, 0), NULL), "");
	log_ring_destroy(ring);
}
END_TEST

START_TEST(the_lines_of_one_service_are_told_by_their_subject)
{
	const struct log_filter square = {.service = "square"};
	struct log_ring *ring = log_ring_create(10);

	push(ring, "service square", "a");
	push(ring, "service square2", "b");
	push(ring, "service square task main", "c");
	push(ring, "service sq", "d");
	push(ring, "plugin square", "e");
	push(ring, NULL, "f");
	ck_assert_str_eq(texts(ring, 0, "square"), "a c");
	ck_assert_str_eq(texts(ring, log_ring_start(ring, &square, 1), "square"), "c");
	log_ring_destroy(ring);
}
END_TEST

START_TEST(a_reader_who_comes_back_sees_only_what_is_new)
{
	struct log_ring *ring = log_ring_create(10);
	struct log_record record;
	uint64_t seq = 0;

	push(ring, NULL, "a");
	ck_assert(log_ring_next(ring, &seq, &all, &record));
	ck_assert(!log_ring_next(ring, &seq, &all, &record));
	push(ring, NULL, "b");
	ck_assert(log_ring_next(ring, &seq, &all, &record));
	ck_assert_str_eq(record.text, "b");
	log_ring_destroy(ring);
}
END_TEST

START_TEST(the_lines_of_one_trace_are_told_by_its_id)
{
	static const struct trace_id ids[] = {{1, 2}, {1, 3}, {2, 2}, {0, 0}};
	struct log_filter filter = {.trace = {1, 2}};
	struct log_ring *ring = log_ring_create(10);
	struct log_record record;
	uint64_t seq = 0;

	for (size_t i = 0; i < 8; i++) {
		const struct log_record line = {.process = "cell main", .subject = i < 4 ? "service a" : "service b",
			.text = "x", .trace = ids[i % 4]};

		log_ring_push(ring, &line);
	}
	ck_assert(log_ring_next(ring, &seq, &filter, &record) && seq == 1);
	ck_assert(record.trace.high == 1 && record.trace.low == 2);
	ck_assert(log_ring_next(ring, &seq, &filter, &record) && seq == 5);
	ck_assert(!log_ring_next(ring, &seq, &filter, &record));
	ck_assert_uint_eq(log_ring_start(ring, &filter, 1), 4);
	filter.service = "a";
	ck_assert_uint_eq(log_ring_start(ring, &filter, 1), 0);
	log_ring_destroy(ring);
}
END_TEST

CHECK_MAIN("master/log_ring",
	an_empty_ring_has_no_lines,
	a_line_keeps_everything_of_its_record,
	a_line_without_subject_stays_without,
	a_full_ring_forgets_the_oldest_lines,
	start_counts_back_from_the_end,
	the_lines_of_one_service_are_told_by_their_subject,
	a_reader_who_comes_back_sees_only_what_is_new,
	the_lines_of_one_trace_are_told_by_its_id)
