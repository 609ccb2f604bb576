/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loops that a task has kept for long, so that nothing else of them can run: read from the
 * status pages, so it can be told while a whole cell hangs. Master only; never suspends.
 */
#ifndef BAY_MASTER_SILENT_LOOPS_H
#define BAY_MASTER_SILENT_LOOPS_H

#include <jansson.h>
#include <stdbool.h>

struct buffer;
struct master;
struct master_cell;
struct master_service;
struct supervisor;

/* An array of SilentLoop objects, the caller's: all, or those that run code of only. NULL: no
 * memory. */
json_t *silent_loops_report(const struct master *master, const struct master_service *only)
	__attribute__((warn_unused_result));

/* Adds those of one cell to the array. False: no memory. */
bool silent_loops_report_cell(const struct master *master, const struct master_cell *cell,
	const struct master_service *only, json_t *loops)
	__attribute__((warn_unused_result));

/* Appends " (loop 0 hangs in service spin, task handle)" for each of the cell that there is memory for. */
void silent_loops_append(struct buffer *text, const struct supervisor *supervisor,
	const struct master_cell *cell);

#endif
