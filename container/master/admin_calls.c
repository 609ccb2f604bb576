/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_calls.h"

#include <event2/event.h>
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
#include "master/master_cell.h"
#include "master/service_waiters.h"
#include "master/silent_loops.h"
#include "master/supervisor.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"
#include "protocol/varlink.h"

/* The cell keeps the deadlines of calls; this is how much later the master does. */
static const int64_t call_grace_ns = 2 * (int64_t)CLOCK_NS_PER_S;

/* --- what waits for the cell ------------------------------------------------------------- */

struct admin_cell_call {
	struct admin_request *request;
	struct master *master;
	struct master_service *service;
	const struct master_cell *cell; /* that it was in then */
	struct cell_process *process;   /* of it; ends no sooner than this does */
	int64_t number;                 /* of the call to it */
	bool counts;                    /* it is a message of the service */
	int64_t started_ns;
	const char *argument; /* of the request: what "invalid" is said of; NULL: of none */
};

static struct admin_cell_call *
admin_cell_call_create(struct admin_request *request, struct master *master,
	struct master_service *service)
{
	struct admin_cell_call *call = xcalloc(1, sizeof(*call));

	call->request = request;
	call->master = master;
	call->service = service;
	call->cell = service->cell;
	call->started_ns = clock_monotonic_ns();
	return call;
}

static void
admin_cell_call_on_gone(struct admin_request *request, void *arg)
{
	struct admin_cell_call *call = arg;

	(void)request;
	cell_process_cancel(call->process, call->number);
}

/* Ends the request with whatever went wrong. */
static void
admin_cell_call_fail(struct admin_cell_call *call, const struct cell_reply *reply)
{
	struct buffer hint = {0};
	const char *text;

	if (reply->kind == CELL_REPLY_DIED && call->counts)
		master_service_count_lost_call(call->service);
	if (reply->kind == CELL_REPLY_SILENT)
		silent_loops_append(&hint, call->master->supervisor, call->cell);
	text = buffer_text(&hint);
	admin_fail(call->request, reply->status, "%s%s", reply->message, text != NULL ? text : "");
	buffer_finish(&hint);
}

/* Has the cell make it, and cancel it when the client goes that waits for it; takes parameters and fd. */
static void
admin_cell_call_make(struct admin_cell_call *call, const char *method, json_t *parameters, int fd,
	int64_t timeout_ns, cell_reply_fn *reply)
{
	call->process = master_cell_ready(call->service->cell);
	call->number = cell_process_call(call->process, method, parameters, fd, timeout_ns, reply, call);
	if (!call->request->oneway)
		admin_request_watch(call->request, admin_cell_call_on_gone, NULL, call);
}

/* --- Call and Send ------------------------------------------------------------------------- */

/* Verbs have none. */
static void
admin_call_add_trace(json_t *to, const json_t *from)
{
	const char *traceparent = json_string_value(json_object_get(from, "traceparent"));

	if (traceparent != NULL)
		json_object_set_new(to, "traceparent", varlink_text(traceparent));
}

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
		admin_call_add_trace(parameters, reply->parameters);
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
	else if (call->argument != NULL && !reply->by_handler && reply->status == BAY_INVALID)
		admin_error(call->request, INTERFACE_INVALID_PARAMETER,
			interface_standard_error_parameters("parameter", call->argument, "verb-arguments",
				reply->message));
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

void
admin_fail_not_ready(struct admin_request *request, const struct master_service *service)
{
	if (service->reason != NULL)
		admin_fail(request, BAY_CLOSED, "service %s is %s: %s", service->config->name,
			service_state_name(service->state), service->reason);
	else
		admin_fail(request, BAY_CLOSED, "service %s is %s", service->config->name,
			service_state_name(service->state));
}

bool
admin_is_open(const struct master_service *service)
{
	/* While it gets a new generation, what comes waits in its queue. */
	return (service->state == SERVICE_READY || (service->undo != NULL && !service->moving && !service->moved)) &&
		master_cell_ready(service->cell) != NULL;
}

int64_t
admin_timeout_ns(const struct admin_request *request, const struct master_service *service)
{
	const json_t *timeout = json_object_get(request->parameters, "timeout_ns");

	return json_is_integer(timeout) ? json_integer_value(timeout) : service->config->timeout_ns;
}

/* How long the master waits for what a cell ends after this time. 0 is no limit, and the largest
 * one is as good as none. */
static int64_t
admin_cell_limit_ns(int64_t timeout_ns)
{
	return timeout_ns == 0 || timeout_ns > INT64_MAX - call_grace_ns ? 0 : timeout_ns + call_grace_ns;
}

/* Forwards the message unread, or ends the request with the reason why not. The request has
 * waited already for waited_ns, which is less than its timeout. */
static void
admin_pass_on(struct admin_request *request, struct master *master,
	struct master_service *service, bool one_way, int64_t waited_ns)
{
	struct cell_call call = {.one_way = one_way};
	struct admin_cell_call *pending;
	char error[BODY_ERROR_SIZE] = "no memory";
	json_t *parameters;
	int64_t limit_ns;
	int fd = -1;

