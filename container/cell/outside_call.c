/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/outside_call.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/time.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/traceparent.h"
#include "cell/control.h"
#include "loop/loop.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "protocol/varlink_stream.h"
#include "service/call_guard.h"
#include "service/message.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"
#include "service/trace.h"

/* One call on its way; of a one-way message before a full queue, its ticket is. */
struct outside_call {
	struct control *control;
	struct loop *loop;
	int64_t id;
	struct control_pending pending;
	struct bay_service *service;
	struct bay_request *request;   /* comes home to us */
	struct bay_request *message;   /* one way: what the ticket stands for */
	struct timer timer;
};

static void
outside_call_end(struct outside_call *call)
{
	wheel_remove(&call->loop->wheel, &call->timer);
	control_pending_end(&call->pending);
	free(call);
}

static void
outside_call_answer_reply(struct outside_call *call, struct bay_request *request)
{
	const struct bay_message *reply = request->reply;
	char traceparent[TRACEPARENT_SIZE];
	json_t *parameters = json_object();
	int fd = -1;
	enum bay_status status = body_to_json(bay_message_data(reply), bay_message_size(reply), parameters, &fd);

	trace_print(request, traceparent);
	if (status == BAY_OK) {
		json_object_set_new(parameters, "traceparent", json_string(traceparent));
		control_answer(call->control, call->id, parameters, fd);
		return;
	}
	json_decref(parameters);
	control_refuse(call->control, call->id, status, "the reply could not be passed on");
}

static void
outside_call_answer_failure(struct outside_call *call, const struct bay_request *request)
{
	const char *error = request->error != NULL ? request->error : "";

	if (request->by_handler)
		control_handler_failed(call->control, call->id, request->status, error);
	else
		control_refuse(call->control, call->id, request->status, error);
}

/* The request is home: with its reply, or the reason why there is none. */
static void
outside_call_on_arrived(struct bay_request *request)
{
	struct outside_call *call = request->arrived_arg;

	if (request->status == BAY_OK && call->message == NULL)
		outside_call_answer_reply(call, request);
	else if (request->status == BAY_OK)
		control_answer(call->control, call->id, NULL, -1);
	else
		outside_call_answer_failure(call, request);
	outside_call_end(call);
	request->handle.detached = true;
	request_arrive(request);
}

/* Nobody waits for it any more, whatever the callee does. False: the queue has taken it this moment,
 * and its ticket is on its way to say so. */
static bool
outside_call_abandon(struct outside_call *call, const char *reason)
{
	if (call->message == NULL) {
		call->request->arrived = request_arrive;
		request_abandon(call->request, reason);
		return true;
	}
	if (!service_queue_withdraw(call->service, call->request))
		return false;
	request_withdraw(call->message);
	request_free(call->request);
	return true;
}

static void
outside_call_on_deadline(struct timer *timer)
{
	struct outside_call *call = container_of(timer, struct outside_call, timer);
	char *text;

	if (!outside_call_abandon(call, "deadline"))
		return;
	if (call->message != NULL)
		text = xasprintf("the queue of service %s had no room in time", call->service->name);
	else
		text = xasprintf("service %s did not answer before the deadline%s", call->service->name,
			service_gate(call->service) == SERVICE_GATE_PAUSED ? ": it is paused [service-paused]" : "");
	control_refuse(call->control, call->id, BAY_TIMEOUT, text);
	free(text);
	outside_call_end(call);
}

static void
outside_call_on_cancel(struct control_pending *pending)
{
	struct outside_call *call = container_of(pending, struct outside_call, pending);

	if (!outside_call_abandon(call, CELL_CALLER_GONE))
		return;
	control_refuse(call->control, call->id, BAY_CANCELED, CELL_CALLER_GONE);
	outside_call_end(call);
}

/* It may not go, or the queue did not take it. */
static void
outside_call_refused(struct outside_call *call, struct bay_request *request, int status)
{
	control_refuse(call->control, call->id, status, request->error != NULL ? request->error : "");
	if (request->watched)
		call_guard_end(request, status, false);
	request_free(request);
	outside_call_end(call);
}

static void
outside_call_expect(struct outside_call *call, struct bay_request *request)
{
	call->request = request;
	request->arrived = outside_call_on_arrived;
	request->arrived_arg = call;
}

