/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/call.h>; the other services are echo, narrow and leaf_sleeps. */
#include <stdlib.h>
#include <string.h>

#include "toolbox.h"

static struct bay_service *
self(const struct bay_request *request)
{
	return bay_service(bay_instance_name(bay_request_instance(request)));
}

/* Calls with a text, and says how it went. */
static void
see_call(struct seen *seen, struct bay_service *service, const char *text, int64_t deadline)
{
	struct bay_message *message = bay_message_printf("%s", text), *reply;
	int status = bay_call(service, message, &reply, deadline);

	if (status == BAY_OK)
		saw(seen, "%s '%s'", bay_message_text(reply), bay_call_error());
	else
		saw(seen, "%s %s (%s)", bay_status_name(status), reply == NULL ? "no-reply" : "a-reply",
			bay_call_error());
	bay_message_free(message);
	bay_message_free(reply);
}

static void
see_echo(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)request;
	see_call(seen, bay_service("echo"), argument, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(bay_call(bay_service("echo"), NULL, NULL, BAY_INHERIT)));
	saw(seen, bay_service("echo") == bay_service("echo") ? "same-handle" : "other-handle");
}

static void
see_names(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_service *nobody = bay_service("nobody");

	(void)request;
	(void)argument;
	saw(seen, "%s %s", bay_service_name(nobody), bay_service_name(NULL));
	saw(seen, bay_service("no name") == NULL ? "null" : "a-handle");
	see_call(seen, nobody, "", BAY_INHERIT);
	see_call(seen, NULL, "", BAY_INHERIT);
}

static void
see_failure(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)argument;
	see_call(seen, self(request), "fail twice", BAY_INHERIT);
	/* A call that goes well wipes the text of the one before. */
	see_call(seen, self(request), "reply-text fine", BAY_INHERIT);
}

static void
see_call_timeout(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)argument;
	see_call(seen, self(request), "reply-text fine", bay_after(-BAY_SECOND));
	see_call(seen, self(request), "wait", bay_after(10 * BAY_MS));
}

static void
see_monitor(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_monitor monitor = {0};
	int status = bay_monitor(argument, &monitor, BAY_INHERIT);

	(void)request;
	saw(seen, "%s %s %d", bay_status_name(status), bay_monitor_state_name(monitor.state),
		(int)monitor.failures);
	saw(seen, "%s", bay_status_name(bay_monitor(argument, &monitor, bay_after(BAY_MS))));
	saw(seen, "%s", bay_status_name(bay_monitor("no name", &monitor, BAY_INHERIT)));
}

static void
see_leaf(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)request;
	(void)argument;
	see_call(seen, bay_service("leaf_sleeps"), "", BAY_INHERIT);
}

/* Calls itself until the container says that this is a circle. */
static int
go_round(struct bay_request *request, const char *argument)
{
	int status = bay_call(self(request), bay_request_message(request), NULL, BAY_INHERIT);

	(void)argument;
	return bay_fail(request, status, "%s", bay_call_error());
}

/* What a callee has from its caller: the deadline and the trace. */
static int
tell_inherited(struct bay_request *request, const char *argument)
{
	char id[BAY_TRACE_ID_SIZE];

	(void)argument;
	(void)bay_trace_id(id, sizeof(id));
	return bay_reply_printf(request, "%s %" PRId64, id, bay_request_deadline(request));
}

static void
see_inherited(struct bay_request *request, const char *argument, struct seen *seen)
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct bay_message *message = bay_message_printf("tell-inherited"), *reply, *wanted;
	int status = bay_call(self(request), message, &reply, deadline);
	char id[BAY_TRACE_ID_SIZE];

	(void)argument;
	(void)bay_trace_id(id, sizeof(id));
	wanted = bay_message_printf("%s %" PRId64, id, deadline);
	saw(seen, "%s", bay_status_name(status));
	saw(seen, strcmp(bay_message_text(reply), bay_message_text(wanted)) == 0 ? "inherited" :
		"not-inherited");
	bay_message_free(message);
	bay_message_free(wanted);
	bay_message_free(reply);
}

static int
reply_traceparent(struct bay_request *request, const char *argument)
{
	char text[BAY_TRACEPARENT_SIZE];

	(void)argument;
	if (bay_traceparent(text, sizeof(text)) != BAY_OK)
		return bay_fail(request, BAY_FAILED, "no traceparent");
	return bay_reply_text(request, text);
}

