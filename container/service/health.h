/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether an instance is well, as its plugin sees it: plugin->health is asked as a task of its own,
 * beside the requests, at once and then at intervals. One that does not answer in its time is
 * unwell; so is one that answers anything but BAY_OK. What changes is told to service->on_health.
 *
 *	begun -> asked -> answered -> (interval) -> asked ...
 *	           └ late: told, and asked again when it has come back
 *
 * While another instance has the route nothing is asked. Owning loop only.
 */
#ifndef BAY_SERVICE_HEALTH_H
#define BAY_SERVICE_HEALTH_H

#include <stdbool.h>

struct bay_instance;

/* It has the route: begins to ask, unless its plugin has nothing to ask or its service is not to be
 * asked. After that what it answers is told anew. Without memory nothing is asked. */
void health_begin(struct bay_instance *instance);

/* Asks no more; what is asked just now is cancelled, and wakes instance->quiet when it is back. */
void health_end(struct bay_instance *instance);

/* Whether nothing is being asked. */
bool health_is_over(const struct bay_instance *instance);

/* Nothing may be asked any more. */
void health_finish(struct bay_instance *instance);

#endif
