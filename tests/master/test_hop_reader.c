/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells, in whose pages the test writes the hops. */
#include "config.h"

#include "master/hop_reader.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/hop_ring.h"
#include "base/hop_table.h"
#include "base/status_page.h"
#include "config/config_load.h"
#include "master/cell_process.h"
#include "master/hop_store.h"
#include "support/check_main.h"
#include "support/fake_master.h"

/* Of a page with two loops: the ring of threads that are none. */
enum { ELSEWHERE = 2 };

static struct fake_master fake;
static struct hop_store *store;
static struct hop_reader *reader;

/* Service a is in cell main, and b in other. */
static void
open_cells(void)
{
	fake_master_open_pair(&fake, "", "", "cell = other", NULL);
	fake_master_start(&fake);
	store = hop_store_create();
}

static void
on_cell_ended(const struct master_cell *cell, const struct status_page *page, uint32_t hung_slot)
{
	hop_reader_cell_ended(reader, cell, page, hung_slot);
}

static void
open_reader(void)
{
	open_cells();
	reader = hop_reader_create(fake.supervisor, store);
	fake.cell_ended = on_cell_ended;
}

static void
close_reader(void)
{
	fake.cell_ended = NULL;
	hop_reader_destroy(reader);
	hop_store_destroy(store);
	fake_master_close(&fake);
}

static struct master_cell *
cell_of(const char *name)
{
	return service_of(&fake, name)->cell;
}

static struct hop_ring *
ring_of(const char *name, uint32_t loop)
{
	return status_page_hops(master_cell_page(cell_of(name)), loop);
}

static void
write_hops(struct hop_ring *ring, uint32_t slot, uint64_t first_span, int count)
{
	for (int i = 0; i < count; i++) {
		struct hop hop = {.id = {1, 2}, .span = first_span + (uint64_t)i, .came_ns = 1, .ended_ns = 2, .slot = slot};

		hop_ring_add(ring, &hop);
	}
}

/* Those that were read last, by their spans, in their order. */
static void
expect_last(size_t count, const uint64_t *spans)
{
	uint64_t first = hop_store_end(store) - count;

	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(hop_store_at(store, first + i)->hop.span, spans[i]);
}

/* The last one. */
static const struct hop_entry *
last(void)
{
	return hop_store_at(store, hop_store_end(store) - 1);
}

/* --- what is read ------------------------------------------------------------------------------------ */

START_TEST(it_begins_with_what_is_written_from_then_on_in_all_rings_of_all_cells)
{
	open_cells();
	for (uint32_t loop = 0; loop <= ELSEWHERE; loop++) {
		write_hops(ring_of("a", loop), 0, 1, 3);
		write_hops(ring_of("b", loop), 1, 1, 3);
	}
	reader = hop_reader_create(fake.supervisor, store);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 0);
	for (uint32_t loop = 0; loop <= ELSEWHERE; loop++) {
		write_hops(ring_of("a", loop), 0, 10 + 2 * loop, 2);
		write_hops(ring_of("b", loop), 1, 20 + 2 * loop, 2);
	}
	(void)hop_reader_read(reader);
	expect_last(12, (const uint64_t[]){10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25});
	ck_assert_uint_eq(hop_store_end(store), 12);
	/* Once. */
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 12);
	write_hops(ring_of("b", 1), 1, 30, 1);
	(void)hop_reader_read(reader);
	expect_last(1, (const uint64_t[]){30});
	ck_assert_uint_eq(hop_reader_lost(reader), 0);
	close_reader();
}
END_TEST

