/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listener accepts for the first of those who wait, in the loop. Without descriptors it pauses:
 * the connections stay in the kernel's backlog, and the loop is not told of them again and again.
 */
#include "config.h"

#include "io/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "io/address.h"
#include "io/descriptor.h"
#include "loop/edge.h"
#include "loop/timer.h"
#include "runtime/belonging.h"
#include "runtime/task.h"
#include "runtime/waitable.h"

enum { LISTENER_BACKLOG = 1024 };

/* How long a pause is, at first and at most. */
#define LISTENER_PAUSE_MIN_NS (BAY_SECOND / 100)
#define LISTENER_PAUSE_MAX_NS BAY_SECOND

struct bay_listener {
	struct waitable waitable;   /* first; waiters: struct listener_waiter.waiter.link */
	struct belonging belonging;
	struct edge edge;
	struct timer pause;         /* armed while it pauses */
	int64_t pause_ns;           /* how long the next pause is; 0: all is well */
	struct bay_stream_options streams;
	struct bay_tls *tls;        /* or NULL */
	int fd;
	bool acceptable;            /* as far as we know */
	int status;                 /* BAY_OK, or why nothing can be accepted any more */
	char *path;                 /* of a Unix socket that we made, malloc'd, or NULL */
	dev_t device;               /* of that */
	ino_t inode;
};

static listener_source_fn *listener_source = listener_bind;

void
listener_set_source(listener_source_fn *source)
{
	listener_source = source;
}

/* --- accepting ---------------------------------------------------------------------------------- */

static bool
listener_lacks_means(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* What only says that this one connection came to nothing, and that is gone with it. */
static bool
listener_may_go_on(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case EPERM:
		return true;
	default:
		return false;
	}
}

static void
listener_pause(struct bay_listener *listener, int error)
{
	static struct log_rate rate = {.burst = 1, .period_ns = 10 * BAY_SECOND};
	struct loop *loop = &listener->waitable.scheduler->loop;
	char hidden[64];
	uint64_t count;

	listener->pause_ns = listener->pause_ns == 0 ? LISTENER_PAUSE_MIN_NS : listener->pause_ns * 2;
	if (listener->pause_ns > LISTENER_PAUSE_MAX_NS)
		listener->pause_ns = LISTENER_PAUSE_MAX_NS;
	wheel_add(&loop->wheel, &listener->pause, loop_now(loop) + listener->pause_ns);
	if (log_rate_pass(&rate, &count))
		log_warn(task_subject(task_current()), "listener %s pauses, as no connection can be accepted: %s%s",
			listener->waitable.name, strerror(error), log_rate_text(count, hidden, sizeof hidden));
}

static int
listener_accept_failed(struct bay_listener *listener, int error)
{
	if (error == EAGAIN) {
		listener->acceptable = false;
		return BAY_BUSY;
	}
	if (listener_lacks_means(error)) {
		listener_pause(listener, error);
		return BAY_BUSY;
	}
	log_error(task_subject(task_current()), "listener %s is broken: %s", listener->waitable.name,
		strerror(error));
	listener->status = BAY_IO;
	return BAY_IO;
}

