/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All services of a configuration, in its order, and those that earlier ones had. Each has its
 * slot in the status page, and its figures, for as long as bayd runs: one that comes back finds
 * them again, and who points to one that is gone points to something. Part of the supervisor.
 * Master only.
 */
#ifndef BAY_MASTER_SERVICE_TABLE_H
#define BAY_MASTER_SERVICE_TABLE_H

#include <event2/event.h>
#include <stddef.h>

#include "base/status_page.h"
#include "config/config_data.h"
#include "master/master_service.h"

struct map;
struct supervisor;

struct service_table {
	struct master_service **services; /* of the configuration, or on their way out of it */
	size_t count;
	struct master_service *slots[STATUS_PAGE_SERVICES_MAX]; /* all there ever were */
	uint32_t slot_count;
	struct map *_by_name; /* of those in slots */
	struct supervisor *_supervisor;
	struct event_base *_base;
	event_callback_fn _on_timer;
};

/* All are stopped. on_timer gets the service whose timer has fired. */
void service_table_init(struct service_table *table, struct supervisor *supervisor,
	struct config *config, struct event_base *base, event_callback_fn on_timer);

/* A service that is new, or back again: stopped, and the last one. NULL: there have been as many
 * names as a status page has slots. */
struct master_service *service_table_add(struct service_table *table, struct config *source,
	const struct config_service *config);

/* It is stopped, and nobody finds it any more. Its figures stay, its code does not. */
void service_table_remove(struct service_table *table, struct master_service *service);

/* Puts them into the order of the configuration; what is not in it comes last. */
void service_table_sort(struct service_table *table, const struct config *config);

/* Nobody waits for any of them any more. */
void service_table_finish(struct service_table *table);

/* NULL: there is none of that name; or there never was. */
struct master_service *service_table_find(const struct service_table *table, const char *name);
struct master_service *service_table_find_ever(const struct service_table *table, const char *name);

/* The service whose init keeps a loop of the cell from everything else, or NULL. */
struct master_service *service_table_find_in_init(const struct service_table *table,
	const struct status_page *page);

/* Says in the log which services had not ended when the cell with this page was killed, and
 * which of their tasks ran then. */
void service_table_log_unfinished(const struct service_table *table,
	const struct status_page *page);

#endif