START_TEST(a_hop_has_the_name_of_its_service_and_of_the_cell_that_wrote_it)
{
	static const struct {
		const char *cell; /* that of this service */
		uint32_t slot;
		const char *service;
	} rows[] = {
		{"a", 0, "a"},
		{"b", 1, "b"},
		/* The slots are the same in all cells. */
		{"b", 0, "a"},
		/* Nobody's, and what is none. */
		{"a", 2, "?"},
		{"a", STATUS_PAGE_SERVICES_MAX - 1, "?"},
		{"a", STATUS_PAGE_SERVICES_MAX, "?"},
		{"a", STATUS_NO_SLOT, "?"},
	};

	open_reader();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_hops(ring_of(rows[i].cell, 0), rows[i].slot, 100 + i, 1);
		(void)hop_reader_read(reader);
		ck_assert_uint_eq(last()->hop.span, 100 + i);
		ck_assert_str_eq(last()->service, rows[i].service);
		ck_assert_str_eq(last()->cell, *rows[i].cell == 'a' ? "main" : "other");
	}
	close_reader();
}
END_TEST

START_TEST(all_that_had_ended_when_it_was_read_is_there)
{
	int64_t before_ns, read_ns;

	open_reader();
	write_hops(ring_of("a", 0), 0, 1, 1);
	before_ns = clock_monotonic_ns();
	read_ns = hop_reader_read(reader);
	ck_assert_int_ge(read_ns, before_ns);
	ck_assert_int_le(read_ns, clock_monotonic_ns());
	/* Times of the future are no times. */
	write_hops(ring_of("a", 0), 0, 2, 1);
	hop_ring_add(ring_of("a", 0), &(struct hop){.span = 3, .ended_ns = INT64_MAX});
	(void)hop_reader_read(reader);
	ck_assert_int_ge(last()->hop.ended_ns, read_ns);
	ck_assert_int_le(last()->hop.ended_ns, clock_monotonic_ns());
	close_reader();
}
END_TEST

/* --- what is lost -------------------------------------------------------------------------------------- */

START_TEST(those_that_were_overwritten_before_they_were_read_are_counted)
{
	open_reader();
	write_hops(ring_of("a", 0), 0, 1, HOP_RING_SIZE + 5);
	write_hops(ring_of("b", 1), 1, 5001, HOP_RING_SIZE + 7);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_reader_lost(reader), 12);
	ck_assert_uint_eq(hop_store_end(store), 2 * HOP_RING_SIZE);
	ck_assert_uint_eq(hop_store_at(store, 0)->hop.span, 6);
	ck_assert_uint_eq(last()->hop.span, 5000 + HOP_RING_SIZE + 7);
	write_hops(ring_of("a", 0), 0, 9001, 1);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_reader_lost(reader), 12);
	ck_assert_uint_eq(last()->hop.span, 9001);
	close_reader();
}
END_TEST

START_TEST(those_that_the_store_does_not_keep_are_counted)
{
	open_reader();
	/* More with one span than honest ones have. */
	for (int i = 0; i < 1000; i++)
		write_hops(ring_of("a", 0), 0, 7, 1);
	(void)hop_reader_read(reader);
	ck_assert_uint_gt(hop_store_end(store), 0);
	ck_assert_uint_lt(hop_store_end(store), 1000);
	ck_assert_uint_eq(hop_reader_lost(reader) + hop_store_end(store), 1000);
	close_reader();
}
END_TEST

START_TEST(a_cell_that_says_that_it_wrote_what_it_did_not_does_no_harm)
{
	static const uint64_t said[] = {UINT64_MAX, 1, UINT64_MAX - 1, 0, HOP_RING_SIZE, 12345678, 2};

	open_reader();
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		atomic_store(&ring_of("a", 0)->written, said[i]);
		(void)hop_reader_read(reader);
		ck_assert_uint_eq(hop_store_end(store), i);
		/* The others are read all the same. */
		write_hops(ring_of("a", 1), 0, 100 + i, 1);
		(void)hop_reader_read(reader);
		ck_assert_uint_eq(hop_store_end(store), i + 1);
		ck_assert_uint_eq(last()->hop.span, 100 + i);
	}
	close_reader();
}
END_TEST

