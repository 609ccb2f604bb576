/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the hops that the cells write into their status pages, into a store. Has one owner. Master
 * only; never suspends.
 */
#ifndef BAY_MASTER_HOP_READER_H
#define BAY_MASTER_HOP_READER_H

#include <stdint.h>

struct hop_reader;
struct hop_store;
struct supervisor;

/* Begins with what is written from now on, in all cells. Both are borrowed. */
struct hop_reader *hop_reader_create(const struct supervisor *supervisor, struct hop_store *store)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void hop_reader_destroy(struct hop_reader *reader);

/* Reads what there is. All hops that had ended at the time that it returns are in the store then; those
 * behind it may lack some of what was called for them, until the next time. */
int64_t hop_reader_read(struct hop_reader *reader);

/* How many were overwritten before they were read. */
uint64_t hop_reader_lost(const struct hop_reader *reader);

#endif
