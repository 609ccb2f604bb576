/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands that the cell answers: messages to services, and the list of tasks. Each has
 * a time limit of the master's own, so a cell whose loops hang keeps no client waiting.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_CALLS_H
#define BAY_MASTER_ADMIN_CALLS_H

#include "master/admin_request.h"

struct master;

void admin_call(struct admin_request *request, struct master *master);
void admin_send(struct admin_request *request, struct master *master);
void admin_tasks(struct admin_request *request, struct master *master);

#endif
