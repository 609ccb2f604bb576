/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/hop_reader.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hop_ring.h"
#include "base/status_page.h"
#include "config/config_data.h"
#include "master/cell_process.h"
#include "master/hop_store.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/supervisor.h"

/* Where a cell has been read up to. */
struct hop_cursor {
	int64_t started_ns;     /* of its process; 0: none yet */
	uint64_t next[STATUS_PAGE_LOOPS_MAX + 1];
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
		cursor->started_ns = cell_process_started_ns(process);
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
hop_reader_read_cell(struct hop_reader *reader, const struct status_page *page, struct hop_cursor *cursor,
	const char *cell)
{
	struct hop hop;

	for (uint32_t loop = 0; loop <= page->loops; loop++) {
		/* Who goes on writing does not keep us. */
		for (unsigned i = 0; i < HOP_RING_SIZE; i++) {
			if (!hop_ring_read(status_page_hops(page, loop), &cursor->next[loop], &hop, &reader->lost))
				break;
			if (!hop_store_add(reader->store, &hop, hop.slot < STATUS_PAGE_SERVICES_MAX ?
				reader->services[hop.slot] : "?", cell, clock_monotonic_ns()))
				reader->lost++;
		}
	}
}

int64_t
hop_reader_read(struct hop_reader *reader)
{
	int64_t now_ns = clock_monotonic_ns();

	hop_reader_name_services(reader);
	for (size_t i = 0; i < supervisor_cell_count(reader->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(reader->supervisor, i);
		struct cell_process *process = master_cell_process(cell);
		struct hop_cursor *cursor = hop_reader_cursor(reader, i);

		if (process == NULL)
			continue;
		if (cursor->started_ns != cell_process_started_ns(process))
			*cursor = (struct hop_cursor){.started_ns = cell_process_started_ns(process)};
		hop_reader_read_cell(reader, cell_process_page(process), cursor, master_cell_name(cell));
	}
	return now_ns;
}

uint64_t
hop_reader_lost(const struct hop_reader *reader)
{
	return reader->lost;
}
