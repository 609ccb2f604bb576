/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/hop_reader.h"

#include <stdlib.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hop_ring.h"
#include "base/hop_table.h"
#include "base/status_page.h"
#include "config/config_data.h"
#include "master/cell_process.h"
#include "master/hop_store.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/supervisor.h"

/* Nobody writes as many from one look to the next. */
#define HOP_READER_LOST_MAX (UINT64_C(1) << 32)

/* So long is waited for a cell that has crashed to end, in which it may write a core. */
#define HOP_READER_DYING_NS INT64_C(1000000000)

/* Where a cell has been read up to; its next process begins anew. */
struct hop_cursor {
	uint64_t next[STATUS_PAGE_LOOPS_MAX + 1];
	bool crashed;           /* the hop that crashed has been read */
};

struct hop_reader {
	const struct supervisor *supervisor;
	struct hop_store *store;
	struct hop_cursor **cursors; /* by the index of the cell */
	size_t cursor_count;
	uint64_t lost;
	const char *services[STATUS_PAGE_SERVICES_MAX]; /* their names, by slot, while it reads */
};

static struct hop_cursor *
hop_reader_cursor(struct hop_reader *reader, size_t cell)
{
	if (cell >= reader->cursor_count) {
		reader->cursors = xrealloc(reader->cursors, cell + 1, sizeof(*reader->cursors));
		while (reader->cursor_count <= cell)
			reader->cursors[reader->cursor_count++] = xcalloc(1, sizeof(struct hop_cursor));
	}
	return reader->cursors[cell];
}

struct hop_reader *
hop_reader_create(const struct supervisor *supervisor, struct hop_store *store)
{
	struct hop_reader *reader = xcalloc(1, sizeof(*reader));

	reader->supervisor = supervisor;
	reader->store = store;
	for (size_t i = 0; i < supervisor_cell_count(supervisor); i++) {
		struct cell_process *process = master_cell_process(supervisor_cell(supervisor, i));
		struct hop_cursor *cursor = hop_reader_cursor(reader, i);

		if (process == NULL)
			continue;
		for (uint32_t loop = 0; loop <= cell_process_page(process)->loops; loop++)
			cursor->next[loop] = hop_ring_end(status_page_hops(cell_process_page(process), loop));
	}
	return reader;
}

void
hop_reader_destroy(struct hop_reader *reader)
{
	if (reader == NULL)
		return;
	for (size_t i = 0; i < reader->cursor_count; i++)
		free(reader->cursors[i]);
	free(reader->cursors);
	free(reader);
}

static void
hop_reader_name_services(struct hop_reader *reader)
{
	for (size_t i = 0; i < STATUS_PAGE_SERVICES_MAX; i++)
		reader->services[i] = "?";
	for (size_t i = 0; i < supervisor_count(reader->supervisor); i++) {
		const struct master_service *service = supervisor_service(reader->supervisor, i);

		if (service->slot < STATUS_PAGE_SERVICES_MAX)
			reader->services[service->slot] = service->config->name;
	}
}

static void
hop_reader_store(struct hop_reader *reader, const struct hop *hop, const struct master_cell *cell, int64_t now_ns)
{
	if (!hop_store_add(reader->store, hop, hop->slot < STATUS_PAGE_SERVICES_MAX ?
		reader->services[hop->slot] : "?", master_cell_name(cell), now_ns))
		reader->lost++;
}

static void
hop_reader_read_rings(struct hop_reader *reader, const struct status_page *page, struct hop_cursor *cursor,
	const struct master_cell *cell)
{
	for (uint32_t loop = 0; loop <= page->loops; loop++) {
		uint64_t lost = 0;
		struct hop hop;

		/* Who goes on writing does not keep us. */
		for (unsigned i = 0; i < HOP_RING_SIZE; i++) {
			if (!hop_ring_read(status_page_hops(page, loop), &cursor->next[loop], &hop, &lost))
				break;
			hop.flags &= ~(uint64_t)HOP_CRASHED;
			hop_reader_store(reader, &hop, cell, clock_monotonic_ns());
		}
		/* A number that cannot be is no reason to frighten anybody. */
		reader->lost += lost <= HOP_READER_LOST_MAX ? lost : HOP_RING_SIZE;
	}
}

