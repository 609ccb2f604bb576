/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cell logs: records come through a pipe and are written as the master's own, under
 * the cell's name whatever name they carry. Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_CELL_LOG_H
#define BAY_MASTER_CELL_LOG_H

struct cell_log;
struct event_base;

/* Takes fd, the non-blocking read end; process ("cell main") is copied. NULL: no memory. */
struct cell_log *cell_log_create(struct event_base *base, int fd, const char *process)
	__attribute__((warn_unused_result));

/* Writes what is still in the pipe: for after the cell's end. */
void cell_log_drain(struct cell_log *log);

/* NULL is fine. */
void cell_log_destroy(struct cell_log *log);

#endif
