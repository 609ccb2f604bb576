/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/control.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"
#include "protocol/varlink_stream.h"

/* A call of ours that the master has not answered. */
struct control_ask {
	struct list link;
	int64_t id;
	control_reply_fn *reply;
	void *arg;
};

struct control {
	struct varlink_stream stream;
	struct event *readable;
	struct event *writable;
	control_call_fn *on_call;
	control_closed_fn *on_closed;
	void *arg;
	struct list asks; /* struct control_ask, oldest first */
	struct list pending; /* struct control_pending, likewise */
	int64_t next_id;
};

static void
control_lost(struct control *control, const char *why)
{
	if (why != NULL)
		log_error("cell", "the link to bayd: %s", why);
	event_del(control->readable);
	event_del(control->writable);
	control->on_closed(control->arg);
}

static void
control_send(struct control *control)
{
	switch (varlink_stream_flush(&control->stream)) {
	case VARLINK_STREAM_OK:
		break;
	case VARLINK_STREAM_AGAIN:
		event_add(control->writable, NULL);
		break;
	default:
		/* The reader will see the end too, and say so once. */
		break;
	}
}

/* Ends it before it calls back, so that the callback may do what it likes. */
static void
control_ask_end(struct control_ask *ask, int status, const char *message, struct varlink_fds *fds)
{
	struct varlink_fds none = {.count = 0};
	struct control_reply reply = {status, message, fds != NULL ? fds : &none};
	control_reply_fn *fn = ask->reply;
	void *arg = ask->arg;

	list_remove(&ask->link);
	free(ask);
	fn(&reply, arg);
}

static struct control_ask *
control_find_ask(const struct control *control, int64_t id)
{
	list_for_each(pos, &control->asks) {
		struct control_ask *ask = container_of(pos, struct control_ask, link);

		if (ask->id == id)
			return ask;
	}
	return NULL;
}

static void
control_take_reply(struct control *control, const struct varlink_reply *reply, struct varlink_fds *fds)
{
	struct control_ask *ask = reply->has_id ? control_find_ask(control, reply->id) : NULL;
	const char *message = json_string_value(json_object_get(reply->parameters, "message"));

	if (ask == NULL)
		log_error("cell", "bayd answered what it has not been asked");
	else if (reply->error == NULL)
		control_ask_end(ask, BAY_OK, "", fds);
	else
		control_ask_end(ask, interface_error_status(reply->error, reply->parameters),
			message != NULL ? message : reply->error, NULL);
}

static void
control_take_frame(struct control *control, const json_t *frame, struct varlink_fds *fds)
{
	struct varlink_reply reply;
	struct varlink_call call;
	const char *why;

	if (varlink_is_call(frame) && varlink_call_decode(frame, &call, &why) == VARLINK_OK)
		control->on_call(&call, fds, control->arg);
	else if (!varlink_is_call(frame) && varlink_reply_decode(frame, &reply, &why) == VARLINK_OK)
		control_take_reply(control, &reply, fds);
	else
		log_error("cell", "bayd sent what is neither a call nor an answer: %s", why);
}

static void
control_take(struct control *control)
{
	enum varlink_result result;
	struct varlink_fds fds;
	json_t *frame;

	while ((result = varlink_stream_take(&control->stream, &frame, &fds)) == VARLINK_OK) {
		control_take_frame(control, frame, &fds);
		varlink_fds_close(&fds);
		json_decref(frame);
	}
	if (result != VARLINK_MORE)
		control_lost(control, varlink_result_text(result));
}

static void
control_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	switch (varlink_stream_receive(&control->stream)) {
	case VARLINK_STREAM_OK:
		control_take(control);
		break;
	case VARLINK_STREAM_AGAIN:
		break;
	case VARLINK_STREAM_CLOSED:
		control_lost(control, NULL);
		break;
	default:
		control_lost(control, varlink_stream_error(&control->stream));
		break;
	}
}

static void
control_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	control_send(arg);
}

