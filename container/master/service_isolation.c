/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_isolation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "master/event_log.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/service_canary.h"
#include "master/service_change.h"
#include "master/service_guard.h"
#include "master/supervisor.h"

/* Notes the crash. True: with it there were enough of them. */
static bool
isolation_is_due(struct master_service *service)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t oldest_ns = service->crashes[0];

	memmove(&service->crashes[0], &service->crashes[1],
		sizeof(service->crashes) - sizeof(service->crashes[0]));
	service->crashes[SERVICE_CRASHES_MAX - 2] = now_ns;
	return oldest_ns != 0 && now_ns - oldest_ns <= service->config->start_limit.period_ns;
}

/* Whether the others whose cell it shares would be better off without it, and it can have one of
 * its own: that is called as it is, and nobody else's. */
static bool
isolation_helps(const struct master_service *service)
{
	const struct supervisor *supervisor = service->supervisor;
	const char *name = service->config->name;
	bool shares = false;

	if (strcmp(name, CONFIG_CELL_MAIN) == 0)
		return false;
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		const struct master_service *other = supervisor_service(supervisor, i);

		if (other == service)
			continue;
		if (strcmp(config_service_cell(other->config), name) == 0 ||
		    strcmp(master_cell_name(other->cell), name) == 0)
			return false;
		shares = shares || (other->cell == service->cell && other->wanted);
	}
	return shares;
}

void
service_isolation_note_crash(struct master_service *service)
{
	if (service->apart || service->config->on_crash != CONFIG_ON_CRASH_ISOLATE ||
	    !isolation_helps(service) || !isolation_is_due(service))
		return;
	service->apart = true;
	master_service_note(service, EVENT_ISOLATED, "it crashed cell %s %d times within the time of its "
		"start_limit, and starts in a cell of its own from now on: "
		"bayctl reset undoes that [service-isolated]", master_cell_name(service->cell),
		SERVICE_CRASHES_MAX);
}

void
service_isolation_reset(struct master_service *service, service_done_fn *done, void *arg)
{
	const struct service_target target = {.source = service->source, .config = service->config,
		.image = service->image};

	if (!service_change_is_possible(service)) {
		done(service, BAY_BUSY, "something else is under way for it: try again when that has ended [busy]",
			arg);
		return;
	}
	if (service->apart && service_canary_runs(service)) {
		char *why = service_canary_refusal(service);

		done(service, BAY_BUSY, why, arg);
		free(why);
		return;
	}
	memset(service->crashes, 0, sizeof(service->crashes));
	master_service_forgive(service);
	service_guard_reset(service);
	service->apart = false;
	if (service->state == SERVICE_READY &&
	    !supervisor_is_in_place(service, service->config)) {
		service_change_generation(service, &target, done, arg);
		return;
	}
	if (service->state != SERVICE_READY)
		supervisor_place(service->supervisor, service);
	done(service, BAY_OK, "", arg);
}
