/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cells want of each other's topics: each tells the patterns that its subscriptions have, and the
 * others are told of them. What is published goes from cell to cell, and is no matter of the master.
 *
 *	cell a ── Topics{patterns} ──► board ── Interest{a, patterns} ──► cell b, cell c
 *
 * Each tells its whole set, instead of the one before, and so is each told: to a cell that does not
 * listen there is one message under way about any other, whatever that says meanwhile.
 *
 * Part of the supervisor. Master only; never suspends.
 */
#ifndef BAY_MASTER_TOPIC_BOARD_H
#define BAY_MASTER_TOPIC_BOARD_H

#include <stdbool.h>

struct buffer;
struct cell_topics;
struct master_cell;
struct supervisor;
struct topic_board;

/* The supervisor is borrowed. */
struct topic_board *topic_board_create(const struct supervisor *supervisor);

/* When no cell has a process any more. NULL is fine. */
void topic_board_destroy(struct topic_board *board);

/* The cell says what it wants (borrowed). False: that cannot be, and why is appended to error. */
bool topic_board_set(struct topic_board *board, struct master_cell *cell, const struct cell_topics *topics,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* A cell is to hear of all others from now on. */
void topic_board_cell_ready(struct topic_board *board, struct master_cell *cell);

/* Its process has ended: it wants nothing any more. */
void topic_board_cell_ended(struct topic_board *board, struct master_cell *cell);

#endif
