/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replacement of a cell in which too much lingers, which is configured otherwise, or which has
 * grown beyond its limits, without a failed request: services are
 * STARTING, so that who calls from outside waits; what is under way ends; the cell ends, letting
 * the connections that it has accepted end, too; and the next one starts everything.
 *
 *	wanted -> no step is under way for any service -> draining -> shut down -> the next cell
 *
 * Part of the cell as the master sees it. Master only; never suspends.
 */
#ifndef BAY_MASTER_CELL_REPLACEMENT_H
#define BAY_MASTER_CELL_REPLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

struct cell_keeper;
struct cell_replacement;
struct config;
struct master_cell;
struct supervisor;

/* All are borrowed; cell is whose services are concerned. */
struct cell_replacement *cell_replacement_create(const struct master_cell *cell,
	struct supervisor *supervisor, struct cell_keeper *keeper, const struct config *config);

/* NULL is fine. */
void cell_replacement_destroy(struct cell_replacement *replacement);

/* The same, from another configuration; borrowed. */
void cell_replacement_set_config(struct cell_replacement *replacement, const struct config *config);

/* Something lingers, or does no more: the cell is replaced if that is too much. */
void cell_replacement_consider(struct cell_replacement *replacement);

/* Its process is not what it should be, and why (copied): the cell is replaced. */
void cell_replacement_demand(struct cell_replacement *replacement, const char *why);

/* Whether that is so, or nobody is let in any more. */
bool cell_replacement_is_demanded(const struct cell_replacement *replacement);

/* Whether the cell is to be replaced, so that nothing more is to be put into it. */
bool cell_replacement_is_wanted(const struct cell_replacement *replacement);

/* Whether nobody is let in any more for that. */
bool cell_replacement_is_under_way(const struct cell_replacement *replacement);

/* The cell has ended, for whatever reason, or is stopped for good. */
void cell_replacement_is_over(struct cell_replacement *replacement);

#endif
