/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_channel.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"

/* For a cell to hear that a call is cancelled which has none of its own. */
static const int64_t cancel_limit_ns = 10 * (int64_t)CLOCK_NS_PER_S;

/* A call that has not been answered. */
struct channel_call {
	struct list link;
	struct cell_channel *channel;
	int64_t id;
	struct event *timer; /* NULL: it may take as long as it likes */
	int64_t timeout_ns;
	cell_reply_fn *reply;
	void *arg;
};

struct cell_channel {
	struct event_base *base;
	int fd;
	struct cell_channel_watcher watcher;
	struct varlink_stream stream;
	struct event *read_event;
	struct event *write_event; /* added while there is output */
	struct list calls;         /* struct channel_call, oldest first */
	int64_t next_id;
	bool waits;  /* for the cell to read: nothing is taken from it until then */
	bool deaf;   /* the cell takes nothing any more; its last words may still come */
	bool broken; /* nothing more is read or sent */
};

/* --- calls ---------------------------------------------------------------------- */

static void
channel_call_destroy(struct channel_call *call)
{
	list_remove(&call->link);
	if (call->timer != NULL)
		event_free(call->timer);
	free(call);
}

/* Ends the call before it calls back, so that the callback may do what it likes. */
static void
channel_call_answer(struct channel_call *call, struct cell_reply *answer)
{
	struct varlink_fds no_fds = {.count = 0};
	json_t *no_parameters = NULL;
	cell_reply_fn *reply = call->reply;
	void *arg = call->arg;

	channel_call_destroy(call);
	if (answer->fds == NULL)
		answer->fds = &no_fds;
	if (answer->parameters == NULL)
		answer->parameters = no_parameters = json_object();
	reply(answer, arg);
	json_decref(no_parameters);
}

static void
channel_call_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct channel_call *call = arg;
	char span[CLOCK_TEXT_SIZE];
	char text[CLOCK_TEXT_SIZE + 40];
	struct cell_reply answer = {.kind = CELL_REPLY_SILENT, .status = BAY_TIMEOUT,
		.message = text};

	(void)fd;
	(void)what;
	snprintf(text, sizeof(text), "the cell did not answer within %s",
		clock_format_duration(span, sizeof(span), call->timeout_ns));
	channel_call_answer(call, &answer);
}

static struct channel_call *
cell_channel_find_call(struct cell_channel *channel, int64_t id)
{
	list_for_each(pos, &channel->calls) {
		struct channel_call *call = container_of(pos, struct channel_call, link);

		if (call->id == id)
			return call;
	}
	return NULL;
}

