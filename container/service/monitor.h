/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tasks that monitor a service are told of it (<bay/monitor.h>): a few counters in its record,
 * and who waits for the next change.
 */
#ifndef BAY_SERVICE_MONITOR_H
#define BAY_SERVICE_MONITOR_H

#include <stdint.h>

#include <bay/monitor.h>

#include "base/list.h"

struct bay_service;

/* Under the lock of the service. */
struct service_news {
	uint64_t changes; /* from 1 on */
	enum bay_monitor_state state;
	int64_t generation; /* of its code while it is READY; 0: not known */
	uint64_t failures;
	uint64_t replaced;
	char *reason;      /* malloc'd, or NULL */
	struct list waits; /* struct monitor_wait.link */
};

void monitor_init(struct service_news *news);
void monitor_finish(struct service_news *news);

/* It is so now, with this generation of its code (0: nobody knows); reason may be NULL. Tells those
 * who wait if that is a change. Any thread. */
void monitor_note(struct bay_service *service, enum bay_monitor_state state, int64_t generation,
	const char *reason);

#endif