static int
listener_accept_now(struct bay_listener *listener, struct listener_connection *connection_r)
{
	struct sockaddr_storage peer;
	socklen_t length;

	if (listener->status != BAY_OK)
		return listener->status;
	if (!listener->acceptable || timer_armed(&listener->pause) || belonging_is_held_back(&listener->belonging))
		return BAY_BUSY;
	do {
		length = sizeof peer;
		connection_r->fd = accept4(listener->fd, (struct sockaddr *)&peer, &length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (connection_r->fd < 0 && listener_may_go_on(errno));
	if (connection_r->fd < 0)
		return listener_accept_failed(listener, errno);
	listener->pause_ns = 0;
	stream_peer_init(&connection_r->peer, (const struct sockaddr *)&peer, length);
	return BAY_OK;
}

/* To those who wait, in their order. */
static void
listener_hand_out(struct bay_listener *listener)
{
	struct waiter *first;

	while ((first = waitable_first(&listener->waitable)) != NULL) {
		struct listener_waiter *waiter = container_of(first, struct listener_waiter, waiter);
		int status = listener_accept_now(listener, &waiter->connection);

		if (status == BAY_BUSY)
			return;
		waiter_wake(first, status);
	}
}

static void
listener_on_edge(struct edge *edge, unsigned what)
{
	struct bay_listener *listener = container_of(edge, struct bay_listener, edge);

	(void)what;
	listener->acceptable = true;
	listener_hand_out(listener);
}

static void
listener_on_pause_over(struct timer *timer)
{
	listener_hand_out(container_of(timer, struct bay_listener, pause));
}

/* Overtakes nobody: while somebody waits, nothing is there, as far as we know, or it pauses. */
int
listener_accept(struct bay_listener *listener, struct listener_connection *connection_r)
{
	return listener_accept_now(listener, connection_r);
}

void
listener_await(struct listener_waiter *waiter, struct bay_listener *listener)
{
	waiter->waiter.waitable = &listener->waitable;
	list_push_back(&listener->waitable.waiters, &waiter->waiter.link);
	waitable_enter(&listener->waitable);
}

struct bay_tls *
listener_tls(const struct bay_listener *listener)
{
	return listener->tls;
}

void
listener_left(struct bay_listener *listener)
{
	waitable_leave(&listener->waitable);
}

int
listener_open(const struct bay_listener *listener, const struct listener_connection *connection,
	struct bay_stream **stream_r)
{
	int status = stream_create(connection->fd, &listener->streams, stream_r);

	if (status != BAY_OK) {
		close(connection->fd);
		return status;
	}
	(*stream_r)->peer = connection->peer;
	(*stream_r)->belonging.accepted = true;
	return BAY_OK;
}

/* --- life ---------------------------------------------------------------------------------------- */

/* Accepts no more. Who waits, and who comes to, is told that it is closed. */
static void
listener_shut(struct bay_listener *listener)
{
	wheel_remove(&listener->waitable.scheduler->loop.wheel, &listener->pause);
	edge_end(&listener->edge);
	(void)bay_fd_close(listener->fd);
	listener->fd = -1;
	listener->status = BAY_CLOSED;
}

/* Another has its place: who has not been accepted is the other's. */
static void
listener_on_no_more(struct belonging *belonging)
{
	struct bay_listener *listener = container_of(belonging, struct bay_listener, belonging);

	if (listener->fd < 0)
		return;
	listener_shut(listener);
	listener_hand_out(listener);
}

/* Who came while its service was paused waits in the backlog. */
static void
listener_on_again(struct belonging *belonging)
{
	listener_hand_out(container_of(belonging, struct bay_listener, belonging));
}

static void
listener_end(struct bay_listener *listener)
{
	struct stat file;

	/* The file first: whoever finds it can still connect. */
	if (listener->path != NULL && lstat(listener->path, &file) == 0 && file.st_dev == listener->device &&
		file.st_ino == listener->inode)
		(void)unlink(listener->path);
	free(listener->path);
	if (listener->fd >= 0)
		listener_shut(listener);
	belonging_remove(&listener->belonging);
	waitable_close(&listener->waitable);
}

static void
listener_on_forgotten(struct belonging *belonging)
{
	listener_end(container_of(belonging, struct bay_listener, belonging));
}

/* Remembers the file of a socket that was bound here, to remove it in the end. */
static void
listener_keep_path(struct bay_listener *listener, const char *address)
{
	const char *path = address + strlen("unix:");
	struct stat file;

	if (listener_source != listener_bind || strncmp(address, "unix:", strlen("unix:")) != 0 || path[0] == '@' ||
		lstat(path, &file) != 0)
		return;
	listener->path = alloc_try_copy(path);
	listener->device = file.st_dev;
	listener->inode = file.st_ino;
}

/* Of a socket, which it takes. BAY_OK, BAY_NO_MEMORY, BAY_IO. */
static int
listener_create(int fd, const char *address, const struct bay_stream_options *streams,
	struct bay_listener **listener_r)
{
	char text[BAY_ADDRESS_TEXT_SIZE];
	struct bay_listener *listener;
	struct bay_address bound;

	address_local(&bound, fd);
	listener = waitable_create(sizeof *listener, "listener", bay_address_text(&bound, text, sizeof text));
	if (listener == NULL)
		return BAY_NO_MEMORY;
	listener->fd = fd;
	listener->streams = *streams;
	listener->acceptable = true;
	timer_init(&listener->pause, listener_on_pause_over);
	if (!edge_begin(&listener->edge, &listener->waitable.scheduler->loop, fd, listener_on_edge)) {
		waitable_close(&listener->waitable);
		return BAY_IO;
	}
	listener_keep_path(listener, address);
	belonging_add(&listener->belonging, "listener", listener_on_forgotten);
	listener->belonging.listen_no_more = listener_on_no_more;
	listener->belonging.listen_again = listener_on_again;
	*listener_r = listener;
	return BAY_OK;
}

/* --- <bay/listener.h> ------------------------------------------------------------------------------ */

/* Filled up with what is usual; BAY_INVALID with a line in the log. */
static int
listener_options_read(const struct bay_listener_options *options, struct bay_listener_options *full_r,
	struct bay_stream_options *streams_r)
{
	memset(full_r, 0, sizeof *full_r);
	full_r->length = sizeof *full_r;
	if (options != NULL)
		memcpy(full_r, options, sizeof *full_r);
	if (full_r->length != sizeof *full_r || full_r->backlog < 0) {
		log_error(task_subject(task_current()), "bay_listen: %s [misuse-argument]", full_r->backlog < 0 ? "backlog is negative"
			: "length is not that of this container's options");
		return BAY_INVALID;
	}
	if (full_r->backlog == 0)
		full_r->backlog = LISTENER_BACKLOG;
	if (stream_options_read(full_r->streams, streams_r, "bay_listen") != BAY_OK)
		return BAY_INVALID;
	/* They are the caller's for this call only, and of no use to streams that are accepted. */
	streams_r->error = NULL;
	streams_r->local = NULL;
	streams_r->tls = NULL;
	streams_r->server_name = NULL;
	return BAY_OK;
}

int
bay_listen(const char *address, const struct bay_listener_options *options, struct bay_listener **listener_r,
	int64_t deadline)
{
	struct bay_listener_options full;
	struct bay_stream_options streams;
	char unwanted[1];
	int status, fd = -1;

	*listener_r = NULL;
	if (!AWAIT_BEGIN("bay_listen"))
		return BAY_INVALID;
	if (listener_options_read(options, &full, &streams) != BAY_OK)
		return BAY_INVALID;
	if (full.error == NULL || full.error_size == 0) {
		full.error = unwanted;
		full.error_size = sizeof unwanted;
	}
	full.error[0] = '\0';
	if (await_is_over(task_current()))
		return await_over(task_current());
	status = listener_source(address, full.backlog, &fd, full.error, full.error_size, deadline);
	if (status != BAY_OK)
		return status;
	status = listener_create(fd, address, &streams, listener_r);
	if (status == BAY_OK) {
		(*listener_r)->tls = full.tls;
	} else {
		snprintf(full.error, full.error_size, "listen at %s: %s", address,
			status == BAY_NO_MEMORY ? "no memory" : strerror(errno));
		close(fd);
	}
	return status;
}

int
bay_accept(struct bay_listener *listener, struct bay_stream **stream_r, int64_t deadline)
{
	struct task *self = task_current();
	struct listener_waiter waiter;
	int status;

	*stream_r = NULL;
	if (!WAITABLE_BEGIN(listener, "bay_accept"))
		return BAY_INVALID;
	if (await_is_over(self))
		return await_over(self);
	status = listener_accept(listener, &waiter.connection);
	if (status == BAY_OK)
		status = listener_open(listener, &waiter.connection, stream_r);
	/* Whoever is always served at once would otherwise never let anybody else run. */
	if (status != BAY_BUSY)
		return await_refused(self, status);
	waiter_init(&waiter.waiter, AWAIT_CANCELABLE);
	listener_await(&waiter, listener);
	status = task_await(&waiter.waiter, deadline);
	if (status == BAY_OK)
		status = listener_open(listener, &waiter.connection, stream_r);
	listener_left(listener);
	return status;
}

void
bay_listener_address(const struct bay_listener *listener, struct bay_address *address_r)
{
	address_local(address_r, listener->fd);
}

void
bay_listener_close(struct bay_listener *listener)
{
	if (listener != NULL && waitable_is_here(listener, "bay_listener_close"))
		listener_end(listener);
}