static void
channel_call_start_timer(struct channel_call *call)
{
	struct timeval timeout = {.tv_sec = call->timeout_ns / CLOCK_NS_PER_S,
		.tv_usec = call->timeout_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	if (call->timeout_ns <= 0)
		return;
	call->timer = event_new(call->channel->base, -1, 0, channel_call_on_timeout, call);
	if (call->timer == NULL || event_add(call->timer, &timeout) != 0)
		log_warn(NULL, "no memory for the time limit of a call to a cell");
}

void
cell_reply_ignore(const struct cell_reply *reply, void *arg)
{
	(void)reply;
	(void)arg;
}

int64_t
cell_channel_call(struct cell_channel *channel, const char *method, json_t *parameters,
	int fd, int64_t timeout_ns, cell_reply_fn *reply, void *arg)
{
	struct varlink_fds fds = {.fd = {fd}, .count = fd >= 0 ? 1 : 0};

	return cell_channel_call_with(channel, method, parameters, &fds, timeout_ns, reply, arg);
}

int64_t
cell_channel_call_with(struct cell_channel *channel, const char *method, json_t *parameters,
	struct varlink_fds *fds, int64_t timeout_ns, cell_reply_fn *reply, void *arg)
{
	struct channel_call *call = xcalloc(1, sizeof(*call));
	struct varlink_call frame = {.method = method, .parameters = parameters, .has_id = true};

	call->channel = channel;
	call->id = frame.id = channel->next_id++;
	call->timeout_ns = timeout_ns;
	call->reply = reply;
	call->arg = arg;
	list_push_back(&channel->calls, &call->link);
	channel_call_start_timer(call);
	/* A call that cannot be queued ends when its time is over, or with the cell. */
	if (channel->broken ||
	    !varlink_stream_send_call(&channel->stream, &frame, fds->fd, fds->count)) {
		varlink_fds_close(fds);
		/* That it is broken was told, if it was not meant to be. */
		if (!channel->broken)
			log_warn(NULL, "a call of %s to a cell could not be sent", method);
	}
	event_add(channel->write_event, NULL);
	json_decref(parameters);
	return frame.id;
}

void
cell_channel_cancel(struct cell_channel *channel, int64_t number)
{
	const struct cell_cancel cancel = {.call = number};
	const struct channel_call *call = cell_channel_find_call(channel, number);
	int64_t limit_ns = call != NULL && call->timeout_ns > 0 ? call->timeout_ns : cancel_limit_ns;

	cell_channel_call(channel, CELL_CANCEL, cell_cancel_to_json(&cancel), -1, limit_ns, cell_reply_ignore,
		NULL);
}

/* --- what comes in ----------------------------------------------------------------- */

static void
cell_channel_break(struct cell_channel *channel, const char *why)
{
	if (channel->broken)
		return;
	channel->broken = true;
	event_del(channel->read_event);
	event_del(channel->write_event);
	channel->watcher.broken(why, channel->watcher.arg);
}

static void
cell_channel_take_reply(struct cell_channel *channel, const struct varlink_reply *reply,
	struct varlink_fds *fds)
{
	struct channel_call *call = reply->has_id ?
		cell_channel_find_call(channel, reply->id) : NULL;
	struct cell_reply answer = {.kind = CELL_REPLY_DONE, .status = BAY_OK, .message = "",
		.parameters = reply->parameters, .fds = fds};
	const char *message;

	if (call == NULL) {
		log_debug(NULL, "a cell answered a call that nobody waits for any more");
		return;
	}
	if (reply->error != NULL) {
		message = json_string_value(json_object_get(reply->parameters, "message"));
		answer.kind = CELL_REPLY_FAILED;
		answer.by_handler = strcmp(reply->error, CELL_HANDLER_FAILED) == 0;
		answer.status = interface_error_status(reply->error, reply->parameters);
		answer.message = message != NULL ? message : reply->error;
	}
	channel_call_answer(call, &answer);
}

static void
cell_channel_answer(struct cell_channel *channel, int64_t id, struct cell_answer *answer)
{
	const char *message = buffer_text(&answer->message);
	struct varlink_reply reply = {.has_id = true, .id = id};
	json_t *parameters = NULL;

	if (answer->status != BAY_OK) {
		reply.error = CELL_FAILED;
		parameters = interface_error_parameters(answer->status, NULL, message != NULL ? message : "");
		reply.parameters = parameters;
		fd_close(&answer->fd);
	}
	if (!varlink_stream_send_reply(&channel->stream, &reply, &answer->fd, answer->fd >= 0)) {
		fd_close(&answer->fd);
		log_warn(NULL, "a call of a cell could not be answered");
	}
	json_decref(parameters);
	/* Now: a cell that does not read should not make us keep a descriptor for each call. */
	switch (varlink_stream_flush(&channel->stream)) {
	case VARLINK_STREAM_OK:
		break;
	case VARLINK_STREAM_AGAIN:
		channel->waits = true;
		event_add(channel->write_event, NULL);
		event_del(channel->read_event);
		break;
	default:
		channel->deaf = true;
		break;
	}
}

static void
cell_channel_take_call(struct cell_channel *channel, const struct varlink_call *call)
{
	const struct cell_channel_watcher *watcher = &channel->watcher;
	struct cell_answer answer = {.status = BAY_OK, .fd = -1};

	if (!call->has_id) {
		watcher->notice(call->method, call->parameters, watcher->arg);
		return;
	}
	if (channel->deaf)
		return;
	watcher->called(call->method, call->parameters, &answer, watcher->arg);
	cell_channel_answer(channel, call->id, &answer);
	buffer_finish(&answer.message);
}

/* False: it is neither a call nor a reply. */
static bool
cell_channel_take_frame(struct cell_channel *channel, const json_t *frame,
	struct varlink_fds *fds)
{
	struct varlink_call call;
	struct varlink_reply reply;
	const char *why;

	if (varlink_is_call(frame)) {
		if (varlink_call_decode(frame, &call, &why) != VARLINK_OK)
			return false;
		cell_channel_take_call(channel, &call);
		return true;
	}
	if (varlink_reply_decode(frame, &reply, &why) != VARLINK_OK)
		return false;
	cell_channel_take_reply(channel, &reply, fds);
	return true;
}

/* Takes all complete frames, or up to where the cell has to read first. False: the stream
 * cannot be read any further. */
static bool
cell_channel_take_frames(struct cell_channel *channel)
{
	while (!channel->waits) {
		struct varlink_fds fds = {.count = 0};
		json_t *frame = NULL;
		enum varlink_result result = varlink_stream_take(&channel->stream, &frame, &fds);
		bool taken;

		if (result == VARLINK_MORE)
			return true;
		if (result != VARLINK_OK) {
			log_warn(NULL, "a cell sent what cannot be read: %s [cell-link]", varlink_result_text(result));
			return false;
		}
		taken = cell_channel_take_frame(channel, frame, &fds);
		varlink_fds_close(&fds);
		json_decref(frame);
		if (!taken) {
			log_warn(NULL, "a cell sent a frame that is neither a call nor a reply [cell-link]");
			return false;
		}
	}
	return true;
}

/* Receives once. Returns why nothing more will come, or NULL. */
static const char *
cell_channel_receive(struct cell_channel *channel, bool *more_r)
{
	enum varlink_stream_result result = varlink_stream_receive(&channel->stream);

	*more_r = result == VARLINK_STREAM_OK;
	if (!cell_channel_take_frames(channel))
		return "it sent what cannot be read";
	switch (result) {
	case VARLINK_STREAM_OK:
	case VARLINK_STREAM_AGAIN:
		return NULL;
	case VARLINK_STREAM_CLOSED:
		return "it closed its control socket";
	default:
		return varlink_stream_error(&channel->stream);
	}
}

bool
cell_channel_is_idle(const struct cell_channel *channel)
{
	return list_empty(&channel->calls);
}

void
cell_channel_drain(struct cell_channel *channel)
{
	bool more = true;

	channel->waits = false;
	while (more && !channel->broken && cell_channel_receive(channel, &more) == NULL)
		continue;
}

static void
cell_channel_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct cell_channel *channel = arg;
	const char *why;
	bool more;

	(void)fd;
	(void)what;
	why = cell_channel_receive(channel, &more);
	if (why != NULL)
		cell_channel_break(channel, why);
}