/* --- what has not ended, and will not -------------------------------------------------------- */

/* The end that it shares with its cell. */
static void
hop_reader_end(struct hop *hop, int64_t ended_ns, bool crashed)
{
	hop->ended_ns = ended_ns;
	hop->status = BAY_PEER_DIED;
	hop->flags = (hop->flags & ~(uint64_t)HOP_CRASHED) | (crashed ? HOP_CRASHED : 0);
}

/* A cell that has crashed says so before others can notice, and may take long to end. */
static void
hop_reader_read_crashed(struct hop_reader *reader, const struct status_page *page, struct hop_cursor *cursor,
	const struct master_cell *cell)
{
	const struct hop_table *table = status_page_hop_table(page);
	int64_t crashed_ns;
	uint16_t place = hop_table_crashed(table, &crashed_ns);
	struct hop hop;

	if (place == 0 || cursor->crashed || hop_table_read(table, place, &hop) != HOP_PLACE_CRASHED)
		return;
	cursor->crashed = true;
	hop_reader_end(&hop, crashed_ns, true);
	hop_reader_store(reader, &hop, cell, clock_monotonic_ns());
}

/* When it crashed, as a cell says that has; else now. */
static int64_t
hop_reader_end_of(const struct hop_table *table, int64_t now_ns)
{
	int64_t crashed_ns;

	(void)hop_table_crashed(table, &crashed_ns);
	return crashed_ns > 0 && crashed_ns < now_ns ? crashed_ns : now_ns;
}

/* Until when all is there: what a cell that is about to end was at is read when it has. */
static int64_t
hop_reader_until(const struct status_page *page, int64_t now_ns)
{
	int64_t ended_ns = hop_reader_end_of(status_page_hop_table(page), now_ns);

	return now_ns - ended_ns < HOP_READER_DYING_NS ? ended_ns : now_ns;
}

static void
hop_reader_read_table(struct hop_reader *reader, const struct status_page *page, const struct master_cell *cell,
	uint32_t hung_slot)
{
	const struct hop_table *table = status_page_hop_table(page);
	int64_t now_ns = clock_monotonic_ns(), ended_ns = hop_reader_end_of(table, now_ns);
	struct hop hop;

	for (uint16_t place = 1; place <= HOP_TABLE_SIZE; place++) {
		enum hop_place_state state = hop_table_read(table, place, &hop);

		/* It may have told of its end and not got to give the place back. */
		if (state == HOP_PLACE_FREE || hop_store_has(reader->store, &hop))
			continue;
		hop_reader_end(&hop, ended_ns, state == HOP_PLACE_CRASHED ||
			(state == HOP_PLACE_STALLED && hop.slot == hung_slot));
		hop_reader_store(reader, &hop, cell, now_ns);
	}
}

/* --- all cells ------------------------------------------------------------------------------- */

int64_t
hop_reader_read(struct hop_reader *reader)
{
	int64_t now_ns = clock_monotonic_ns(), until_ns = now_ns;

	hop_reader_name_services(reader);
	for (size_t i = 0; i < supervisor_cell_count(reader->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(reader->supervisor, i);
		const struct status_page *page = master_cell_page(cell);
		struct hop_cursor *cursor = hop_reader_cursor(reader, i);

		if (page == NULL)
			continue;
		hop_reader_read_rings(reader, page, cursor, cell);
		hop_reader_read_crashed(reader, page, cursor, cell);
		if (hop_reader_until(page, now_ns) < until_ns)
			until_ns = hop_reader_until(page, now_ns);
	}
	return until_ns;
}

void
hop_reader_cell_ended(struct hop_reader *reader, const struct master_cell *cell, const struct status_page *page,
	uint32_t hung_slot)
{
	size_t i = 0;
	struct hop_cursor *cursor;

	while (i < supervisor_cell_count(reader->supervisor) && supervisor_cell(reader->supervisor, i) != cell)
		i++;
	cursor = hop_reader_cursor(reader, i);
	hop_reader_name_services(reader);
	hop_reader_read_rings(reader, page, cursor, cell);
	hop_reader_read_table(reader, page, cell, hung_slot);
	*cursor = (struct hop_cursor){.crashed = false};
}

uint64_t
hop_reader_lost(const struct hop_reader *reader)
{
	return reader->lost;
}
