/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_health.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status_page.h"
#include "master/event_log.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* --- what the plugin says -------------------------------------------------------------- */

void
service_health_note(struct master_service *service, const struct cell_health *told)
{
	struct service_health *health = &service->health;
	bool was_well = health->reason == NULL || health->generation != told->generation;
	char subject[CONFIG_NAME_MAX + 16];

	if (service->state != SERVICE_STARTING && service->state != SERVICE_READY)
		return;
	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	if (told->reason != NULL) {
		log_warn(subject, "unhealthy: %s [service-health]", told->reason);
		master_service_note(service, EVENT_UNHEALTHY, "%s", told->reason);
	} else if (!was_well) {
		log_info(subject, "healthy");
		master_service_note(service, EVENT_HEALTHY, NULL);
	}
	free(health->reason);
	health->reason = told->reason != NULL ? xstrdup(told->reason) : NULL;
	health->generation = told->generation;
}

void
service_health_forget(struct master_service *service)
{
	free(service->health.reason);
	service->health.reason = NULL;
}

/* --- what can be seen ------------------------------------------------------------------- */

/* Whether a task of it keeps a loop of its cell. */
static bool
health_is_stuck(const struct master_service *service, struct service_health_view *view)
{
	const struct status_page *page = master_cell_page(service->cell);
	struct status_loop_view loop;
	char span[CLOCK_TEXT_SIZE];
	int64_t held_ns;

	for (uint32_t i = 0; page != NULL && i < page->loops; i++) {
		if (!status_page_loop_is_silent(page, i, &loop, &held_ns) || loop.slot != service->slot)
			continue;
		snprintf(view->why, sizeof(view->why), "its task %s has kept loop %u busy for %s", loop.task,
			(unsigned)i, clock_format_duration(span, sizeof(span), held_ns));
		return true;
	}
	return false;
}

/* What its cell, or the master, has noticed of it. One that keeps it from serving is severe. */
static bool
health_has_fault(const struct master_service *service, bool severe, struct service_health_view *view)
{
	for (int kind = 0; kind < CELL_FAULT_KINDS; kind++) {
		if (service->faults.text[kind] == NULL || (kind == CELL_FAULT_DEADLOCK) != severe)
			continue;
		snprintf(view->why, sizeof(view->why), "%s: %s", cell_fault_name((enum cell_fault_kind)kind),
			service->faults.text[kind]);
		return true;
	}
	return false;
}

static bool
health_is_late(const struct master_service *service, const struct status_service_view *counts,
	struct service_health_view *view)
{
	int64_t limit_ns = service->config->health_queue_ns;
	int64_t now_ns = clock_monotonic_ns();
	char span[CLOCK_TEXT_SIZE];
	int64_t age_ns;

	/* What is paused waits because somebody wants it to. */
	if (limit_ns == 0 || service->gate.state == CELL_GATE_PAUSED || counts->queue_oldest_ns == 0 ||
	    counts->queue_oldest_ns > (uint64_t)now_ns)
		return false;
	age_ns = now_ns - (int64_t)counts->queue_oldest_ns;
	if (age_ns <= limit_ns)
		return false;
	snprintf(view->why, sizeof(view->why), "a message has waited in its queue for %s",
		clock_format_duration(span, sizeof(span), age_ns));
	return true;
}

static bool
health_has_failed(const struct master_service *service, struct service_health_view *view)
{
	int64_t last_ns = master_service_last_failure(service);
	int64_t ago_ns = clock_monotonic_ns() - last_ns;
	char span[CLOCK_TEXT_SIZE];

	if (last_ns == 0 || ago_ns > service->config->start_limit.period_ns)
		return false;
	snprintf(view->why, sizeof(view->why), "it failed %s ago",
		clock_format_duration(span, sizeof(span), ago_ns));
	return true;
}

/* Whether a cell refuses calls to it. */
static bool
health_is_refused(const struct master_service *service, struct service_health_view *view)
{
	const struct supervisor *supervisor = service->supervisor;
	struct status_breaker_view breaker;

	for (size_t i = 0; i < supervisor_cell_count(supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(supervisor, i);

		if (!service_guard_look(service, cell, &breaker))
			continue;
		snprintf(view->why, sizeof(view->why), "its breaker in cell %s is %s: %" PRIu64 "%% of %" PRIu64
			" calls failed", master_cell_name(cell), service_guard_state_name(breaker.state),
			breaker.calls > 0 ? breaker.failed * 100 / breaker.calls : 0, breaker.calls);
		return true;
	}
	return false;
}

void
service_health_look(const struct master_service *service, const struct status_service_view *counts,
	struct service_health_view *view_r)
{
	const struct service_health *health = &service->health;

	view_r->why[0] = '\0';
	if (service->state != SERVICE_READY && service->state != SERVICE_STOPPING) {
		view_r->word = "down";
	} else if (health->reason != NULL && service->image != NULL &&
		health->generation == service->image->generation) {
		view_r->word = "unhealthy";
		snprintf(view_r->why, sizeof(view_r->why), "%s", health->reason);
	} else if (health_is_stuck(service, view_r) || health_has_fault(service, true, view_r)) {
		view_r->word = "unhealthy";
	} else if (health_is_refused(service, view_r) || health_has_fault(service, false, view_r) ||
		health_is_late(service, counts, view_r) || health_has_failed(service, view_r)) {
		view_r->word = "degraded";
	} else {
		view_r->word = "healthy";
	}
}