	call.service = service->config->name;
	call.content_type = json_string_value(json_object_get(request->parameters, "content_type"));
	call.traceparent = json_string_value(json_object_get(request->parameters, "traceparent"));
	call.timeout_ns = admin_timeout_ns(request, service);
	if (call.timeout_ns != 0)
		call.timeout_ns = call.timeout_ns > waited_ns ? call.timeout_ns - waited_ns : 1;
	parameters = cell_call_to_json(&call);
	if (parameters == NULL || body_forward(request->parameters, &request->fds, parameters, &fd,
		error) != BAY_OK) {
		json_decref(parameters);
		admin_fail(request, BAY_INVALID, "take the message: %s", error);
		return;
	}
	limit_ns = admin_cell_limit_ns(call.timeout_ns);
	pending = admin_cell_call_create(request, master, service);
	pending->counts = true;
	pending->started_ns -= waited_ns;
	admin_cell_call_make(pending, CELL_CALL, parameters, fd, limit_ns,
		one_way ? admin_on_send_reply : admin_on_call_reply);
}

void
admin_pass_verb_on(struct admin_request *request, struct master *master,
	struct master_service *service, const struct cell_do *asked)
{
	struct admin_cell_call *pending = admin_cell_call_create(request, master, service);

	pending->argument = "arguments";
	admin_cell_call_make(pending, CELL_DO, cell_do_to_json(asked), -1,
		admin_cell_limit_ns(asked->timeout_ns != 0 ? asked->timeout_ns :
			service->config->timeout_ns), admin_on_call_reply);
}

/* --- what waits for its service to start ------------------------------------------------- */

struct admin_waiting_call {
	struct admin_request *request; /* NULL: it has been ended: its time was over, or its client gone */
	struct master *master;
	struct event *timer;
	int64_t since_ns;
	bool one_way;
};

static void
admin_on_start_awaited(struct master_service *service, enum bay_status status,
	const char *message, void *arg)
{
	struct admin_waiting_call *call = arg;

	(void)message;
	if (call->request == NULL || admin_refused_while_draining(call->request, call->master))
		;
	else if (status == BAY_OK && admin_is_open(service))
		admin_pass_on(call->request, call->master, service, call->one_way,
			clock_monotonic_ns() - call->since_ns);
	else
		admin_fail_not_ready(call->request, service);
	event_free(call->timer);
	free(call);
}

static void
admin_on_start_too_late(evutil_socket_t fd, short what, void *arg)
{
	struct admin_waiting_call *call = arg;
	struct admin_request *request = call->request;

	(void)fd;
	(void)what;
	call->request = NULL;
	admin_fail(request, BAY_TIMEOUT, "service %s did not start before the deadline",
		admin_service_argument(request));
}

/* The rest goes when the start has come to its end. */
static void
admin_on_start_unwanted(struct admin_request *request, void *arg)
{
	struct admin_waiting_call *call = arg;

	call->request = NULL;
	event_del(call->timer);
	admin_fail(request, BAY_CANCELED, "the client has gone");
}

/* A start is a matter of milliseconds, mostly, and of start_timeout at worst. */
static void
admin_wait_for_start(struct admin_request *request, struct master *master,
	struct master_service *service, bool one_way)
{
	struct admin_waiting_call *call = xcalloc(1, sizeof(*call));
	int64_t timeout_ns = admin_timeout_ns(request, service);
	const struct timeval timeout = {.tv_sec = timeout_ns / CLOCK_NS_PER_S,
		.tv_usec = timeout_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	call->request = request;
	call->master = master;
	call->since_ns = clock_monotonic_ns();
	call->one_way = one_way;
	call->timer = evtimer_new(master->base, admin_on_start_too_late, call);
	if (call->timer == NULL || (timeout_ns != 0 && event_add(call->timer, &timeout) != 0)) {
		admin_fail(request, BAY_NO_MEMORY, "wait for service %s: no memory",
			service->config->name);
		if (call->timer != NULL)
			event_free(call->timer);
		free(call);
		return;
	}
	if (!request->oneway)
		admin_request_watch(request, admin_on_start_unwanted, NULL, call);
	service_waiters_add(service, SERVICE_WISH_START, admin_on_start_awaited, call);
}

/* Who is STARTING may have been READY until a moment ago, when another one ended the cell. */
static void
admin_forward(struct admin_request *request, struct master *master, bool one_way)
{
	struct master_service *service = admin_find_service(request, master);

	/* An ended request is gone. */
	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	if (admin_is_open(service))
		admin_pass_on(request, master, service, one_way, 0);
	else if ((service->state == SERVICE_STARTING || service->moving) && !supervisor_is_stopping(master->supervisor))
		admin_wait_for_start(request, master, service, one_way);
	else
		admin_fail_not_ready(request, service);
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
