/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who calls whom: libevent calls the four on_ functions; replies only queue a frame and wake
 * the resume event, so a handler that answers at once, or from the middle of somebody's
 * list, is never called again from inside its own reply.
 */
#include "config.h"

#include "master/admin_connection.h"

#include <event2/event.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

/* How often one looks whether a client has received what is in its socket. */
#define ADMIN_UNREAD_LOOK_NS (10 * (int64_t)CLOCK_NS_PER_MS)

/* And whether one that only reads is still there: its end of sending was the last event of it. */
#define ADMIN_HANGUP_LOOK_NS (250 * (int64_t)CLOCK_NS_PER_MS)

struct admin_connection {
	const struct admin_context *context;
	struct list link;
	int fd;
	struct admin_peer peer;
	struct varlink_stream stream;
	struct admin_request *request; /* in work, or NULL */
	struct event *read_event;
	struct event *write_event;   /* added while there is output */
	struct event *gone_event;    /* added while a request is in work */
	struct event *hangup_timer;  /* added in its place once the client is half closed */
	struct event *partial_timer; /* added while half a frame is there */
	struct event *unread_timer;  /* added while the client has no room for descriptors */
	struct event *resume_event;
	int64_t unread_since_ns;     /* the client has received nothing since then */
	size_t in_flight;            /* what it had not received then */
	bool closing;     /* nothing is read any more; ends when all is sent */
	bool half_closed; /* the client will send no more, but may still read */
	bool dead;        /* to be destroyed at the next resume */
};

static struct timeval
admin_timeval(int64_t ns)
{
	return (struct timeval){.tv_sec = ns / CLOCK_NS_PER_S,
		.tv_usec = ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};
}

/* Looks after the connection once the caller has returned to the event loop. */
static void
admin_connection_resume_later(struct admin_connection *connection)
{
	event_active(connection->resume_event, EV_TIMEOUT, 0);
}

static void
admin_connection_drop(struct admin_connection *connection, const char *reason)
{
	log_debug(NULL, "admin connection of user %u, process %d ended: %s",
		(unsigned)connection->peer.uid, (int)connection->peer.pid, reason);
	connection->dead = true;
	admin_connection_resume_later(connection);
}

/* --- sending ------------------------------------------------------------------- */

bool
admin_connection_send(struct admin_connection *connection, const struct varlink_reply *reply,
	int fd)
{
	if (!varlink_stream_send_reply(&connection->stream, reply, &fd, fd >= 0 ? 1 : 0)) {
		fd_close(&fd);
		admin_connection_drop(connection, "no memory for its reply");
		return false;
	}
	admin_connection_resume_later(connection);
	return true;
}

/* A reply with a descriptor is a few bytes here, and may be megabytes in the kernel. */
static bool
admin_connection_has_room_for_fds(struct admin_connection *connection)
{
	const struct admin_limits *limits = connection->context->limits;
	uint64_t bytes;
	size_t fds = varlink_stream_unread_fds(&connection->stream, &bytes);

	return fds == 0 || (fds < limits->output_fds && bytes <= limits->output_bytes);
}

bool
admin_connection_has_room(struct admin_connection *connection)
{
	return !connection->dead && varlink_stream_pending(&connection->stream) <=
		connection->context->limits->output_bytes &&
		admin_connection_has_room_for_fds(connection);
}

void
admin_connection_forget_request(struct admin_connection *connection)
{
	connection->request = NULL;
	admin_connection_resume_later(connection);
}

