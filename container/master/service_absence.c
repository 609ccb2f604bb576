/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_absence.h"

#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

static void
absence_tell(const struct master_cell *cell, const struct cell_absent *absent)
{
	struct cell_process *process = master_cell_hears(cell);

	if (process != NULL)
		cell_process_call(process, CELL_ABSENT, cell_absent_to_json(absent), -1, 0, cell_reply_ignore,
			NULL);
}

void
service_tell_absence(struct master_service *service)
{
	static const enum cell_absence states[] = {
		[SERVICE_STOPPED] = CELL_ABSENCE_STOPPED,
		[SERVICE_STARTING] = CELL_ABSENCE_STARTING,
		[SERVICE_FAILED] = CELL_ABSENCE_FAILED,
	};
	struct cell_absent absent = {.service = service->config->name, .reason = service->reason};

	if (service->state == SERVICE_READY || service->state == SERVICE_STOPPING)
		return;
	absent.state = service->gone ? CELL_ABSENCE_UNKNOWN : service->moving ? CELL_ABSENCE_STARTING
		: states[service->state];
	absence_tell(service->cell, &absent);
}

/* It does not serve now, and will in a moment. */
static bool
absence_is_short(const struct master_service *service)
{
	return service->state == SERVICE_STARTING || service->moving ||
		(service->state == SERVICE_FAILED && service->next_try_ns != 0);
}

static enum cell_there
absence_there(const struct master_service *service)
{
	static const enum cell_there there[] = {
		[SERVICE_STOPPED] = CELL_THERE_STOPPED,
		[SERVICE_STARTING] = CELL_THERE_STARTING,
		[SERVICE_READY] = CELL_THERE_READY,
		[SERVICE_STOPPING] = CELL_THERE_READY, /* it has still what it had */
		[SERVICE_FAILED] = CELL_THERE_FAILED,
	};

	return there[service->state];
}

static int64_t
absence_generation(const struct master_service *service)
{
	return service->image != NULL ? service->image->generation : 0;
}

static void
absence_tell_elsewhere(struct master_service *service, const struct master_cell *cell)
{
	const struct cell_absent absent = {
		.service = service->config->name,
		.state = service->gone ? CELL_ABSENCE_UNKNOWN : CELL_ABSENCE_ELSEWHERE,
		.cell = service->gone ? NULL : master_cell_name(service->cell),
		.wait = !service->gone && absence_is_short(service),
		.retry = service->config->retry,
		.poison = service->config->poison,
		.there = absence_there(service),
		.generation = absence_generation(service),
		.reason = service->state == SERVICE_FAILED ? service->reason : NULL,
	};

	absence_tell(cell, &absent);
}

void
service_tell_cell(struct master_service *service, struct master_cell *cell)
{
	if (service->cell == cell)
		service_tell_absence(service);
	else
		absence_tell_elsewhere(service, cell);
}

void
service_tell_others(struct master_service *service)
{
	const struct supervisor *supervisor = service->supervisor;
	const struct service_told told = {.cell = service->cell, .wait = absence_is_short(service),
		.retry = service->config->retry, .poison = service->config->poison, .gone = service->gone,
		.there = absence_there(service), .generation = absence_generation(service)};

	if (told.cell == service->told.cell && told.wait == service->told.wait &&
	    told.retry == service->told.retry && told.poison == service->told.poison &&
	    told.gone == service->told.gone && told.there == service->told.there &&
	    told.generation == service->told.generation)
		return;
	service->told = told;
	for (size_t i = 0; i < supervisor_cell_count(supervisor); i++) {
		if (supervisor_cell(supervisor, i) != service->cell)
			absence_tell_elsewhere(service, supervisor_cell(supervisor, i));
	}
}