START_TEST(a_record_that_holds_anything_is_made_such_that_it_can_be_told)
{
	struct hop hop;

	open_reader();
	memset(&hop, 0xff, sizeof(hop));
	hop_ring_add(ring_of("a", 0), &hop);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 1);
	ck_assert_str_eq(last()->service, "?");
	ck_assert_uint_lt(strlen(last()->hop.caller), HOP_NAME_SIZE);
	ck_assert_int_ge(last()->hop.came_ns, 0);
	close_reader();
}
END_TEST

/* --- cells that come and go ------------------------------------------------------------------------------- */

/* Until its service runs in the next one. */
static void
end_process_of(const char *name)
{
	cell_process_kill(master_cell_process(cell_of(name)));
	UNTIL(&fake, !is_state(&fake, name, SERVICE_READY));
	UNTIL(&fake, is_state(&fake, name, SERVICE_READY));
}

START_TEST(the_next_process_of_a_cell_is_read_from_its_begin)
{
	open_reader();
	write_hops(ring_of("a", 0), 0, 1, 50);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 50);
	end_process_of("a");
	/* Fewer than were read of the one before. */
	write_hops(ring_of("a", 0), 0, 101, 3);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 53);
	expect_last(3, (const uint64_t[]){101, 102, 103});
	ck_assert_uint_eq(hop_reader_lost(reader), 0);
	close_reader();
}
END_TEST

START_TEST(what_a_process_wrote_before_its_end_is_read_at_its_end)
{
	open_reader();
	write_hops(ring_of("a", 0), 0, 1, 2);
	write_hops(ring_of("a", ELSEWHERE), 0, 3, 1);
	write_hops(ring_of("b", 0), 1, 4, 1);
	end_process_of("a");
	expect_last(3, (const uint64_t[]){1, 2, 3});
	ck_assert_uint_eq(hop_store_end(store), 3);
	(void)hop_reader_read(reader);
	expect_last(4, (const uint64_t[]){1, 2, 3, 4});
	close_reader();
}
END_TEST

static uint16_t
open_hop(const char *name, uint64_t span, int64_t came_ns)
{
	const struct hop hop = {.id = {1, 2}, .span = span, .came_ns = came_ns, .slot = service_of(&fake, name)->slot};

	return hop_table_open(status_page_hop_table(master_cell_page(cell_of(name))), &hop);
}

START_TEST(hops_that_have_not_ended_end_with_their_process)
{
	int64_t came_ns = clock_monotonic_ns();

	open_reader();
	ck_assert_uint_ne(open_hop("a", 1, came_ns), 0);
	hop_table_close(status_page_hop_table(master_cell_page(cell_of("a"))), open_hop("a", 2, came_ns));
	ck_assert_uint_ne(open_hop("b", 3, came_ns), 0);
	end_process_of("a");
	ck_assert_uint_eq(hop_store_end(store), 1);
	expect_last(1, (const uint64_t[]){1});
	ck_assert_int_eq(last()->hop.status, BAY_PEER_DIED);
	ck_assert_uint_eq(last()->hop.flags & HOP_CRASHED, 0);
	ck_assert_int_ge(last()->hop.ended_ns, came_ns);
	ck_assert_str_eq(last()->service, "a");
	close_reader();
}
END_TEST

START_TEST(the_hop_that_a_process_crashed_in_is_told_once_and_as_that)
{
	int64_t came_ns = clock_monotonic_ns();
	struct hop_table *table;

	open_reader();
	table = status_page_hop_table(master_cell_page(cell_of("a")));
	ck_assert_uint_ne(open_hop("a", 1, came_ns), 0);
	hop_table_crash(table, open_hop("a", 2, came_ns));
	/* It may write a core for long. */
	ck_assert_int_le(hop_reader_read(reader), clock_monotonic_ns());
	ck_assert_uint_eq(hop_store_end(store), 1);
	ck_assert_uint_eq(last()->hop.span, 2);
	ck_assert_uint_ne(last()->hop.flags & HOP_CRASHED, 0);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 1);
	end_process_of("a");
	ck_assert_uint_eq(hop_store_end(store), 2);
	ck_assert_uint_eq(last()->hop.span, 1);
	ck_assert_uint_eq(last()->hop.flags & HOP_CRASHED, 0);
	/* The next process begins with none. */
	end_process_of("a");
	ck_assert_uint_eq(hop_store_end(store), 2);
	close_reader();
}
END_TEST

