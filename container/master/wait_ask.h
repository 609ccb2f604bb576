/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks cells for what their tasks wait for, and those whose tasks seem to wait for each other for ever once
 * more, as wait_join.h says. A cell that does not answer is waited for a second each time.
 *
 *	ask = wait_ask_create(supervisor, ...)
 *	wait_ask_cell(ask, cell, ...), for each of them
 *	wait_ask_begin(ask)  ──► answered() for each of them ──► done(), and it is gone
 *
 * Ends by itself, at the latest when the cells do. Master only; never suspends.
 */
#ifndef BAY_MASTER_WAIT_ASK_H
#define BAY_MASTER_WAIT_ASK_H

#include <stdbool.h>
#include <stdint.h>

struct cell_reply;
struct cell_tasks;
struct master_cell;
struct supervisor;
struct wait_ask;
struct wait_join;

struct wait_ask_watcher {
	/* The first answer of a cell, or why there is none. NULL: nobody wants it. */
	void (*answered)(const struct master_cell *cell, const struct cell_reply *reply, bool waits_only, void *arg);
	/* All that was said is in the join. The ask is freed when it returns. */
	void (*done)(const struct wait_ask *ask, struct wait_join *join, void *arg);
	void *arg;
};

/* Copies the watcher. */
struct wait_ask *wait_ask_create(const struct supervisor *supervisor, const struct wait_ask_watcher *watcher)
	__attribute__((warn_unused_result));

/* Each cell once at most. False: it has no process. */
bool wait_ask_cell(struct wait_ask *ask, const struct master_cell *cell, const struct cell_tasks *tasks);

/* All that are to be asked have been. done() follows, from in here if that was nobody. */
void wait_ask_begin(struct wait_ask *ask);

/* Once it is done: whether the cell has told all that waits in it, whenever it was asked; and the time that the
 * event loops of one cell needed for that, at most. */
bool wait_ask_is_sure_of(const struct wait_ask *ask, const struct master_cell *cell);
int64_t wait_ask_took_ns(const struct wait_ask *ask);

#endif