void
admin_connection_refuse(struct admin_connection *connection, enum bay_status status,
	const char *format, ...)
{
	static struct log_rate rate = {.burst = 5, .period_ns = 10 * (int64_t)CLOCK_NS_PER_S};
	struct varlink_reply reply = {.error = status == BAY_INVALID ?
		INTERFACE_INVALID_PARAMETER : interface_error_name(status)};
	json_t *parameters;
	uint64_t hidden;
	char text[48];
	va_list args;

	va_start(args, format);
	parameters = admin_error_parameters(status, "bad-request", format, args);
	va_end(args);
	if (log_rate_pass(&rate, &hidden))
		log_warn(NULL, "admin connection of user %u, process %d refused: %s%s [bad-request]",
			(unsigned)connection->peer.uid, (int)connection->peer.pid,
			json_string_value(json_object_get(parameters, "message")),
			log_rate_text(hidden, text, sizeof(text)));
	reply.parameters = parameters;
	admin_connection_send(connection, &reply, -1);
	json_decref(parameters);
	connection->closing = true;
}

/* --- the work ------------------------------------------------------------------- */

static bool
admin_connection_may_take(struct admin_connection *connection)
{
	return connection->request == NULL && !connection->closing &&
		admin_connection_has_room(connection);
}

static void
admin_connection_take(struct admin_connection *connection, json_t *frame,
	struct varlink_fds *fds)
{
	const char *why;
	struct admin_request *request = admin_request_create(connection, &connection->peer, frame,
		fds, &why);

	/* The next half frame has its own time. */
	event_del(connection->partial_timer);
	if (request == NULL) {
		admin_connection_refuse(connection, BAY_INVALID, "read a request: %s", why);
		return;
	}
	connection->request = request;
	connection->context->handle(request, connection->context->handle_arg);
}

static enum bay_status
admin_status_of(enum varlink_result result)
{
	switch (result) {
	case VARLINK_TOO_BIG:
	case VARLINK_TOO_MANY_TOKENS:
	case VARLINK_TOO_DEEP:
		return BAY_TOO_BIG;
	case VARLINK_NO_MEMORY:
		return BAY_NO_MEMORY;
	default:
		return BAY_INVALID;
	}
}

static void
admin_connection_refuse_frame(struct admin_connection *connection, enum varlink_result result)
{
	admin_connection_refuse(connection, admin_status_of(result), "read a request: %s",
		varlink_result_text(result));
}

/* Hands complete frames to the handler as long as each is answered at once. */
static void
admin_connection_process(struct admin_connection *connection)
{
	while (admin_connection_may_take(connection)) {
		enum varlink_result result;
		struct varlink_fds fds;
		json_t *frame;

		result = varlink_stream_take(&connection->stream, &frame, &fds);
		if (result == VARLINK_MORE)
			break;
		if (result == VARLINK_OK)
			admin_connection_take(connection, frame, &fds);
		else
			admin_connection_refuse_frame(connection, result);
	}
}

static void
admin_connection_flush(struct admin_connection *connection)
{
	switch (varlink_stream_flush(&connection->stream)) {
	case VARLINK_STREAM_OK:
	case VARLINK_STREAM_AGAIN:
		break;
	default:
		admin_connection_drop(connection, varlink_stream_error(&connection->stream));
		break;
	}
}

static void
admin_set_event(struct event *event, bool wanted, int64_t timeout_ns)
{
	struct timeval timeout = admin_timeval(timeout_ns);

	if (!wanted)
		event_del(event);
	else if (!event_pending(event, EV_READ | EV_WRITE | EV_TIMEOUT | EV_CLOSED, NULL))
		event_add(event, timeout_ns > 0 ? &timeout : NULL);
}

/* Nothing tells when the client receives what is in the socket: one looks. */
static void
admin_connection_watch_unread(struct admin_connection *connection)
{
	bool waits = !admin_connection_has_room_for_fds(connection);

	if (waits && !event_pending(connection->unread_timer, EV_TIMEOUT, NULL)) {
		connection->unread_since_ns = clock_monotonic_ns();
		connection->in_flight = varlink_stream_in_flight(&connection->stream);
	}
	admin_set_event(connection->unread_timer, waits, ADMIN_UNREAD_LOOK_NS);
}

