/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of a cell: one thread with one scheduler each. */
#ifndef BAY_CELL_EXECUTOR_H
#define BAY_CELL_EXECUTOR_H

#include <stdbool.h>

#include "base/status_page.h"

struct executor;
struct scheduler;

/* Starts count threads and waits until all run. page is borrowed until destroy. NULL: a
 * thread or its descriptors could not be had (logged). Control thread. */
struct executor *executor_create(unsigned count, const struct status_page *page)
	__attribute__((warn_unused_result));

/*
 * The same with one loop and no thread: the calling one is the loop whenever it runs the
 * scheduler, and nothing of it goes on meanwhile. NULL: no memory or descriptors (logged).
 */
struct executor *executor_create_here(const struct status_page *page)
	__attribute__((warn_unused_result));

/* Stops the threads and frees; no task may be left. NULL is fine. */
void executor_destroy(struct executor *executor);

unsigned executor_count(const struct executor *executor);

/* Of loop i < count. Post to its loop; everything else is its own thread's. */
struct scheduler *executor_scheduler(struct executor *executor, unsigned i);

#endif