struct control *
control_create(struct event_base *base, control_call_fn *on_call, control_closed_fn *on_closed,
	void *arg)
{
	struct control *control;

	if (!fd_set_nonblocking(CELL_CONTROL_FD) || !fd_set_cloexec(CELL_CONTROL_FD, true)) {
		log_error_errno(NULL, "use descriptor %d, which bayd passes to its children: is this "
			"started by hand?", CELL_CONTROL_FD);
		return NULL;
	}
	control = xcalloc(1, sizeof *control);
	control->on_call = on_call;
	control->on_closed = on_closed;
	control->arg = arg;
	control->next_id = 1;
	list_init(&control->asks);
	list_init(&control->pending);
	varlink_stream_init(&control->stream, CELL_CONTROL_FD, &varlink_limits_cell);
	control->readable = event_new(base, CELL_CONTROL_FD, EV_READ | EV_PERSIST, control_on_readable, control);
	control->writable = event_new(base, CELL_CONTROL_FD, EV_WRITE, control_on_writable, control);
	event_add(control->readable, NULL);
	return control;
}

void
control_destroy(struct control *control)
{
	if (control == NULL)
		return;
	while (!list_empty(&control->asks))
		control_ask_end(container_of(list_first(&control->asks), struct control_ask, link), BAY_CLOSED,
			"the cell ends", NULL);
	event_free(control->readable);
	event_free(control->writable);
	varlink_stream_finish(&control->stream);
	free(control);
}

static void
control_reply(struct control *control, int64_t id, const char *error, json_t *parameters, int fd)
{
	struct varlink_reply reply = {.error = error, .parameters = parameters, .has_id = true, .id = id};

	if (!varlink_stream_send_reply(&control->stream, &reply, fd >= 0 ? &fd : NULL, fd >= 0)) {
		log_error("cell", "an answer to bayd could not be written: no memory");
		if (fd >= 0)
			close(fd);
	}
	json_decref(parameters);
	control_send(control);
}

void
control_answer(struct control *control, int64_t id, json_t *parameters, int fd)
{
	control_reply(control, id, NULL, parameters != NULL ? parameters : json_object(), fd);
}

static void
control_reply_error(struct control *control, int64_t id, const char *error, int status,
	const char *message)
{
	json_t *parameters = json_object();

	json_object_set_new(parameters, "status", json_string(bay_status_name(status)));
	json_object_set_new(parameters, "message", varlink_text(message));
	control_reply(control, id, error, parameters, -1);
}

void
control_refuse(struct control *control, int64_t id, int status, const char *message)
{
	control_reply_error(control, id, CELL_FAILED, status, message);
}

void
control_handler_failed(struct control *control, int64_t id, int status, const char *message)
{
	control_reply_error(control, id, CELL_HANDLER_FAILED, status, message);
}

void
control_pending_begin(struct control *control, struct control_pending *pending, int64_t id,
	void (*cancel)(struct control_pending *pending))
{
	pending->_id = id;
	pending->_cancel = cancel;
	list_push_back(&control->pending, &pending->_link);
}

void
control_pending_end(struct control_pending *pending)
{
	list_remove(&pending->_link);
}

void
control_cancel(struct control *control, int64_t id)
{
	list_for_each(pos, &control->pending) {
		struct control_pending *pending = container_of(pos, struct control_pending, _link);

		if (pending->_id != id)
			continue;
		control_pending_end(pending);
		pending->_cancel(pending);
		return;
	}
}

void
control_notify(struct control *control, const char *method, json_t *parameters)
{
	struct varlink_call call = {.method = method, .parameters = parameters, .oneway = true};

	if (!varlink_stream_send_call(&control->stream, &call, NULL, 0))
		log_error("cell", "a notice to bayd could not be written: no memory");
	json_decref(parameters);
	control_send(control);
}

void
control_call(struct control *control, const char *method, json_t *parameters, control_reply_fn *reply,
	void *arg)
{
	struct varlink_call call = {.method = method, .parameters = parameters, .has_id = true};
	struct control_ask *ask = xcalloc(1, sizeof *ask);

	ask->id = call.id = control->next_id++;
	ask->reply = reply;
	ask->arg = arg;
	list_push_back(&control->asks, &ask->link);
	if (parameters == NULL || !varlink_stream_send_call(&control->stream, &call, NULL, 0))
		control_ask_end(ask, BAY_NO_MEMORY, "no memory to ask bayd", NULL);
	json_decref(parameters);
	control_send(control);
}

void
control_flush(struct control *control)
{
	struct pollfd writable = {.fd = CELL_CONTROL_FD, .events = POLLOUT};

	while (varlink_stream_flush(&control->stream) == VARLINK_STREAM_AGAIN)
		if (poll(&writable, 1, 1000) <= 0)
			return;
}
