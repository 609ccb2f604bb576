/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "master/admin_commands.h"
#include "master/master.h"
#include "master/silent_loops.h"
#include "master/supervisor.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"

/* The cell keeps the deadlines of calls; this is how much later the master does. */
static const int64_t call_grace_ns = 2 * (int64_t)CLOCK_NS_PER_S;
static const int64_t tasks_timeout_ns = CLOCK_NS_PER_S;

/* --- what waits for the cell ------------------------------------------------------------- */

struct admin_cell_call {
	struct admin_request *request;
	struct master *master;
	struct master_service *service; /* whose message it is, or NULL */
	int64_t started_ns;
};

static struct admin_cell_call *
admin_cell_call_create(struct admin_request *request, struct master *master,
	struct master_service *service)
{
	struct admin_cell_call *call = xcalloc(1, sizeof(*call));

	call->request = request;
	call->master = master;
	call->service = service;
	call->started_ns = clock_monotonic_ns();
	return call;
}

/* Ends the request with whatever went wrong. */
static void
admin_cell_call_fail(struct admin_cell_call *call, const struct cell_reply *reply)
{
	struct buffer hint = {0};
	const char *text;

	if (reply->kind == CELL_REPLY_DIED && call->service != NULL)
		master_service_count_lost_call(call->service);
	if (reply->kind == CELL_REPLY_SILENT)
		silent_loops_append(&hint, call->master);
	text = buffer_text(&hint);
	admin_fail(call->request, reply->status, "%s%s", reply->message, text != NULL ? text : "");
	buffer_finish(&hint);
}

/* --- Call and Send ------------------------------------------------------------------------- */

/* Passes the body of the cell's reply on. */
static void
admin_call_succeed(struct admin_cell_call *call, const struct cell_reply *reply)
{
	json_t *parameters = json_pack("{s:I}", "duration_ns",
		(json_int_t)(clock_monotonic_ns() - call->started_ns));
	char error[BODY_ERROR_SIZE] = "no memory";
	int fd = -1;

	if (parameters != NULL &&
	    body_forward(reply->parameters, reply->fds, parameters, &fd, error) == BAY_OK) {
		admin_reply_with_fd(call->request, parameters, fd);
		return;
	}
	json_decref(parameters);
	admin_fail(call->request, BAY_FAILED, "pass on the reply of the service: %s", error);
}

static void
admin_on_call_reply(const struct cell_reply *reply, void *arg)
{
	struct admin_cell_call *call = arg;

	if (reply->kind == CELL_REPLY_DONE)
		admin_call_succeed(call, reply);
	else if (reply->by_handler)
		admin_fail_by_handler(call->request, reply->status, "%s", reply->message);
	else
		admin_cell_call_fail(call, reply);
	free(call);
}

static void
admin_on_send_reply(const struct cell_reply *reply, void *arg)
{
	struct admin_cell_call *call = arg;

	if (reply->kind == CELL_REPLY_DONE)
		admin_reply(call->request, NULL);
	else
		admin_cell_call_fail(call, reply);
	free(call);
}

/* The service if it takes messages; NULL: the request has been ended with the reason. */
static struct master_service *
admin_find_open_service(struct admin_request *request, const struct master *master)
{
	struct master_service *service = admin_find_service(request, master);

	if (service == NULL || admin_refused_while_draining(request, master))
		return NULL;
	if (service->state == SERVICE_READY && supervisor_ready_cell(master->supervisor) != NULL)
		return service;
	if (service->reason != NULL)
		admin_fail(request, BAY_CLOSED, "service %s is %s: %s", service->config->name,
			service_state_name(service->state), service->reason);
	else
		admin_fail(request, BAY_CLOSED, "service %s is %s", service->config->name,
			service_state_name(service->state));
	return NULL;
}

/* Forwards the message unread, or ends the request with the reason why not. */
static void
admin_forward(struct admin_request *request, struct master *master, bool one_way)
{
	struct master_service *service = admin_find_open_service(request, master);
	struct cell_call call = {.one_way = one_way};
	char error[BODY_ERROR_SIZE] = "no memory";
	const json_t *timeout;
	json_t *parameters;
	int64_t limit_ns;
	int fd = -1;

	/* An ended request is gone. */
	if (service == NULL)
		return;
	timeout = json_object_get(request->parameters, "timeout_ns");
	call.service = service->config->name;
	call.content_type = json_string_value(json_object_get(request->parameters, "content_type"));
	call.timeout_ns = json_is_integer(timeout) ? json_integer_value(timeout) :
		service->config->timeout_ns;
	parameters = cell_call_to_json(&call);
	if (parameters == NULL || body_forward(request->parameters, &request->fds, parameters, &fd,
		error) != BAY_OK) {
		json_decref(parameters);
		admin_fail(request, BAY_INVALID, "take the message: %s", error);
		return;
	}
	/* 0 is no limit, and the largest one is as good as none. */
	limit_ns = call.timeout_ns == 0 || call.timeout_ns > INT64_MAX - call_grace_ns ? 0 :
		call.timeout_ns + call_grace_ns;
	cell_process_call(supervisor_ready_cell(master->supervisor), CELL_CALL, parameters, fd,
		limit_ns, one_way ? admin_on_send_reply : admin_on_call_reply,
		admin_cell_call_create(request, master, service));
}

void
admin_call(struct admin_request *request, struct master *master)
{
	admin_forward(request, master, false);
}

void
admin_send(struct admin_request *request, struct master *master)
{
	admin_forward(request, master, true);
}

/* --- Tasks ------------------------------------------------------------------------------------ */

/* The cell did not answer: its tasks are not known, but what keeps it from answering is. */
static void
admin_tasks_tell_silence(struct admin_cell_call *call, const struct cell_reply *reply)
{
	json_t *loops = silent_loops_report(call->master, NULL);

	if (loops != NULL && json_array_size(loops) > 0) {
		admin_answer(call->request, json_pack("{s:[], s:o}", "tasks", "silent_loops", loops));
		return;
	}
	json_decref(loops);
	admin_cell_call_fail(call, reply);
}

static void
admin_on_tasks_reply(const struct cell_reply *reply, void *arg)
{
	struct admin_cell_call *call = arg;

	if (reply->kind == CELL_REPLY_DONE)
		admin_answer(call->request, json_deep_copy(reply->parameters));
	else if (reply->kind == CELL_REPLY_SILENT)
		admin_tasks_tell_silence(call, reply);
	else
		admin_cell_call_fail(call, reply);
	free(call);
}

void
admin_tasks(struct admin_request *request, struct master *master)
{
	struct cell_process *cell = supervisor_process(master->supervisor);
	struct cell_tasks tasks = {.service = admin_service_argument(request)};

	if (tasks.service != NULL && admin_find_service(request, master) == NULL)
		return;
	if (cell == NULL) {
		/* No process, no tasks. */
		admin_answer(request, json_pack("{s:[], s:[]}", "tasks", "silent_loops"));
		return;
	}
	cell_process_call(cell, CELL_TASKS, cell_tasks_to_json(&tasks), -1, tasks_timeout_ns,
		admin_on_tasks_reply, admin_cell_call_create(request, master, NULL));
}