START_TEST(a_hop_in_a_ring_does_not_say_that_it_crashed)
{
	struct hop hop = {.id = {1, 2}, .span = 1, .came_ns = 1, .ended_ns = 2, .flags = HOP_CRASHED};

	open_reader();
	hop_ring_add(ring_of("a", 0), &hop);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 1);
	ck_assert_uint_eq(last()->hop.flags & HOP_CRASHED, 0);
	close_reader();
}
END_TEST

START_TEST(a_cell_that_has_no_process_is_read_when_it_has_one)
{
	open_cells();
	fake.limits.backoff.at_once = false;
	cell_process_kill(master_cell_process(cell_of("b")));
	UNTIL(&fake, master_cell_process(cell_of("b")) == NULL);
	reader = hop_reader_create(fake.supervisor, store);
	write_hops(ring_of("a", 0), 0, 1, 1);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 1);
	UNTIL(&fake, is_state(&fake, "b", SERVICE_READY));
	write_hops(ring_of("b", 0), 1, 2, 1);
	(void)hop_reader_read(reader);
	expect_last(2, (const uint64_t[]){1, 2});
	close_reader();
}
END_TEST

START_TEST(a_cell_that_is_new_is_read_too)
{
	static const char ini[] = "[container]\n[service a]\n[service b]\ncell = other\n[service c]\ncell = late\n";
	struct config_report report = {0};
	struct master_service *c;
	struct config *config;

	open_reader();
	(void)hop_reader_read(reader);
	ck_assert(config_load_memory("bay.ini", ini, strlen(ini), &config, &report));
	config_report_finish(&report);
	c = supervisor_add(fake.supervisor, config, &config->services[2]);
	master_cell_need(c->cell);
	UNTIL(&fake, master_cell_page(c->cell) != NULL);
	write_hops(status_page_hops(master_cell_page(c->cell), 0), c->slot, 1, 1);
	(void)hop_reader_read(reader);
	ck_assert_uint_eq(hop_store_end(store), 1);
	ck_assert_str_eq(last()->service, "c");
	ck_assert_str_eq(last()->cell, "late");
	close_reader();
	config_unref(config);
}
END_TEST

START_TEST(nothing_is_a_reader_that_can_be_destroyed)
{
	hop_reader_destroy(NULL);
}
END_TEST

CHECK_MAIN("master/hop_reader",
	it_begins_with_what_is_written_from_then_on_in_all_rings_of_all_cells,
	a_hop_has_the_name_of_its_service_and_of_the_cell_that_wrote_it,
	all_that_had_ended_when_it_was_read_is_there,
	those_that_were_overwritten_before_they_were_read_are_counted,
	those_that_the_store_does_not_keep_are_counted,
	a_cell_that_says_that_it_wrote_what_it_did_not_does_no_harm,
	a_record_that_holds_anything_is_made_such_that_it_can_be_told,
	the_next_process_of_a_cell_is_read_from_its_begin,
	what_a_process_wrote_before_its_end_is_read_at_its_end,
	hops_that_have_not_ended_end_with_their_process,
	the_hop_that_a_process_crashed_in_is_told_once_and_as_that,
	a_hop_in_a_ring_does_not_say_that_it_crashed,
	a_cell_that_has_no_process_is_read_when_it_has_one,
	a_cell_that_is_new_is_read_too,
	nothing_is_a_reader_that_can_be_destroyed)
