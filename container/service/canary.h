/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A canary: an instance of new code beside the one that has the route, which takes a share of
 * what comes to its loop.
 *
 *	comes --> route's instance --+-- the rest --> handled by itself
 *	                             +-- share % ---> canary
 *
 * Which messages those are is no matter of chance: of any n that come one after the other on a
 * loop it gets n * share / 100, give or take less than one. Both handle no more at once than one
 * instance of the service may. While there is a canary no call is a plain function call, which is
 * why the usual way of calls need not know of it. It counts in columns of its own. What both have
 * subscribed to comes to both.
 *
 * Owning loop only.
 */
#ifndef BAY_SERVICE_CANARY_H
#define BAY_SERVICE_CANARY_H

#include <stdbool.h>

#include "service/instance.h"

/* Gives a new instance its share, 1 .. 99 percent, and starts plugin->run. False without memory
 * for run, or when nobody has the route. */
bool canary_begin(struct bay_instance *instance, unsigned share);

/* It gets nothing more; what it has goes on, and is counted for the service from now on. Nothing
 * happens to one that is no canary. */
void canary_end(struct bay_instance *instance);

/* Who is to handle the next message, of the two. */
struct bay_instance *canary_choose(struct bay_instance *route);

/* Who is to handle the next message that came to an instance with the route. */
static inline struct bay_instance *
canary_or_self(struct bay_instance *route)
{
	return route->canary == NULL ? route : canary_choose(route);
}

#endif
