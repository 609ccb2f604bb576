/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hops that have begun and not ended, in the status page: what a cell that crashes was at. Places are
 * taken and given back by any thread; who finds none does without.
 *
 *	open ──► a place: what is known already ──begin──► and when its handler began ──close──► free
 *	                                          └── the process ends here: what is left tells of it
 *
 * Read as a stranger's memory.
 */
#ifndef BAY_BASE_HOP_TABLE_H
#define BAY_BASE_HOP_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hop_ring.h"

enum { HOP_TABLE_SIZE = 1024 };

enum hop_place_state {
	HOP_PLACE_FREE = 0,
	HOP_PLACE_WRITING,
	HOP_PLACE_OPEN,
	HOP_PLACE_STALLED, /* its handler kept the loop when somebody asked */
	HOP_PLACE_CRASHED  /* its handler ran when the process crashed */
};

struct hop_place {
	_Atomic uint64_t state; /* enum hop_place_state */
	_Atomic uint64_t words[HOP_WORDS];
};

struct hop_table {
	_Atomic uint64_t next;       /* where a free place is looked for first */
	_Atomic uint64_t crashed;    /* the place in that state, from 1; 0: none */
	_Atomic uint64_t crashed_ns; /* clock_monotonic_ns when the process did, with or without one */
	struct hop_place places[HOP_TABLE_SIZE];
} __attribute__((aligned(64)));

/* Returns the number of the place, from 1; 0: all are taken, which the functions below take as well. */
uint16_t hop_table_open(struct hop_table *table, const struct hop *hop);

/* Its handler begins; it came the way that the flags say. */
void hop_table_begin(struct hop_table *table, uint16_t place, int64_t begun_ns, uint64_t flags);

void hop_table_close(struct hop_table *table, uint16_t place);

/* Its handler runs, while the loop is stuck, or while the process crashes. Safe in a signal handler; a
 * place that is none is fine. */
void hop_table_stall(struct hop_table *table, uint16_t place);
void hop_table_crash(struct hop_table *table, uint16_t place);

/* The same of whoever works for the hop with that span, also when that has ended. */
void hop_table_crash_of(struct hop_table *table, uint16_t place, uint64_t span);

/* The number of the place of the hop that crashed, 0: none; and when the process did, 0: it has not. */
uint16_t hop_table_crashed(const struct hop_table *table, int64_t *crashed_ns_r);

/* place from 1 to HOP_TABLE_SIZE. What stands there, and its state; another one than those of a hop
 * that is there and whole: there is none. */
enum hop_place_state hop_table_read(const struct hop_table *table, uint16_t place, struct hop *hop_r);

#endif