static void
admin_connection_update_events(struct admin_connection *connection)
{
	const struct admin_limits *limits = connection->context->limits;
	bool reading = admin_connection_may_take(connection) && !connection->half_closed;

	admin_set_event(connection->read_event, reading, 0);
	admin_set_event(connection->write_event, varlink_stream_pending(&connection->stream) > 0,
		limits->stall_ns);
	admin_set_event(connection->gone_event,
		connection->request != NULL && !connection->half_closed, 0);
	admin_set_event(connection->hangup_timer,
		connection->request != NULL && connection->half_closed, ADMIN_HANGUP_LOOK_NS);
	admin_set_event(connection->partial_timer,
		reading && varlink_stream_has_part(&connection->stream), limits->partial_ns);
	admin_connection_watch_unread(connection);
}

/* Takes what is there, sends what can be sent, and decides what to wait for. */
static void
admin_connection_step(struct admin_connection *connection)
{
	admin_connection_process(connection);
	if (!connection->dead)
		admin_connection_flush(connection);
	/* What is sent now is flushed in the next step. */
	if (connection->request != NULL && admin_connection_has_room(connection))
		admin_request_offer_room(connection->request);
	if (connection->half_closed && connection->request == NULL)
		connection->closing = true;
	if (connection->dead ||
	    (connection->closing && varlink_stream_pending(&connection->stream) == 0))
		admin_connection_destroy(connection);
	else
		admin_connection_update_events(connection);
}

/* --- events ---------------------------------------------------------------------- */

static void
admin_connection_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct admin_connection *connection = arg;

	(void)fd;
	(void)what;
	switch (varlink_stream_receive(&connection->stream)) {
	case VARLINK_STREAM_OK:
	case VARLINK_STREAM_AGAIN:
		break;
	case VARLINK_STREAM_CLOSED:
		/* What it sent before it closed is still answered. */
		connection->half_closed = true;
		break;
	case VARLINK_STREAM_REFUSED:
		admin_connection_process(connection);
		if (!connection->closing)
			admin_connection_refuse(connection, BAY_TOO_BIG,
				"read a request: %s", varlink_stream_error(&connection->stream));
		break;
	case VARLINK_STREAM_FAILED:
		admin_connection_drop(connection, varlink_stream_error(&connection->stream));
		break;
	}
	admin_connection_step(connection);
}

static void
admin_connection_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct admin_connection *connection = arg;

	(void)fd;
	if ((what & EV_TIMEOUT) != 0)
		admin_connection_drop(connection, "it does not read its replies");
	admin_connection_step(connection);
}

static void
admin_connection_drop_if_gone(struct admin_connection *connection)
{
	struct pollfd now = {.fd = connection->fd};

	if (poll(&now, 1, 0) == 1 && (now.revents & (POLLHUP | POLLERR)) != 0)
		admin_connection_drop(connection, "the client went away");
}

/* The client has closed its end. One that only stopped sending can still be answered. */
static void
admin_connection_on_closed(evutil_socket_t fd, short what, void *arg)
{
	struct admin_connection *connection = arg;

	(void)fd;
	(void)what;
	connection->half_closed = true;
	admin_connection_drop_if_gone(connection);
	admin_connection_step(connection);
}

static void
admin_connection_on_hangup_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	admin_connection_drop_if_gone(arg);
}

static void
admin_connection_on_partial_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct admin_connection *connection = arg;
	char text[CLOCK_TEXT_SIZE];

	(void)fd;
	(void)what;
	admin_connection_refuse(connection, BAY_TIMEOUT,
		"read a request: its end did not come within %s",
		clock_format_duration(text, sizeof(text), connection->context->limits->partial_ns));
	admin_connection_step(connection);
}

static void
admin_connection_on_unread_timer(evutil_socket_t fd, short what, void *arg)
{
	struct admin_connection *connection = arg;
	size_t in_flight = varlink_stream_in_flight(&connection->stream);
	int64_t now_ns = clock_monotonic_ns();

	(void)fd;
	(void)what;
	if (in_flight != connection->in_flight)
		connection->unread_since_ns = now_ns;
	connection->in_flight = in_flight;
	if (admin_connection_has_room_for_fds(connection)) {
		event_del(connection->unread_timer);
		admin_connection_step(connection);
	} else if (now_ns - connection->unread_since_ns >= connection->context->limits->stall_ns) {
		admin_connection_drop(connection, "it does not read its replies");
	}
}