static void
outside_call_send_with_ticket(struct outside_call *call, struct bay_request *message)
{
	struct bay_request *ticket = request_create(call->service, NULL, call->loop);
	int status = BAY_NO_MEMORY;

	if (ticket != NULL) {
		outside_call_expect(call, ticket);
		call->message = message;
		message->ticket = ticket;
		status = service_queue_put(call->service, message);
		if (status == BAY_OK)
			return;
		request_free(ticket);
	}
	outside_call_refused(call, message, status);
}

static void
outside_call_send(struct outside_call *call, struct bay_request *request)
{
	int status;

	request->one_way = true;
	request->home = NULL;
	status = service_queue_put(call->service, request);
	if (status == BAY_BUSY) {
		outside_call_send_with_ticket(call, request);
	} else if (status != BAY_OK) {
		outside_call_refused(call, request, status);
	} else {
		control_answer(call->control, call->id, NULL, -1);
		outside_call_end(call);
	}
}

static void
outside_call_send_both_ways(struct outside_call *call, struct bay_request *request)
{
	int status;

	if (!call_guard_lets(request)) {
		outside_call_refused(call, request, request->status);
		return;
	}
	outside_call_expect(call, request);
	status = service_queue_put(call->service, request);
	if (status != BAY_OK)
		outside_call_refused(call, request, status);
}

/* What is no traceparent is as none: that is no reason to refuse the call. */
static void
outside_call_set_trace(struct bay_request *request, const char *traceparent)
{
	if (traceparent == NULL || !traceparent_parse(traceparent, strlen(traceparent), &request->trace))
		trace_create(&request->trace);
}

/* The time that a call has, or a message to find room in the queue; 0: no end. Of a message
 * that goes one way, the service's timeout begins with its handler. */
static int64_t
outside_call_timeout(const struct cell_call *asked, const struct bay_service *service)
{
	int64_t own_ns = service->limits.timeout_ns;

	if (asked->timeout_ns == 0 || (!asked->one_way && own_ns != 0 && own_ns < asked->timeout_ns))
		return own_ns;
	return asked->timeout_ns;
}

static void
outside_call_launch(struct control *control, struct loop *loop, int64_t id, const struct cell_call *asked,
	struct bay_service *service, const struct bay_message *message)
{
	struct outside_call *call = xcalloc(1, sizeof *call);
	struct bay_request *request = request_create(service, message, loop);
	int64_t timeout_ns = outside_call_timeout(asked, service);

	call->control = control;
	call->loop = loop;
	call->id = id;
	call->service = service;
	timer_init(&call->timer, outside_call_on_deadline);
	control_pending_begin(control, &call->pending, id, outside_call_on_cancel);
	if (request == NULL) {
		control_refuse(control, id, BAY_NO_MEMORY, "no memory for the request");
		outside_call_end(call);
		return;
	}
	request_keep_message(request);
	outside_call_set_trace(request, asked->traceparent);
	if (timeout_ns > 0) {
		int64_t deadline = bay_after(timeout_ns);

		wheel_add(&loop->wheel, &call->timer, deadline);
		if (!asked->one_way)
			request->deadline = deadline;
	}
	if (asked->one_way)
		outside_call_send(call, request);
	else
		outside_call_send_both_ways(call, request);
}

void
outside_call_begin(struct control *control, struct loop *loop, const struct varlink_call *call,
	struct varlink_fds *fds)
{
	struct bay_message *message;
	struct bay_service *service;
	struct buffer body = {0};
	struct cell_call asked;
	char error[CELL_ERROR_SIZE];
	enum bay_status status;

	if (!cell_call_from_json(call->parameters, &asked, error)) {
		control_refuse(control, call->id, BAY_INVALID, error);
		return;
	}
	service = registry_get(asked.service);
	if (service == NULL) {
		control_refuse(control, call->id, BAY_NOT_FOUND, "there is no such service");
		return;
	}
	status = body_from_json(call->parameters, fds, &body, error);
	if (status != BAY_OK) {
		control_refuse(control, call->id, status, error);
		return;
	}
	message = bay_message(body.data, body.size);
	buffer_finish(&body);
	if (message == NULL) {
		control_refuse(control, call->id, BAY_NO_MEMORY, "no memory for the message");
		return;
	}
	outside_call_launch(control, loop, call->id, &asked, service, message);
	bay_message_free(message);
}
