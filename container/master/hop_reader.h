/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the hops that the cells write into their status pages, into a store: those that have ended, and
 * of a cell that has ended those that have not, which it has taken with it. Has one owner. Master only;
 * never suspends.
 */
#ifndef BAY_MASTER_HOP_READER_H
#define BAY_MASTER_HOP_READER_H

#include <stdint.h>

struct hop_reader;
struct hop_store;
struct master_cell;
struct status_page;
struct supervisor;

/* Begins with what is written from now on, in all cells. Both are borrowed. */
struct hop_reader *hop_reader_create(const struct supervisor *supervisor, struct hop_store *store)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void hop_reader_destroy(struct hop_reader *reader);

/* Reads what there is. All hops that had ended at the time that it returns are in the store then; those
 * behind it may lack some of what was called for them, until the next time. For a moment that is no later
 * than a crash of a cell that has still to end. */
int64_t hop_reader_read(struct hop_reader *reader);

/* The process of a cell has ended, and its page goes: reads what is left. hung_slot is that of the service
 * whose handler kept a loop until it was killed, or STATUS_NO_SLOT. */
void hop_reader_cell_ended(struct hop_reader *reader, const struct master_cell *cell,
	const struct status_page *page, uint32_t hung_slot);

/* How many were overwritten before they were read. */
uint64_t hop_reader_lost(const struct hop_reader *reader);

#endif
