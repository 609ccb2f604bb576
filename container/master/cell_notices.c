/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_notices.h"

#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "master/cell_process.h"
#include "master/circle_watch.h"
#include "master/dead_letters.h"
#include "master/link_broker.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_canary.h"
#include "master/service_control.h"
#include "master/service_faults.h"
#include "master/service_guard.h"
#include "master/service_health.h"
#include "master/service_swap.h"
#include "master/service_table.h"
#include "master/supervisor.h"
#include "master/topic_board.h"
#include "protocol/cell_link.h"

/* One of this cell: it speaks for no others. */
static struct master_service *
cell_notice_find(const struct master_cell *cell, const char *name)
{
	struct master_service *service = supervisor_find(master_cell_supervisor(cell), name);

	return service != NULL && service->cell == cell ? service : NULL;
}

static void
cell_on_listen(struct master_cell *cell, const json_t *parameters, struct cell_answer *answer)
{
	struct master_service *service;
	struct cell_listen asked;
	char error[CELL_ERROR_SIZE];

	answer->status = BAY_INVALID;
	if (!cell_listen_from_json(parameters, &asked, error)) {
		buffer_fail(&answer->message, "%s", error);
	} else if ((service = cell_notice_find(cell, asked.service)) == NULL) {
		answer->status = BAY_NOT_FOUND;
		buffer_fail(&answer->message, "there is no such service");
	} else {
		answer->status = service_control_listen(service, &asked, &answer->fd,
			&answer->message);
	}
}

static void
cell_on_connect(struct master_cell *cell, const json_t *parameters, struct cell_answer *answer)
{
	struct cell_connect asked;
	char error[CELL_ERROR_SIZE];

	answer->status = BAY_INVALID;
	if (cell_connect_from_json(parameters, &asked, error))
		answer->status = link_broker_connect(supervisor_broker(master_cell_supervisor(cell)), cell, asked.cell,
			&answer->message);
	else
		buffer_fail(&answer->message, "%s", error);
}

static void
cell_on_topics(struct master_cell *cell, const json_t *parameters, struct cell_answer *answer)
{
	struct topic_board *board = supervisor_topics(master_cell_supervisor(cell));
	struct cell_topics topics;
	char error[CELL_ERROR_SIZE];

	answer->status = BAY_INVALID;
	if (!cell_topics_from_json(parameters, &topics, error)) {
		buffer_fail(&answer->message, "%s", error);
		return;
	}
	if (topic_board_set(board, cell, &topics, &answer->message))
		answer->status = BAY_OK;
	cell_topics_finish(&topics);
}

void
cell_notices_on_call(const char *method, const json_t *parameters, struct cell_answer *answer,
	void *arg)
{
	struct master_cell *cell = arg;

	if (strcmp(method, CELL_LISTEN) == 0) {
		cell_on_listen(cell, parameters, answer);
	} else if (strcmp(method, CELL_CONNECT) == 0) {
		cell_on_connect(cell, parameters, answer);
	} else if (strcmp(method, CELL_TOPICS) == 0) {
		cell_on_topics(cell, parameters, answer);
	} else {
		answer->status = BAY_INVALID;
		buffer_fail(&answer->message, "bayd does not know the call %s", method);
	}
}

/* False: it cannot be read. */
static bool
cell_on_failed(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_failed failed;

	if (!cell_failed_from_json(parameters, &failed, error))
		return false;
	service = cell_notice_find(cell, failed.service);
	if (service != NULL && service_canary_failed(service, failed.generation, failed.message))
		return true;
	if (service != NULL && service->image != NULL && service->image->generation == failed.generation)
		service_control_failed(service, failed.message);
	return true;
}

static bool
cell_on_stage(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_stage_reached reached;

	if (!cell_stage_reached_from_json(parameters, &reached, error))
		return false;
	service = cell_notice_find(cell, reached.service);
	if (service != NULL)
		service_swap_on_stage(service, reached.generation, cell_stage_name(reached.stage));
	return true;
}