/* Asks another service on behalf of whoever asks: "SERVICE TEXT", calls that and says what it said. */
static int
relay(struct bay_request *request, const char *argument)
{
	const char *text = strchr(argument, ' ');
	char *name = text != NULL ? strndup(argument, (size_t)(text - argument)) : strdup(argument);
	struct bay_message *message = bay_message_printf("%s", text != NULL ? text + 1 : ""), *reply;
	int status = bay_call(bay_service(name), message, &reply, BAY_INHERIT);

	free(name);
	bay_message_free(message);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	status = bay_reply_message(request, &reply);
	bay_message_free(reply);
	return status;
}

/* The same, which nobody waits for. */
static int
relay_send(struct bay_request *request, const char *argument)
{
	const char *text = strchr(argument, ' ');
	char *name = text != NULL ? strndup(argument, (size_t)(text - argument)) : strdup(argument);
	struct bay_message *message = bay_message_printf("%s", text != NULL ? text + 1 : "");
	int status = bay_send(bay_service(name), message, BAY_INHERIT);

	free(name);
	bay_message_free(message);
	return status != BAY_OK ? bay_fail(request, status, "%s", bay_call_error()) : bay_reply_text(request, "sent");
}

/* Takes over what came with a header, as a gateway does; then one that is none. */
static void
see_trace_begin(struct bay_request *request, const char *argument, struct seen *seen)
{
	static const char header[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	struct bay_message *message = bay_message_printf("traceparent"), *reply;

	(void)argument;
	saw(seen, "%s", bay_status_name(bay_trace_begin(header)));
	(void)bay_call(self(request), message, &reply, BAY_INHERIT);
	saw(seen, strncmp(bay_message_text(reply), header, 36) == 0 ? "passed-on" : "lost");
	bay_message_free(reply);
	saw(seen, "%s", bay_status_name(bay_trace_begin("00-0-0-0")));
	(void)bay_call(self(request), message, &reply, BAY_INHERIT);
	saw(seen, strncmp(bay_message_text(reply), header, 36) != 0 ? "new" : "the-same");
	bay_message_free(reply);
	bay_message_free(message);
}

/* --- started calls ----------------------------------------------------------------------- */

static struct bay_task *
start(struct bay_service *service, const char *text)
{
	struct bay_message *message = bay_message_printf("%s", text);
	struct bay_task *call = bay_call_start(service, message);

	bay_message_free(message);
	return call;
}

static void
see_started(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *calls[] = {
		start(bay_service("echo"), "one"),
		start(self(request), "reply-text two")
	};

	(void)argument;
	saw(seen, "%s", bay_status_name(bay_gather(calls, 2, BAY_INHERIT)));
	for (int i = 0; i < 2; i++) {
		struct bay_message *reply = bay_task_take_reply(calls[i]);

		saw(seen, "%s", bay_message_text(reply));
		saw(seen, bay_task_take_reply(calls[i]) == NULL ? "once" : "twice");
		bay_message_free(reply);
	}
}

/* A call that waits and a task that does not, in the order of their ending. */
static void
see_completions(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *call = start(self(request), "wait"), *task;
	struct bay_completions *ended = bay_as_completed(&call, 1);
	int io = BAY_IO;

	(void)argument;
	task = bay_spawn("ends", toolbox_return_status, &io);
	saw(seen, "%s", bay_status_name(bay_completions_add(ended, task)));
	saw(seen, "%zu", bay_completions_size(ended));
	saw(seen, "%s", bay_status_name(bay_completions_next(ended, &task, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
	bay_task_cancel(call, "enough");
	saw(seen, "%s", bay_status_name(bay_completions_next(ended, &task, BAY_INHERIT)));
	saw(seen, task == call ? "call" : "task");
	saw(seen, "%s", bay_status_name(bay_completions_next(ended, &task, BAY_INHERIT)));
	bay_completions_destroy(ended);
	bay_task_free(call);
}

/* One that cannot start has failed already. */
static void
see_start_missing(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *call = start(bay_service("nobody"), "");

	(void)request;
	(void)argument;
	saw(seen, "%d %s", bay_task_done(call), bay_status_name(bay_task_status(call)));
	saw(seen, "(%s)", bay_task_error(call));
	saw(seen, "%s", bay_status_name(bay_join(call, BAY_INHERIT)));
}

static void
see_start_free(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *call = start(self(request), "wait");

	(void)argument;
	saw(seen, "%d", bay_task_done(call));
	bay_task_free(call);
	see_call(seen, self(request), "note", BAY_INHERIT);
}

static int
fail_from_calls(struct bay_request *request, const char *argument)
{
	struct bay_task *calls[] = {
		start(self(request), "wait"),
		start(bay_service("echo"), "fine"),
		start(self(request), "fail this")
	};
	int status = bay_gather(calls, 3, BAY_INHERIT);

	(void)argument;
	toolbox_note(bay_request_instance(request), "gather %s", bay_status_name(status));
	return bay_fail_from(request, calls, 3);
}

/* When all were cancelled, that is what there is to say. */
static int
fail_from_canceled(struct bay_request *request, const char *argument)
{
	struct bay_task *calls[] = {start(self(request), "wait"), start(bay_service("echo"), "fine")};

	bay_task_cancel(calls[0], argument);
	(void)bay_gather(calls, 2, BAY_INHERIT);
	return bay_fail_from(request, calls, 2);
}

static int
fail_from_nothing(struct bay_request *request, const char *argument)
{
	struct bay_task *call = start(bay_service("echo"), argument);

	(void)bay_gather(&call, 1, BAY_INHERIT);
	return bay_fail_from(request, &call, 1);
}

/* --- one way ----------------------------------------------------------------------------- */

static void
see_send(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_message *message = bay_message_printf("leave-note %s", argument);

	saw(seen, "%s", bay_status_name(bay_send(self(request), message, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_send(bay_service("nobody"), message, BAY_INHERIT)));
	bay_message_free(message);
}

static void
see_send_later(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_message *message = bay_message_printf("leave-note %s", argument);
	uint64_t id = 0;

	saw(seen, "%s", bay_status_name(bay_send_later(self(request), message, bay_after(3600 * BAY_SECOND), &id)));
	saw(seen, "%s", bay_status_name(bay_send_cancel(id)));
	saw(seen, "%s", bay_status_name(bay_send_cancel(id)));
	saw(seen, "%s", bay_status_name(bay_send_later(self(request), message, bay_after(5 * BAY_MS), NULL)));
	bay_message_free(message);
}

/* Narrow works on one at a time and has room for one more. */
static void
see_send_full(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_service *narrow = bay_service("narrow");
	struct bay_task *call = start(narrow, "wait");
	struct bay_message *message = bay_message("none", 4);
	int status = BAY_OK;

	(void)request;
	(void)argument;
	for (int i = 0; i < 3 && status == BAY_OK; i++)
		status = bay_send(narrow, message, BAY_INHERIT);
	bay_message_free(message);
	saw(seen, "%s (%s)", bay_status_name(status), bay_call_error());
	bay_task_cancel(call, "full enough");
	saw(seen, "%s", bay_status_name(bay_join(call, BAY_INHERIT)));
}

const struct operation call_operations[] = {
	{"call", see_echo, NULL},
	{"call-names", see_names, NULL},
	{"monitor", see_monitor, NULL},
	{"call-failure", see_failure, NULL},
	{"call-timeout", see_call_timeout, NULL},
	{"call-leaf", see_leaf, NULL},
	{"call-circle", NULL, go_round},
	{"call-inherit", see_inherited, NULL},
	{"tell-inherited", NULL, tell_inherited},
	{"traceparent", NULL, reply_traceparent},
	{"relay", NULL, relay},
	{"relay-send", NULL, relay_send},
	{"trace-begin", see_trace_begin, NULL},
	{"start", see_started, NULL},
	{"as-completed", see_completions, NULL},
	{"start-missing", see_start_missing, NULL},
	{"start-free", see_start_free, NULL},
	{"fail-from", NULL, fail_from_calls},
	{"fail-from-canceled", NULL, fail_from_canceled},
	{"fail-from-nothing", NULL, fail_from_nothing},
	{"send", see_send, NULL},
	{"send-later", see_send_later, NULL},
	{"send-full", see_send_full, NULL},
	{NULL, NULL, NULL}
};
