/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All services of a configuration, in its order; the index is the slot in the status page.
 * Part of the supervisor. Master only.
 */
#ifndef BAY_MASTER_SERVICE_TABLE_H
#define BAY_MASTER_SERVICE_TABLE_H

#include <event2/event.h>
#include <stddef.h>

#include "base/status_page.h"
#include "config/config_data.h"
#include "master/master_service.h"

struct supervisor;

struct service_table {
	struct master_service *services;
	size_t count;
};

/* All are stopped. on_timer gets the service whose timer has fired. */
void service_table_init(struct service_table *table, struct supervisor *supervisor,
	const struct config *config, struct event_base *base, event_callback_fn on_timer);

/* Nobody waits for any of them any more. */
void service_table_finish(struct service_table *table);

/* NULL: there is none of that name. */
struct master_service *service_table_find(const struct service_table *table, const char *name);

/* The service whose init keeps a loop of the cell from everything else, or NULL. */
struct master_service *service_table_find_in_init(const struct service_table *table,
	const struct status_page *page);

/* Says in the log which services had not ended when the cell with this page was killed, and
 * which of their tasks ran then. */
void service_table_log_unfinished(const struct service_table *table,
	const struct status_page *page);

#endif
