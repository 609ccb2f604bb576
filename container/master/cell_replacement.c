/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_replacement.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config_data.h"
#include "master/cell_keeper.h"
#include "master/event_log.h"
#include "master/master_cell.h"
#include "master/service_canary.h"
#include "master/supervisor.h"

static const struct timeval replacement_look = {.tv_usec = 10 * 1000};
static const struct timeval replacement_put_off = {.tv_usec = 500 * 1000};

struct cell_replacement {
	const struct master_cell *cell;
	struct supervisor *supervisor;
	struct cell_keeper *keeper;
	const struct config *config;
	struct event *timer;
	bool wanted;
	char *other;   /* why it is demanded; NULL: it is not */
	bool draining; /* no more requests come from outside */
	int64_t until_ns;
};

/* The services of the cell: the one from *index on, which is moved behind it, or NULL. */
static struct master_service *
replacement_next(const struct cell_replacement *replacement, size_t *index)
{
	while (*index < supervisor_count(replacement->supervisor)) {
		struct master_service *service = supervisor_service(replacement->supervisor, (*index)++);

		if (service->cell == replacement->cell)
			return service;
	}
	return NULL;
}

/* Also of services that the configuration has no more, or that have moved. */
static size_t
replacement_lingering(const struct cell_replacement *replacement)
{
	const struct master_service *service;
	size_t count = 0;

	for (uint32_t slot = 0; (service = supervisor_by_slot(replacement->supervisor, slot)) != NULL; slot++)
		for (size_t i = 0; i < service->lingering_count; i++)
			count += service->lingering[i].cell == replacement->cell;
	return count;
}

/* A service is paused and has messages, which would end with the cell. */
static bool
replacement_would_lose(const struct cell_replacement *replacement)
{
	const struct cell_process *cell = cell_keeper_process(replacement->keeper);
	const struct master_service *service;
	struct status_service_view view;

	for (size_t i = 0; cell != NULL && (service = replacement_next(replacement, &i)) != NULL;) {
		if (service->gate.state != CELL_GATE_PAUSED)
			continue;
		status_page_read_service(cell_process_page(cell), service->slot, &view);
		if (view.queue_length > 0 || view.waiting_senders > 0)
			return true;
	}
	return false;
}

/* Nothing is being started, swapped or stopped. */
static bool
replacement_may_begin(const struct cell_replacement *replacement)
{
	const struct master_service *service;

	for (size_t i = 0; (service = replacement_next(replacement, &i)) != NULL;) {
		if (service->step != SERVICE_STEP_NONE)
			return false;
	}
	return cell_keeper_state(replacement->keeper) == CELL_READY;
}

/* Nothing is on its way to the cell, waits in it or is handled. */
static bool
replacement_is_quiet(const struct cell_replacement *replacement)
{
	const struct cell_process *process = cell_keeper_process(replacement->keeper);
	const struct master_service *service;
	struct status_service_view view;

	if (!cell_process_is_idle(process))
		return false;
	for (size_t i = 0; (service = replacement_next(replacement, &i)) != NULL;) {
		status_page_read_service(cell_process_page(process), service->slot, &view);
		if (view.in_flight > 0 || view.queue_length > 0 || view.waiting_senders > 0)
			return false;
	}
	return true;
}

/* The caller's. */
static char *
replacement_why(const struct cell_replacement *replacement)
{
	if (replacement->other != NULL)
		return xstrdup(replacement->other);
	return xasprintf("%zu generations linger in it", replacement_lingering(replacement));
}

static void
replacement_begin(struct cell_replacement *replacement)
{
	struct master_service *service;
	char *why = replacement_why(replacement);

	if (replacement->other != NULL)
		log_info(cell_keeper_subject(replacement->keeper), "is replaced: %s", why);
	else
		log_info(cell_keeper_subject(replacement->keeper), "is replaced: %s (max_lingering = %d)", why,
			(int)replacement->config->container.max_lingering);
	free(why);
	replacement->draining = true;
	replacement->until_ns = clock_monotonic_ns() + replacement->config->container.drain_timeout_ns;
	for (size_t i = 0; (service = replacement_next(replacement, &i)) != NULL;) {
		service_canary_leave(service, "its cell is replaced");
		if (service->state == SERVICE_READY)
			master_service_set_state(service, SERVICE_STARTING, NULL);
	}
}

static void
replacement_hand_over(struct cell_replacement *replacement)
{
	char *why = replacement_why(replacement);

	if (replacement_is_quiet(replacement))
		event_log_add(supervisor_events(replacement->supervisor), EVENT_DRAINED, &(struct event_facts){0},
			"%s has ended its requests and is replaced: %s", cell_keeper_subject(replacement->keeper), why);
	free(why);
	cell_keeper_hand_over(replacement->keeper, replacement->config->container.drain_timeout_ns,
		supervisor_limits(replacement->supervisor)->grace_ns);
}

static void
replacement_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct cell_replacement *replacement = arg;

	(void)fd;
	(void)what;
	if (!replacement->wanted)
		return;
	if (!replacement->draining && replacement_would_lose(replacement)) {
		event_add(replacement->timer, &replacement_put_off);
		return;
	}
	if (!replacement->draining && replacement_may_begin(replacement))
		replacement_begin(replacement);
	if (replacement->draining && (replacement_is_quiet(replacement) ||
	    clock_monotonic_ns() >= replacement->until_ns))
		replacement_hand_over(replacement);
	else
		event_add(replacement->timer, &replacement_look);
}

void
cell_replacement_consider(struct cell_replacement *replacement)
{
	if (replacement->wanted ||
	    replacement_lingering(replacement) <= (size_t)replacement->config->container.max_lingering)
		return;
	replacement->wanted = true;
	event_add(replacement->timer, &replacement_look);
}

void
cell_replacement_demand(struct cell_replacement *replacement, const char *why)
{
	if (replacement->other == NULL)
		replacement->other = xstrdup(why);
	replacement->wanted = true;
	if (!event_pending(replacement->timer, EV_TIMEOUT, NULL))
		event_add(replacement->timer, &replacement_look);
}

bool
cell_replacement_is_wanted(const struct cell_replacement *replacement)
{
	/* While it is put off, all goes on as before. */
	return replacement->wanted && (replacement->draining || !replacement_would_lose(replacement));
}

bool
cell_replacement_is_demanded(const struct cell_replacement *replacement)
{
	return replacement->other != NULL || replacement->draining;
}

void
cell_replacement_set_config(struct cell_replacement *replacement, const struct config *config)
{
	replacement->config = config;
}

bool
cell_replacement_is_under_way(const struct cell_replacement *replacement)
{
	return replacement->draining;
}

void
cell_replacement_is_over(struct cell_replacement *replacement)
{
	replacement->wanted = false;
	free(replacement->other);
	replacement->other = NULL;
	replacement->draining = false;
	event_del(replacement->timer);
}

struct cell_replacement *
cell_replacement_create(const struct master_cell *cell, struct supervisor *supervisor,
	struct cell_keeper *keeper, const struct config *config)
{
	struct cell_replacement *replacement = xcalloc(1, sizeof(*replacement));

	replacement->cell = cell;
	replacement->supervisor = supervisor;
	replacement->keeper = keeper;
	replacement->config = config;
	replacement->timer = evtimer_new(supervisor_base(supervisor), replacement_on_timer, replacement);
	return replacement;
}

void
cell_replacement_destroy(struct cell_replacement *replacement)
{
	if (replacement == NULL)
		return;
	event_free(replacement->timer);
	free(replacement->other);
	free(replacement);
}
