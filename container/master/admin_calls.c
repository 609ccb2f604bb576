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
#include "master/supervisor.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"

/* The cell keeps the deadlines of calls; this is how much later the master does. */
static const int64_t call_grace_ns = 2 * (int64_t)CLOCK_NS_PER_S;
static const int64_t tasks_timeout_ns = CLOCK_NS_PER_S;

/* --- loops that do not answer --------------------------------------------------------- */

/* How far each loop had come when the cell was asked. */
struct loop_marks {
	uint32_t count;
	uint64_t passes[STATUS_PAGE_LOOPS_MAX];
};

static void
loop_marks_take(struct loop_marks *marks, const struct status_page *page)
{
	marks->count = page != NULL ? page->loops : 0;
	for (uint32_t loop = 0; loop < marks->count; loop++) {
		struct status_loop_view view;

		status_page_read_loop(page, loop, &view);
		marks->passes[loop] = view.passes;
	}
}

/* Whether a loop runs the same task as before, so that nothing else of it can run. */
static bool
loop_marks_is_silent(const struct loop_marks *marks, const struct status_page *page,
	uint32_t loop, struct status_loop_view *view_r)
{
	status_page_read_loop(page, loop, view_r);
	return loop < marks->count && view_r->passes == marks->passes[loop] &&
		view_r->phase != STATUS_PHASE_IDLE;
}

static const char *
service_name_of(const struct master *master, uint32_t slot)
{
	return slot < supervisor_count(master->supervisor) ?
		supervisor_service(master->supervisor, slot)->config->name : NULL;
}

/* The caller's; NULL: no memory. */
static json_t *
silent_loops(const struct master *master, const struct loop_marks *marks)
{
	const struct status_page *page = supervisor_page(master->supervisor);
	json_t *loops = json_array();

	for (uint32_t loop = 0; page != NULL && loop < page->loops; loop++) {
		struct status_loop_view view;

		if (!loop_marks_is_silent(marks, page, loop, &view))
			continue;
		if (json_array_append_new(loops, json_pack("{s:I, s:s?, s:o}",
			"loop", (json_int_t)loop,
			"service", service_name_of(master, view.slot),
			"task", varlink_text(view.task))) != 0) {
			json_decref(loops);
			return NULL;
		}
	}
	return loops;
}

/* Appends " (loop 0 hangs in service spin, task main)" for each silent loop. */
static void
append_silent_loops(struct buffer *text, const struct master *master,
	const struct loop_marks *marks)
{
	const struct status_page *page = supervisor_page(master->supervisor);

	for (uint32_t loop = 0; page != NULL && loop < page->loops; loop++) {
		struct status_loop_view view;
		const char *service;

		if (!loop_marks_is_silent(marks, page, loop, &view))
			continue;
		service = service_name_of(master, view.slot);
		/* Without memory the error goes without this hint. */
		if (!buffer_printf(text, " (loop %u hangs in service %s%s", (unsigned)loop,
			service != NULL ? service : "?", view.task[0] != '\0' ? ", task " : "") ||
		    !text_escape(text, view.task, strlen(view.task)) || !buffer_append_text(text, ")"))
			buffer_clear(text);
	}
}

/* --- what waits for the cell ------------------------------------------------------------- */

struct admin_cell_call {
	struct admin_request *request;
	struct master *master;
	int64_t started_ns;
	struct loop_marks marks;
};

static struct admin_cell_call *
admin_cell_call_create(struct admin_request *request, struct master *master)
{
	struct admin_cell_call *call = xcalloc(1, sizeof(*call));

	call->request = request;
	call->master = master;
	call->started_ns = clock_monotonic_ns();
	loop_marks_take(&call->marks, supervisor_page(master->supervisor));
	return call;
}

/* Ends the request with whatever went wrong. */
static void
admin_cell_call_fail(struct admin_cell_call *call, const struct cell_reply *reply)
{
	struct buffer hint = {0};
	const char *text;

	if (reply->kind == CELL_REPLY_SILENT)
		append_silent_loops(&hint, call->master, &call->marks);
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
		admin_cell_call_create(request, master));
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
	json_t *loops = silent_loops(call->master, &call->marks);

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
		admin_on_tasks_reply, admin_cell_call_create(request, master));
}
