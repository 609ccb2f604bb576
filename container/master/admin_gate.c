/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "master/admin_commands.h"
#include "master/admin_request.h"
#include "master/master.h"
#include "master/service_gate.h"
#include "master/supervisor.h"
#include "protocol/interface.h"

static void
admin_answer_gate(struct admin_request *request, const struct master_service *service)
{
	admin_answer(request, json_pack("{s:s}", "state", service_gate_state_name(service)));
}

static void
admin_on_gate(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	struct admin_request *request = arg;

	if (status == BAY_OK)
		admin_answer_gate(request, service);
	else
		admin_fail(request, status, "service %s: %s", service->config->name, message);
}

/* "3 running, 12 queued, 1 connection" */
static void
admin_gate_text(const struct cell_gate_seen *seen, char *text, size_t size)
{
	int length = snprintf(text, size, "%" PRId64 " running, %" PRId64 " queued", seen->running, seen->queued);

	if (seen->connections > 0 && length > 0 && (size_t)length < size)
		snprintf(text + length, size - (size_t)length, ", %" PRId64 " %s", seen->connections,
			text_number((size_t)seen->connections, "connection", "connections"));
}

static void
admin_on_drain_progress(struct master_service *service, const struct cell_gate_seen *seen, void *arg)
{
	struct admin_request *request = arg;
	char text[128];

	(void)service;
	admin_gate_text(seen, text, sizeof(text));
	/* Who does not read it in time does without. */
	if (request->more && !admin_reply_part(request, json_pack("{s:s, s:I, s:I, s:I}", "stage", text,
		"running", (json_int_t)seen->running, "queued", (json_int_t)seen->queued,
		"connections", (json_int_t)seen->connections)))
		return;
}

/* NULL: the request has been ended. */
static struct master_service *
admin_gate_service(struct admin_request *request, const struct master *master)
{
	struct master_service *service = admin_find_service(request, master);

	return service == NULL || admin_refused_while_draining(request, master) ? NULL : service;
}

static void
admin_set_gate(struct admin_request *request, const struct master *master, enum cell_gate_state state)
{
	struct master_service *service = admin_gate_service(request, master);

	if (service != NULL)
		service_gate_set(service, &(struct gate_wish){.state = state, .by = admin_by(request),
			.done = admin_on_gate, .arg = request});
}

void
admin_pause(struct admin_request *request, struct master *master)
{
	admin_set_gate(request, master, CELL_GATE_PAUSED);
}

void
admin_resume(struct admin_request *request, struct master *master)
{
	admin_set_gate(request, master, CELL_GATE_OPEN);
}

/* The refusal of a wish that nobody waits for has to be told all the same. */
static void
admin_drain_and_go(struct admin_request *request, struct master_service *service)
{
	service_gate_set(service, &(struct gate_wish){.state = CELL_GATE_CLOSED, .by = admin_by(request)});
	if (service->gate.state == CELL_GATE_CLOSED)
		admin_answer_gate(request, service);
	else
		admin_fail(request, BAY_CLOSED, "service %s: it does not run", service->config->name);
}

void
admin_drain(struct admin_request *request, struct master *master)
{
	const char *wait = json_string_value(json_object_get(request->parameters, "wait"));
	struct master_service *service = admin_gate_service(request, master);

	if (service == NULL)
		return;
	if (wait == NULL || strcmp(wait, "drained") == 0)
		service_gate_set(service, &(struct gate_wish){.state = CELL_GATE_CLOSED, .by = admin_by(request),
			.progress = admin_on_drain_progress, .done = admin_on_gate, .arg = request});
	else if (strcmp(wait, "none") == 0)
		admin_drain_and_go(request, service);
	else
		admin_error(request, INTERFACE_INVALID_PARAMETER, interface_standard_error_parameters(
			"parameter", "wait", "bad-parameter", "wait is none or drained"));
}