/* The cell has read, or never will: goes on with what it has sent meanwhile. */
static void
cell_channel_go_on(struct cell_channel *channel)
{
	channel->waits = false;
	event_add(channel->read_event, NULL);
	if (!cell_channel_take_frames(channel))
		cell_channel_break(channel, "it sent what cannot be read");
}

static void
cell_channel_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct cell_channel *channel = arg;

	(void)fd;
	(void)what;
	switch (varlink_stream_flush(&channel->stream)) {
	case VARLINK_STREAM_OK:
		break;
	case VARLINK_STREAM_AGAIN:
		return;
	default:
		channel->deaf = true;
		break;
	}
	event_del(channel->write_event);
	if (channel->waits)
		cell_channel_go_on(channel);
}

/* --- lifecycle ----------------------------------------------------------------------- */

struct cell_channel *
cell_channel_create(struct event_base *base, int fd, const struct cell_channel_watcher *watcher)
{
	struct cell_channel *channel = xcalloc(1, sizeof(*channel));

	channel->base = base;
	channel->fd = fd;
	channel->watcher = *watcher;
	channel->next_id = 1;
	list_init(&channel->calls);
	varlink_stream_init(&channel->stream, fd, &varlink_limits_cell);
	channel->read_event = event_new(base, fd, EV_READ | EV_PERSIST, cell_channel_on_readable,
		channel);
	channel->write_event = event_new(base, fd, EV_WRITE | EV_PERSIST,
		cell_channel_on_writable, channel);
	if (channel->read_event == NULL || channel->write_event == NULL ||
	    event_add(channel->read_event, NULL) != 0) {
		cell_channel_destroy(channel, "");
		return NULL;
	}
	return channel;
}

void
cell_channel_destroy(struct cell_channel *channel, const char *why)
{
	struct list *pos;

	if (channel == NULL)
		return;
	channel->broken = true;
	while ((pos = list_first(&channel->calls)) != NULL) {
		struct cell_reply answer = {.kind = CELL_REPLY_DIED, .status = BAY_PEER_DIED,
			.message = why};

		channel_call_answer(container_of(pos, struct channel_call, link), &answer);
	}
	if (channel->read_event != NULL)
		event_free(channel->read_event);
	if (channel->write_event != NULL)
		event_free(channel->write_event);
	varlink_stream_finish(&channel->stream);
	close(channel->fd);
	free(channel);
}
