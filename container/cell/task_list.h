/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of all tasks: each loop writes down its own, the control thread puts them
 * together. A loop that does not answer in time is named instead. Control thread only.
 */
#ifndef BAY_CELL_TASK_LIST_H
#define BAY_CELL_TASK_LIST_H

#include <stdint.h>

struct control;
struct executor;
struct loop;
struct status_page;

/* Answers the call with this id on control with the tasks of a service (NULL: of all),
 * within half a second. */
void task_list_begin(struct control *control, struct loop *loop, struct executor *executor,
	const struct status_page *page, int64_t id, const char *service);

#endif
