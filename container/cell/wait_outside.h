/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the waits of this cell lead to others, and theirs come here: what the master needs to find
 * circles through several cells.
 */
#ifndef BAY_CELL_WAIT_OUTSIDE_H
#define BAY_CELL_WAIT_OUTSIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/service.h"

struct scheduler;
struct wait_edges;

enum wait_crossing_kind {
	WAIT_SENT = 0, /* a request of ours that another cell has */
	WAIT_UNSENT,   /* one that is to go there, and is held back since the queue there has no room */
	WAIT_SERVED    /* a request of another cell */
};

struct wait_crossing {
	enum wait_crossing_kind kind;
	uint64_t node;
	uint64_t epoch;
	uint64_t id;
	char cell[SERVICE_NAME_SIZE];
	char service[SERVICE_NAME_SIZE];
};

/* Zeroed: empty. */
struct wait_crossings {
	struct wait_crossing *rows;
	size_t count;
	size_t size;
	bool too_many;
};

void wait_crossings_append(struct wait_crossings *crossings, const struct wait_crossings *more);
void wait_crossings_finish(struct wait_crossings *crossings);

/* Adds the requests of other cells that came over links of the loop. Its thread; no task runs. */
void wait_crossings_of_loop(struct wait_crossings *crossings, const struct scheduler *scheduler);

/* Adds what is sent and to be sent. Any thread. */
void wait_crossings_of_routes(struct wait_crossings *crossings);

/* What the cell says as "waits" (protocol/cell_link.h): the edges between nodes that would wait for ever
 * if all other cells did. NULL: no other cell is needed for anything, or, *cut_r, there are too many of them
 * to be told. */
json_t *wait_outside_report(const struct wait_edges *edges, const struct wait_crossings *crossings, bool *cut_r);

/* Whether some task would wait for ever if all other cells did; of the crossings what is sent and to be
 * sent is enough. */
bool wait_outside_stands(const struct wait_edges *edges, const struct wait_crossings *sent);

#endif
