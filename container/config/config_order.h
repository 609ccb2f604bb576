/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who waits for whom: the graph of the keys requires, wants and after of a configuration. A
 * service is started after all that it names by any of them, and stopped before them.
 *
 *	[service web]                 db ◄─requires─ web ─wants─► log
 *	requires = db                  in order: db, log, web
 *	wants = log
 *
 * Borrows the configuration. Any thread; never suspends.
 */
#ifndef BAY_CONFIG_CONFIG_ORDER_H
#define BAY_CONFIG_CONFIG_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_data.h"

struct config_order;
struct config_report;

enum config_relation {
	CONFIG_REQUIRES = 0, /* started with it; it is not started without */
	CONFIG_WANTS,        /* started with it, and what becomes of that is no matter */
	CONFIG_AFTER,        /* only the order */
	CONFIG_RELATIONS
};

/* "requires", "wants", "after": the key. */
const char *config_relation_name(enum config_relation relation);

/* The list of names that the service has in that key. Borrowed. */
const char *config_relation_list(const struct config_service *service,
	enum config_relation relation);

/* Whether the service names the other one in any of the keys. */
bool config_service_follows(const struct config_service *service, const char *name);

/* What is wrong is added to report (NULL: nobody cares): names that no section has, services that
 * name themselves, and circles with the way round. That is left out of the graph. */
struct config_order *config_order_create(const struct config *config,
	struct config_report *report)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void config_order_destroy(struct config_order *order);

/* The index of each service: those that others wait for come first, else the order of the files.
 * Borrowed. */
const size_t *config_order_sorted(const struct config_order *order);

/* marks has one for each service. Marks what those that are marked require or want, and so on. */
void config_order_mark_needed(const struct config_order *order, bool *marks);

/* Whether each service is started with the container: it is enabled, or such a one needs it. The
 * caller frees. */
bool *config_order_starts(const struct config *config)
	__attribute__((warn_unused_result));

/* Marks those that require one that is marked, and so on. */
void config_order_mark_dependants(const struct config_order *order, bool *marks);

#endif
