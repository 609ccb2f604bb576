/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_guard.h"

#include "master/event_log.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* What it wants; of one that the configuration has no more, nothing is refused. */
static struct service_guard_told
service_guard_wish(const struct master_service *service)
{
	const struct config_service *config = service->config;

	return (struct service_guard_told){
		.breaker = service->gone ? 0 : config->breaker,
		.breaker_calls = config->breaker_calls,
		.breaker_window_ns = config->breaker_window_ns,
		.breaker_delay_ns = config->breaker_delay_ns,
		.breaker_trials = config->breaker_trials,
		.retry_budget = service->gone ? 0 : config->retry_budget,
		.retry_budget_min = config->retry_budget_min,
		.told = true,
	};
}

static bool
service_guard_is_told(const struct service_guard_told *a, const struct service_guard_told *b)
{
	return a->told == b->told && a->breaker == b->breaker && a->breaker_calls == b->breaker_calls &&
		a->breaker_window_ns == b->breaker_window_ns && a->breaker_delay_ns == b->breaker_delay_ns &&
		a->breaker_trials == b->breaker_trials && a->retry_budget == b->retry_budget &&
		a->retry_budget_min == b->retry_budget_min;
}

static void
service_guard_send(const struct master_service *service, const struct master_cell *cell, bool reset)
{
	struct cell_process *process = master_cell_hears(cell);
	const struct service_guard_told wish = service_guard_wish(service);
	const struct cell_guard guard = {
		.service = service->config->name,
		.slot = service->slot,
		.breaker = wish.breaker,
		.breaker_calls = wish.breaker_calls,
		.breaker_window_ns = wish.breaker_window_ns,
		.breaker_delay_ns = wish.breaker_delay_ns,
		.breaker_trials = wish.breaker_trials,
		.retry_budget = wish.retry_budget,
		.retry_budget_min = wish.retry_budget_min,
		.reset = reset,
	};

	if (process != NULL)
		cell_process_call(process, CELL_GUARD, cell_guard_to_json(&guard), -1, 0, cell_reply_ignore, NULL);
}

static void
service_guard_send_all(struct master_service *service, bool reset)
{
	const struct supervisor *supervisor = service->supervisor;

	service->guard_told = service_guard_wish(service);
	for (size_t i = 0; i < supervisor_cell_count(supervisor); i++)
		service_guard_send(service, supervisor_cell(supervisor, i), reset);
}

void
service_guard_tell(struct master_service *service)
{
	const struct service_guard_told wish = service_guard_wish(service);

	if (!service_guard_is_told(&wish, &service->guard_told))
		service_guard_send_all(service, false);
}

void
service_guard_tell_cell(struct master_service *service, const struct master_cell *cell)
{
	service_guard_send(service, cell, false);
}

void
service_guard_reset(struct master_service *service)
{
	service_guard_send_all(service, true);
}

void
service_guard_note(struct master_service *service, const struct master_cell *cell,
	const struct cell_breaker *told)
{
	static const struct {
		enum event_kind kind;
		const char *code;
	} kinds[] = {
		[CELL_BREAKER_CLOSED] = {EVENT_BREAKER_CLOSED, ""},
		[CELL_BREAKER_OPEN] = {EVENT_BREAKER_OPEN, " [breaker-open]"},
		[CELL_BREAKER_HALF_OPEN] = {EVENT_BREAKER_HALF_OPEN, ""},
	};

	master_service_note(service, kinds[told->state].kind, "in cell %s: %s%s", master_cell_name(cell), told->why,
		kinds[told->state].code);
}

bool
service_guard_look(const struct master_service *service, const struct master_cell *cell,
	struct status_breaker_view *view_r)
{
	const struct status_page *page = master_cell_page(cell);

	if (page == NULL)
		return false;
	status_page_read_breaker(page, service->slot, view_r);
	return view_r->state != STATUS_BREAKER_CLOSED;
}

const char *
service_guard_state_name(enum status_breaker state)
{
	static const char *const names[] = {
		[STATUS_BREAKER_CLOSED] = "closed",
		[STATUS_BREAKER_OPEN] = "open",
		[STATUS_BREAKER_HALF_OPEN] = "half-open",
	};

	return names[state];
}
