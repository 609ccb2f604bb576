/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hop_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"

static struct hop_table *table;

static void
begin(void)
{
	table = aligned_alloc(64, sizeof(*table));
	memset(table, 0, sizeof(*table));
}

static uint16_t
open_hop(uint64_t span)
{
	struct hop hop = {.id = {span, span}, .span = span, .came_ns = (int64_t)span, .caller = "caller"};

	return hop_table_open(table, &hop);
}

static unsigned
count(void)
{
	unsigned n = 0;
	struct hop hop;

	for (uint16_t place = 1; place <= HOP_TABLE_SIZE; place++)
		n += hop_table_read(table, place, &hop) != HOP_PLACE_FREE;
	return n;
}

START_TEST(what_is_open_is_there_with_what_is_known_until_it_is_closed)
{
	uint16_t first, second;
	struct hop hop;

	begin();
	ck_assert_uint_eq(count(), 0);
	first = open_hop(5);
	second = open_hop(6);
	ck_assert_uint_ne(first, second);
	ck_assert_int_eq(hop_table_read(table, first, &hop), HOP_PLACE_OPEN);
	ck_assert(hop.id.high == 5 && hop.id.low == 5 && hop.span == 5 && hop.came_ns == 5 && hop.begun_ns == 0);
	ck_assert_str_eq(hop.caller, "caller");
	hop_table_begin(table, first, 7, HOP_QUEUED | HOP_ONE_WAY);
	ck_assert_int_eq(hop_table_read(table, first, &hop), HOP_PLACE_OPEN);
	ck_assert(hop.begun_ns == 7 && hop.flags == (HOP_QUEUED | HOP_ONE_WAY) && hop.span == 5);
	hop_table_close(table, first);
	ck_assert_int_eq(hop_table_read(table, first, &hop), HOP_PLACE_FREE);
	ck_assert_int_eq(hop_table_read(table, second, &hop), HOP_PLACE_OPEN);
	ck_assert_uint_eq(count(), 1);
	free(table);
}
END_TEST

START_TEST(when_all_places_are_taken_there_is_none_and_that_is_fine)
{
	uint16_t place;

	begin();
	for (unsigned i = 0; i < HOP_TABLE_SIZE; i++)
		ck_assert_uint_ne(open_hop(i + 1), 0);
	ck_assert_uint_eq(open_hop(1), 0);
	hop_table_begin(table, 0, 7, 0);
	hop_table_stall(table, 0);
	hop_table_crash(table, 0);
	hop_table_close(table, 0);
	ck_assert_uint_eq(count(), HOP_TABLE_SIZE);
	hop_table_close(table, 9);
	/* Not all are looked at each time. */
	while ((place = open_hop(1)) == 0)
		continue;
	ck_assert_uint_eq(place, 9);
	free(table);
}
END_TEST

START_TEST(what_crashed_is_known_and_when)
{
	int64_t before_ns = clock_monotonic_ns(), crashed_ns;
	uint16_t stalled, crashed;
	struct hop hop;

	begin();
	stalled = open_hop(1);
	crashed = open_hop(2);
	hop_table_stall(table, stalled);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), 0);
	ck_assert_int_eq(crashed_ns, 0);
	/* Other code than that of a hop. */
	hop_table_crash(table, 0);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), 0);
	ck_assert(crashed_ns >= before_ns && crashed_ns <= clock_monotonic_ns());
	hop_table_crash(table, crashed);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), crashed);
	ck_assert(crashed_ns >= before_ns && crashed_ns <= clock_monotonic_ns());
	ck_assert_int_eq(hop_table_read(table, stalled, &hop), HOP_PLACE_STALLED);
	ck_assert_int_eq(hop_table_read(table, crashed, &hop), HOP_PLACE_CRASHED);
	ck_assert_uint_eq(hop.span, 2);
	free(table);
}
END_TEST

START_TEST(what_crashed_elsewhere_is_known_unless_its_hop_has_ended)
{
	uint16_t ended, place, stalled;
	int64_t crashed_ns;
	struct hop hop;

	begin();
	ended = open_hop(1);
	hop_table_close(table, ended);
	hop_table_crash_of(table, ended, 1);
	hop_table_crash_of(table, 0, 1);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), 0);
	ck_assert_int_ne(crashed_ns, 0);
	ck_assert_uint_eq(count(), 0);
	/* Another has the place by now. */
	atomic_store(&table->next, 0);
	place = open_hop(2);
	ck_assert_uint_eq(place, ended);
	hop_table_crash_of(table, place, 1);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), 0);
	ck_assert_int_eq(hop_table_read(table, place, &hop), HOP_PLACE_OPEN);
	stalled = open_hop(3);
	hop_table_stall(table, stalled);
	hop_table_crash_of(table, stalled, 2);
	ck_assert_int_eq(hop_table_read(table, stalled, &hop), HOP_PLACE_STALLED);
	hop_table_crash_of(table, stalled, 3);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), stalled);
	ck_assert_int_eq(hop_table_read(table, stalled, &hop), HOP_PLACE_CRASHED);
	hop_table_crash_of(table, place, 2);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), place);
	ck_assert_int_eq(hop_table_read(table, place, &hop), HOP_PLACE_CRASHED);
	free(table);
}
END_TEST

START_TEST(what_a_stranger_has_written_is_none_or_ends)
{
	int64_t crashed_ns;
	struct hop hop;

	begin();
	memset(table, 0x41, sizeof(*table));
	ck_assert_uint_eq(count(), 0);
	ck_assert_uint_eq(hop_table_crashed(table, &crashed_ns), 0);
	/* A name that does not end. */
	atomic_store(&table->places[0].state, HOP_PLACE_CRASHED);
	ck_assert_int_eq(hop_table_read(table, 1, &hop), HOP_PLACE_CRASHED);
	ck_assert_uint_eq(strlen(hop.caller), HOP_NAME_SIZE - 1);
	/* One that was being written. */
	atomic_store(&table->places[0].state, HOP_PLACE_WRITING);
	ck_assert_int_eq(hop_table_read(table, 1, &hop), HOP_PLACE_FREE);
	/* Places that are none, of a request in broken memory. */
	hop_table_crash(table, HOP_TABLE_SIZE + 1);
	hop_table_close(table, UINT16_MAX);
	ck_assert_uint_eq(count(), 0);
	free(table);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };

/* Nobody else has the place meanwhile. */
static void *
take_turns(void *arg)
{
	uint64_t self = (uint64_t)(uintptr_t)arg;
	struct hop hop;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint16_t place = open_hop(self);

		ck_assert_uint_ne(place, 0);
		ck_assert_int_eq(hop_table_read(table, place, &hop), HOP_PLACE_OPEN);
		ck_assert(hop.span == self && hop.came_ns == (int64_t)self);
		hop_table_close(table, place);
	}
	return NULL;
}

START_TEST(threads_never_get_the_same_place)
{
	pthread_t threads[THREADS];

	begin();
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(count(), 0);
	free(table);
}
END_TEST

CHECK_MAIN("base/hop_table",
	what_is_open_is_there_with_what_is_known_until_it_is_closed,
	when_all_places_are_taken_there_is_none_and_that_is_fine,
	what_crashed_is_known_and_when,
	what_crashed_elsewhere_is_known_unless_its_hop_has_ended,
	what_a_stranger_has_written_is_none_or_ends,
	threads_never_get_the_same_place)