static void
admin_connection_on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	admin_connection_step(arg);
}

/* --- lifecycle -------------------------------------------------------------------- */

static bool
admin_connection_make_events(struct admin_connection *connection)
{
	struct event_base *base = connection->context->base;
	int fd = connection->fd;

	connection->read_event = event_new(base, fd, EV_READ | EV_PERSIST,
		admin_connection_on_readable, connection);
	connection->write_event = event_new(base, fd, EV_WRITE | EV_PERSIST,
		admin_connection_on_writable, connection);
	connection->gone_event = event_new(base, fd, EV_CLOSED, admin_connection_on_closed,
		connection);
	connection->hangup_timer = event_new(base, -1, EV_PERSIST,
		admin_connection_on_hangup_timer, connection);
	connection->partial_timer = event_new(base, -1, 0, admin_connection_on_partial_timeout,
		connection);
	connection->unread_timer = event_new(base, -1, EV_PERSIST,
		admin_connection_on_unread_timer, connection);
	connection->resume_event = event_new(base, -1, 0, admin_connection_on_resume, connection);
	return connection->read_event != NULL && connection->write_event != NULL &&
		connection->gone_event != NULL && connection->hangup_timer != NULL &&
		connection->partial_timer != NULL &&
		connection->unread_timer != NULL && connection->resume_event != NULL;
}

struct admin_connection *
admin_connection_create(const struct admin_context *context, int fd,
	const struct admin_peer *peer, struct list *list)
{
	struct admin_connection *connection = xcalloc(1, sizeof(*connection));

	connection->context = context;
	connection->fd = fd;
	connection->peer = *peer;
	varlink_stream_init(&connection->stream, fd, &varlink_limits_server);
	list_push_back(list, &connection->link);
	if (!admin_connection_make_events(connection)) {
		admin_connection_destroy(connection);
		return NULL;
	}
	admin_connection_update_events(connection);
	return connection;
}

static void
admin_free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

/* The request stays with whoever works on it, and who is told. */
static void
admin_connection_abandon_request(struct admin_connection *connection)
{
	struct admin_request *request = connection->request;

	connection->request = NULL;
	if (request != NULL)
		admin_request_abandon(request);
}

void
admin_connection_destroy(struct admin_connection *connection)
{
	if (!connection->dead && varlink_stream_pending(&connection->stream) > 0 &&
	    varlink_stream_flush(&connection->stream) != VARLINK_STREAM_OK)
		log_debug(NULL, "admin connection of user %u ends with its reply half sent",
			(unsigned)connection->peer.uid);
	list_remove(&connection->link);
	admin_connection_abandon_request(connection);
	admin_free_event(connection->read_event);
	admin_free_event(connection->write_event);
	admin_free_event(connection->gone_event);
	admin_free_event(connection->hangup_timer);
	admin_free_event(connection->partial_timer);
	admin_free_event(connection->unread_timer);
	admin_free_event(connection->resume_event);
	varlink_stream_finish(&connection->stream);
	close(connection->fd);
	free(connection);
}

struct admin_connection *
admin_connection_from_link(struct list *link)
{
	return container_of(link, struct admin_connection, link);
}

const struct admin_peer *
admin_connection_peer(const struct admin_connection *connection)
{
	return &connection->peer;
}

/* Who it is stays; if that cannot be asked any more, it has gone. */
void
admin_connection_set_role(struct admin_connection *connection, const struct admin_policy *policy)
{
	struct admin_peer peer;

	connection->peer.role = admin_peer_read(connection->fd, policy, &peer) ? peer.role :
		INTERFACE_ROLE_NONE;
}
