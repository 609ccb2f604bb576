/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitors: a task is told when another service stops, fails, is replaced by other code, or serves
 * again, in whatever cell that is.
 *
 *	struct bay_monitor db = {0};
 *
 *	while (bay_monitor("db", &db, BAY_INHERIT) == BAY_OK)
 *		if (db.state == BAY_MONITOR_READY)
 *			...
 */
#ifndef BAY_MONITOR_H
#define BAY_MONITOR_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

enum bay_monitor_state {
	BAY_MONITOR_UNKNOWN = 0, /* there is no such service, or no more */
	BAY_MONITOR_STARTING,    /* it does not serve yet, or not again yet */
	BAY_MONITOR_READY,
	BAY_MONITOR_STOPPED,
	BAY_MONITOR_FAILED       /* perhaps it is tried again: then it is STARTING after that */
};

/* How a service is, and what has been seen of it: the caller's, and nothing to be freed. Zeroed, it
 * has seen nothing. */
struct bay_monitor {
	uint64_t changes;             /* of those that were seen; for bay_monitor() */
	enum bay_monitor_state state;
	uint64_t failures;            /* how often it has failed, or its cell died, since this cell has known it */
	uint64_t replaced;            /* how often other code took the place of what served, likewise */
	char reason[160];             /* of FAILED, cut if need be; or "" */
	uint64_t reserved_[4];
};

/*
 * Waits until something has changed with the service since the last call with this monitor, and
 * says how it is then. What came and went meanwhile is told together: the state is the present
 * one, and the counters show the rest. The first call returns at once. A service that nobody knows
 * is UNKNOWN, and one of that name that comes later is a change.
 *
 * BAY_OK; BAY_TIMEOUT, BAY_CANCELED: nothing has, and the monitor is as it was; BAY_INVALID: service
 * is no name of a service; BAY_NO_MEMORY. Inside a task; suspends. Since 1.0.
 */
BAY_API int bay_monitor(const char *service, struct bay_monitor *monitor, int64_t deadline);

/* "unknown", "starting", "ready", "stopped", "failed". Any thread; never suspends. Since 1.0. */
BAY_API const char *bay_monitor_state_name(enum bay_monitor_state state);

BAY_END_DECLS

#endif
