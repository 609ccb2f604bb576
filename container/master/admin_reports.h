/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands that report without asking the cell: they read the page of figures, so they
 * work while every loop of it hangs. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_REPORTS_H
#define BAY_MASTER_ADMIN_REPORTS_H

#include <jansson.h>

#include "master/admin_request.h"

struct master;

void admin_list(struct admin_request *request, struct master *master);
void admin_status(struct admin_request *request, struct master *master);
void admin_queues(struct admin_request *request, struct master *master);
void admin_stats(struct admin_request *request, struct master *master);

#endif
