/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/canary.h"

#include "base/status_page.h"
#include "runtime/scheduler.h"
#include "service/service.h"

static struct bay_instance *
canary_route(const struct bay_instance *instance)
{
	return instance->service->instances[instance->scheduler->index];
}

bool
canary_begin(struct bay_instance *instance, unsigned share)
{
	const struct bay_service *service = instance->service;
	struct bay_instance *route = canary_route(instance);

	if (route == NULL || !instance_begin_run(instance))
		return false;
	instance->is_canary = true;
	instance->counters = &service->counters[status_canary_column(service->columns, instance->scheduler->index)];
	route->canary = instance;
	route->canary_share = share;
	route->canary_due = 0;
	route->direct = false;
	return true;
}

/* What it has in flight goes with it, so that each column comes back to nothing. */
static void
canary_leave_column(struct bay_instance *instance)
{
	struct status_counters *counters = &instance->service->counters[instance->scheduler->index];

	status_add(&instance->counters->in_flight, -(uint64_t)instance->in_flight);
	status_add(&counters->in_flight, instance->in_flight);
	instance->counters = counters;
}

void
canary_end(struct bay_instance *instance)
{
	struct bay_instance *route = canary_route(instance);

	if (!instance->is_canary)
		return;
	instance->is_canary = false;
	canary_leave_column(instance);
	if (route == NULL || route->canary != instance)
		return;
	route->canary = NULL;
	route->direct = instance_is_direct(route);
}

struct bay_instance *
canary_choose(struct bay_instance *route)
{
	route->canary_due += route->canary_share;
	if (route->canary_due < 100)
		return route;
	route->canary_due -= 100;
	return route->canary;
}