/* Also of a service that has moved to another cell since, or that there is no more. */
static bool
cell_on_lingers(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_lingers lingers;

	if (!cell_lingers_from_json(parameters, &lingers, error))
		return false;
	service = service_table_find_ever(supervisor_table(master_cell_supervisor(cell)), lingers.service);
	if (service != NULL)
		master_service_note_lingering(service, cell, &lingers);
	master_cell_consider_replacement(cell);
	return true;
}

/* It speaks for no others. */
static bool
cell_on_health(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_health health;

	if (!cell_health_from_json(parameters, &health, error))
		return false;
	service = cell_notice_find(cell, health.service);
	if (service != NULL)
		service_health_note(service, &health);
	return true;
}

/* Of its own calls, to whatever service. */
static bool
cell_on_breaker(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_breaker breaker;

	if (!cell_breaker_from_json(parameters, &breaker, error))
		return false;
	service = supervisor_find(master_cell_supervisor(cell), breaker.service);
	if (service != NULL)
		service_guard_note(service, cell, &breaker);
	return true;
}

static bool
cell_on_fault(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_fault fault;

	if (!cell_fault_from_json(parameters, &fault, error))
		return false;
	if (fault.kind == CELL_FAULT_FD_LIMIT) {
		master_cell_renew(cell, fault.text != NULL ? fault.text : "its descriptors are nearly all open");
		return true;
	}
	service = cell_notice_find(cell, fault.service);
	if (service != NULL && fault.kind == CELL_FAULT_DEADLOCK)
		service_faults_note_circle(service, FAULT_SEEN_IN_CELL, fault.text);
	else if (service != NULL)
		service_faults_note(service, fault.kind, fault.text);
	return true;
}

static bool
cell_on_standstill(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct cell_standstill standstill;

	if (!cell_standstill_from_json(parameters, &standstill, error))
		return false;
	circle_watch_note(supervisor_circles(master_cell_supervisor(cell)), cell, standstill.stands);
	return true;
}

static bool
cell_on_broken(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct cell_broken broken;

	if (!cell_broken_from_json(parameters, &broken, error))
		return false;
	link_broker_broken(supervisor_broker(master_cell_supervisor(cell)), cell, broken.cell, broken.epoch,
		broken.reason);
	return true;
}

/* Of a service of another cell, by the one that had sent it. */
static bool
cell_on_dead_letter(struct master_cell *cell, const json_t *parameters, char *error)
{
	struct master_service *service;
	struct cell_dead_letter letter;

	if (!cell_dead_letter_from_json(parameters, &letter, error))
		return false;
	service = supervisor_find(master_cell_supervisor(cell), letter.service);
	if (service != NULL)
		dead_letters_add(service, master_cell_name(cell), &letter, supervisor_config(master_cell_supervisor(cell))->container.state_dir);
	return true;
}

void
cell_notices_on_notice(const char *method, const json_t *parameters, void *arg)
{
	static const struct {
		const char *method;
		bool (*fn)(struct master_cell *cell, const json_t *parameters, char *error);
	} notices[] = {
		{CELL_FAILED, cell_on_failed},
		{CELL_STAGE, cell_on_stage},
		{CELL_LINGERS, cell_on_lingers},
		{CELL_HEALTH, cell_on_health},
		{CELL_BREAKER, cell_on_breaker},
		{CELL_FAULT, cell_on_fault},
		{CELL_STANDSTILL, cell_on_standstill},
		{CELL_BROKEN, cell_on_broken},
		{CELL_DEAD_LETTER, cell_on_dead_letter},
	};
	struct master_cell *cell = arg;
	const char *subject = master_cell_subject(cell);
	char error[CELL_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(notices) / sizeof(*notices); i++) {
		if (strcmp(method, notices[i].method) != 0)
			continue;
		if (!notices[i].fn(cell, parameters, error))
			log_warn(subject, "sent a notice that cannot be read: %s [cell-link]", error);
		return;
	}
	log_warn(subject, "sent a notice that is not known: %s [cell-link]", method);
}
