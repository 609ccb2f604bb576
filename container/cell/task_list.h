/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of all tasks: each loop writes down its own, the control thread puts them
 * together. A loop that does not answer in time is named instead. Control thread only.
 */
#ifndef BAY_CELL_TASK_LIST_H
#define BAY_CELL_TASK_LIST_H

#include <stdint.h>

struct cell_tasks;
struct control;
struct executor;
struct loop;
struct status_page;

/* Answers the call with this id on control with the tasks that are asked for, within half a second
 * (twice that, if some seem to wait for ever). */
void task_list_begin(struct control *control, struct loop *loop, struct executor *executor,
	const struct status_page *page, int64_t id, const struct cell_tasks *asked);

#endif
