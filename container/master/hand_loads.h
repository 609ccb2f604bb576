/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugins that are loaded by hand, from anywhere, and become services without a section; and the end of
 * those and of what autoload has made. What is loaded is examined as any, is not watched, and is
 * forgotten with bayd.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_HAND_LOADS_H
#define BAY_MASTER_HAND_LOADS_H

#include <bay/status.h>
#include <stddef.h>

#include "master/event_log.h"

struct hand_loads;
struct master;
struct master_service;

/* NULL: no memory. */
struct hand_loads *hand_loads_create(struct master *master)
	__attribute__((warn_unused_result));

/* Nothing more is begun; who waits is told. */
void hand_loads_stop(struct hand_loads *loads);

/* After the services. NULL is fine. */
void hand_loads_destroy(struct hand_loads *loads);

/* How a load came out. BAY_OK: the service is ready. BAY_INVALID: the file, the plugin, a name or a
 * setting is refused; BAY_BUSY: the name is taken; BAY_FAILED: it did not start; BAY_CLOSED. With
 * these nothing is left of it, and service is NULL or about to be removed. */
typedef void hand_loaded_fn(struct master_service *service, enum bay_status status, const char *message,
	void *arg);

struct hand_load_wish {
	const char *file;            /* absolute */
	const char *name;            /* of the service; NULL: as the file is called */
	const char *const *settings; /* "key=value", of Bay or of the plugin */
	size_t setting_count;
	struct event_by by;
	hand_loaded_fn *done;        /* called once, perhaps before hand_loads_begin returns */
	void *arg;
};

void hand_loads_begin(struct hand_loads *loads, const struct hand_load_wish *wish);

/* How an unload came out, for all services together. BAY_OK; BAY_NOT_FOUND: nobody runs such a
 * plugin; BAY_BUSY: those who do are of the configuration, or one does not end; BAY_TIMEOUT: one goes on
 * beyond its drain_timeout; BAY_CANCELED. ended has those that are gone. */
typedef void hand_unloaded_fn(struct master_service *const *ended, size_t count, enum bay_status status,
	const char *message, void *arg);

/* Ends the services that run this plugin and that no section names. done as above. */
void hand_loads_unload(struct hand_loads *loads, const char *plugin, const struct event_by *by,
	hand_unloaded_fn *done, void *arg);

#endif
