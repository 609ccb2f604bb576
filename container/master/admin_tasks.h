/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command that lists the tasks: of the cell that a service is in, or of all cells, whose lists
 * are put together. A cell that does not answer is left out, and the loops that keep it from
 * answering are named. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_TASKS_H
#define BAY_MASTER_ADMIN_TASKS_H

struct admin_request;
struct master;

void admin_tasks(struct admin_request *request, struct master *master);

#endif
