/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hop_ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct hop_ring *ring;

static void
begin(void)
{
	ring = aligned_alloc(64, sizeof(*ring));
	memset(ring, 0, sizeof(*ring));
}

/* All numbers of it are the same one. */
static void
add(uint64_t number)
{
	struct hop hop = {.id = {number, number}, .span = number, .parent = number, .came_ns = (int64_t)number,
		.begun_ns = (int64_t)number, .ended_ns = (int64_t)number, .caller = "caller"};

	hop_ring_add(ring, &hop);
}

static bool
is_whole(const struct hop *hop)
{
	return hop->id.high == hop->span && hop->id.low == hop->span && hop->parent == hop->span &&
		hop->came_ns == (int64_t)hop->span && hop->begun_ns == hop->came_ns && hop->ended_ns == hop->came_ns;
}

START_TEST(hops_are_read_in_their_order)
{
	uint64_t next, lost = 0;
	struct hop hop;

	begin();
	next = hop_ring_end(ring);
	ck_assert(!hop_ring_read(ring, &next, &hop, &lost));
	for (uint64_t i = 1; i <= HOP_RING_SIZE; i++)
		add(i);
	for (uint64_t i = 1; i <= HOP_RING_SIZE; i++) {
		ck_assert(hop_ring_read(ring, &next, &hop, &lost));
		ck_assert(hop.span == i && is_whole(&hop));
	}
	ck_assert_str_eq(hop.caller, "caller");
	ck_assert(!hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(lost, 0);
	free(ring);
}
END_TEST

START_TEST(who_begins_later_reads_what_is_new)
{
	uint64_t next, lost = 0;
	struct hop hop;

	begin();
	add(1);
	next = hop_ring_end(ring);
	add(2);
	ck_assert(hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(hop.span, 2);
	free(ring);
}
END_TEST

START_TEST(what_is_overwritten_is_counted)
{
	uint64_t next = 0, lost = 0;
	struct hop hop;

	begin();
	for (uint64_t i = 1; i <= HOP_RING_SIZE + 5; i++)
		add(i);
	ck_assert(hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(hop.span, 6);
	ck_assert_uint_eq(lost, 5);
	/* One that is being written. */
	atomic_store(&ring->records[6].number, 0);
	ck_assert(hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(hop.span, 8);
	ck_assert_uint_eq(lost, 6);
	free(ring);
}
END_TEST

START_TEST(a_ring_that_a_stranger_has_written_ends)
{
	uint64_t next = 5, lost = 0;
	struct hop hop;

	begin();
	ck_assert(!hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(next, 0);
	atomic_store(&ring->written, UINT64_MAX);
	ck_assert(!hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(next, UINT64_MAX);
	ck_assert_uint_eq(lost, UINT64_MAX);
	/* A name that does not end. */
	memset(ring, 0, sizeof(*ring));
	add(1);
	for (unsigned i = 0; i < HOP_WORDS; i++)
		atomic_store(&ring->records[0].words[i], UINT64_C(0x4141414141414141));
	next = 0;
	ck_assert(hop_ring_read(ring, &next, &hop, &lost));
	ck_assert_uint_eq(strlen(hop.caller), HOP_NAME_SIZE - 1);
	free(ring);
}
END_TEST

enum { MANY = 200000 };

static void *
write_many(void *arg)
{
	for (uint64_t i = 1; i <= MANY; i++)
		add(i);
	return arg;
}

START_TEST(who_reads_while_another_writes_reads_whole_ones_or_loses_them)
{
	uint64_t next = 0, lost = 0, read = 0, last = 0;
	pthread_t writer;
	struct hop hop;

	begin();
	ck_assert_int_eq(pthread_create(&writer, NULL, write_many, NULL), 0);
	while (read + lost < MANY) {
		if (!hop_ring_read(ring, &next, &hop, &lost))
			continue;
		ck_assert(is_whole(&hop));
		ck_assert_uint_gt(hop.span, last);
		last = hop.span;
		read++;
	}
	ck_assert_uint_eq(read + lost, MANY);
	pthread_join(writer, NULL);
	free(ring);
}
END_TEST

CHECK_MAIN("base/hop_ring",
	hops_are_read_in_their_order,
	who_begins_later_reads_what_is_new,
	what_is_overwritten_is_counted,
	a_ring_that_a_stranger_has_written_ends,
	who_reads_while_another_writes_reads_whole_ones_or_loses_them)
