/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a stream, and what the loop tells it. */
#include "config.h"

#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "io/address.h"
#include "io/descriptor.h"
#include "loop/signals.h"
#include "runtime/task.h"

enum {
	STREAM_HIGH_WATER = 64 << 10,
	STREAM_LOW_WATER = 16 << 10,
	/* Times that the other end is asked whether it is there, and the seconds between. */
	STREAM_KEEPALIVE_PROBES = 4,
	STREAM_KEEPALIVE_EVERY_S = 15
};

static int
stream_plain_put(struct bay_stream *stream, const void *data, size_t size)
{
	return stream_send(stream, data, size);
}

static int
stream_plain_get(struct bay_stream *stream, void *data, size_t size, size_t *size_r)
{
	return stream_receive(stream, data, size, size_r);
}

const struct stream_transport stream_plain = {
	.get = stream_plain_get,
	.put = stream_plain_put,
	.plain = true,
};

/* --- options -------------------------------------------------------------------------------- */

/* What is wrong with the options, or NULL. */
static const char *
stream_options_fault(const struct bay_stream_options *full)
{
	if (full->length != sizeof *full)
		return "length is not that of this container's options";
	if (full->low_water > full->high_water)
		return "low_water is above high_water";
	if (full->keepalive_ns < 0)
		return "keepalive_ns is negative";
	return NULL;
}

int
stream_options_read(const struct bay_stream_options *options, struct bay_stream_options *full_r,
	const char *function)
{
	const char *fault;

	memset(full_r, 0, sizeof *full_r);
	full_r->length = sizeof *full_r;
	if (options != NULL)
		memcpy(full_r, options, sizeof *full_r);
	if (full_r->high_water == 0)
		full_r->high_water = full_r->low_water > STREAM_LOW_WATER ? full_r->low_water * 4 : STREAM_HIGH_WATER;
	if (full_r->low_water == 0)
		full_r->low_water = full_r->high_water / 4;
	fault = stream_options_fault(full_r);
	if (fault == NULL)
		return BAY_OK;
	log_error(task_subject(task_current()), "%s: %s [misuse-argument]", function, fault);
	return BAY_INVALID;
}

static void
stream_set_int(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

static void
stream_apply_keepalive(int fd, int64_t keepalive_ns)
{
	int64_t seconds = (keepalive_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S;

	stream_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive_ns > 0);
	if (keepalive_ns == 0)
		return;
	stream_set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds < INT16_MAX ? (int)seconds : INT16_MAX);
	stream_set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, STREAM_KEEPALIVE_EVERY_S);
	stream_set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, STREAM_KEEPALIVE_PROBES);
}

void
stream_apply(struct bay_stream *stream, const struct bay_stream_options *full)
{
	stream->high_water = full->high_water;
	stream->low_water = full->low_water;
	if (!stream->is_tcp)
		return;
	stream_set_int(stream->fd, IPPROTO_TCP, TCP_NODELAY, !full->delay);
	stream_apply_keepalive(stream->fd, full->keepalive_ns);
}

/* --- what the loop tells ---------------------------------------------------------------------- */

static void
stream_on_edge(struct edge *edge, unsigned what)
{
	struct bay_stream *stream = container_of(edge, struct bay_stream, edge);

	if (what & EDGE_ODD)
		stream->tells_short = false;
	if (what & (EDGE_READABLE | EDGE_ODD)) {
		stream->readable = true;
		stream_wake_readers(stream, BAY_OK);
	}
	if (what & (EDGE_WRITABLE | EDGE_ODD)) {
		stream->writable = true;
		stream_flush(stream);
	}
}

/* --- life ------------------------------------------------------------------------------------ */

static bool
stream_has_name(const struct bay_address *address, int status, char *name, size_t size)
{
	return status == BAY_OK && strcmp(bay_address_text(address, name, size), "unix:") != 0;
}

/* "127.0.0.1:4711 read": asked for by the task list only, so it is made only then. */
static void
stream_describe(const struct waitable *waitable, const struct waiter *waiter, char *text, size_t size)
{
	const struct bay_stream *stream = (const struct bay_stream *)waitable;
	const char *what = list_first(&stream->readers) == &waiter->link ? "read" : "write";
	char name[BAY_ADDRESS_TEXT_SIZE];
	struct bay_address peer, local;

	if (!stream_has_name(&peer, bay_stream_peer(stream, &peer), name, sizeof name) &&
		!stream_has_name(&local, bay_stream_local(stream, &local), name, sizeof name))
		snprintf(name, sizeof name, "fd %d", stream->fd);
	snprintf(text, size, "%s %s", name, stream->connecting ? "connect" : what);
}

static void
stream_on_forgotten(struct belonging *belonging)
{
	stream_end(container_of(belonging, struct bay_stream, belonging), true);
}

/* What kind of thing it is: false for what cannot be a stream. */
static bool
stream_look_at(int fd, bool *is_socket_r, bool *is_tcp_r)
{
	int type = 0, family = 0;
	socklen_t size = sizeof type;
	struct stat file;

	*is_socket_r = *is_tcp_r = false;
	if (fstat(fd, &file) != 0)
		return false;
	if (!S_ISSOCK(file.st_mode))
		return !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode);
	*is_socket_r = true;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
		return false;
	size = sizeof family;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
		return false;
	*is_tcp_r = family == AF_INET || family == AF_INET6;
	return true;
}

int
stream_create(int fd, const struct bay_stream_options *full, struct bay_stream **stream_r)
{
	struct bay_stream *stream;
	bool is_socket, is_tcp;

	if (!stream_look_at(fd, &is_socket, &is_tcp))
		return errno == EBADF ? BAY_CLOSED : BAY_INVALID;
	stream = waitable_create(sizeof *stream, "stream", NULL);
	if (stream == NULL)
		return BAY_NO_MEMORY;
	stream->waitable.describe = stream_describe;
	stream->transport = &stream_plain;
	list_init(&stream->readers);
	list_init(&stream->room);
	list_init(&stream->drainers);
	stream->fd = fd;
	stream->is_socket = is_socket;
	/* A Unix socket may give less than there is (when other credentials or descriptors come). */
	stream->is_tcp = stream->tells_short = is_tcp;
	stream->readable = stream->writable = true;
	stream->read_size = STREAM_BUFFER_MIN;
	if (!edge_begin(&stream->edge, &stream->waitable.scheduler->loop, fd, stream_on_edge)) {
		int saved = errno;

		waitable_close(&stream->waitable);
		errno = saved;
		return errno == EPERM ? BAY_INVALID : errno == ENOMEM ? BAY_NO_MEMORY : BAY_IO;
	}
	belonging_add(&stream->belonging, "stream", stream_on_forgotten);
	stream_apply(stream, full);
	*stream_r = stream;
	return BAY_OK;
}

void
stream_peer_init(struct stream_peer *peer, const struct sockaddr *address, socklen_t length)
{
	peer->length = 0;
	if (length > sizeof peer->address || address->sa_family == AF_UNIX)
		return;
	memcpy(&peer->address, address, length);
	peer->length = length;
}

/* With data of ours unsent, so that close(2) tells the other end of it. */
static void
stream_reset(const struct bay_stream *stream)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (stream->is_socket)
		(void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void
stream_end(struct bay_stream *stream, bool reset)
{
	if (reset)
		stream_reset(stream);
	stream->closing = true;
	edge_end(&stream->edge);
	(void)bay_fd_close(stream->fd);
	stream->fd = -1;
	if (stream->transport->finish != NULL)
		stream->transport->finish(stream);
	belonging_remove(&stream->belonging);
	stream_buffer_finish(&stream->input);
	stream_buffer_finish(&stream->output);
	free(stream->error);
	stream->error = NULL;
	stream_wake_readers(stream, BAY_CLOSED);
	stream_wake_writers(stream, BAY_CLOSED);
	while (!list_empty(&stream->drainers))
		waiter_wake(container_of(list_first(&stream->drainers), struct waiter, link), BAY_CLOSED);
	waitable_close(&stream->waitable);
}

/* --- failures ---------------------------------------------------------------------------------- */

static void
stream_keep_words(struct bay_stream *stream, const char *format, va_list args)
{
	char *words;

	if (vasprintf(&words, format, args) < 0)
		words = NULL;
	free(stream->error);
	stream->error = words;
}

void
stream_fail_read(struct bay_stream *stream, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	stream_keep_words(stream, format, args);
	va_end(args);
	stream->read_status = status;
}

void
stream_fail_write(struct bay_stream *stream, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	stream_keep_words(stream, format, args);
	va_end(args);
	stream->write_status = status;
	stream_buffer_finish(&stream->output);
	stream_flush(stream);
}

/* --- <bay/stream.h> ------------------------------------------------------------------------------ */

/* Writing to a pipe that nobody reads is an error here, and not the end of the process. */
static void
stream_survive_sigpipe(void)
{
	struct sigaction present;

	if (sigaction(SIGPIPE, NULL, &present) == 0 && present.sa_handler == SIG_DFL)
		signals_ignore_sigpipe();
}

static void
stream_ask_peer(struct bay_stream *stream)
{
	const struct sockaddr *address;
	struct bay_address peer;
	socklen_t length;

	address_peer(&peer, stream->fd);
	address = address_sockaddr(&peer, &length);
	stream_peer_init(&stream->peer, address, length);
}

int
bay_stream_open_fd(int fd, const struct bay_stream_options *options, struct bay_stream **stream_r)
{
	struct bay_stream_options full;
	int status;

	if (!AWAIT_BEGIN("bay_stream_open_fd"))
		return BAY_INVALID;
	if (stream_options_read(options, &full, "bay_stream_open_fd") != BAY_OK)
		return BAY_INVALID;
	if (fcntl(fd, F_GETFD) < 0)
		return BAY_CLOSED;
	if (!fd_set_nonblocking(fd) || !fd_set_cloexec(fd, true))
		return BAY_IO;
	status = stream_create(fd, &full, stream_r);
	if (status != BAY_OK)
		return status;
	if ((*stream_r)->is_tcp)
		stream_ask_peer(*stream_r);
	if (!(*stream_r)->is_socket)
		stream_survive_sigpipe();
	return BAY_OK;
}

/* Streams of both descriptors, or of none. */
static int
stream_open_both(const int fds[2], struct bay_stream **first_r, struct bay_stream **second_r)
{
	int status = bay_stream_open_fd(fds[0], NULL, first_r);

	if (status != BAY_OK) {
		close(fds[0]);
		close(fds[1]);
		return status;
	}
	status = bay_stream_open_fd(fds[1], NULL, second_r);
	if (status != BAY_OK) {
		bay_stream_abort(*first_r);
		close(fds[1]);
	}
	return status;
}

int
bay_pipe(struct bay_stream **read_r, struct bay_stream **write_r)
{
	int fds[2];

	if (!AWAIT_BEGIN("bay_pipe"))
		return BAY_INVALID;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return BAY_IO;
	return stream_open_both(fds, read_r, write_r);
}

int
bay_stream_pair(struct bay_stream **a_r, struct bay_stream **b_r)
{
	int fds[2];

	if (!AWAIT_BEGIN("bay_stream_pair"))
		return BAY_INVALID;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return BAY_IO;
	return stream_open_both(fds, a_r, b_r);
}

/* All others leave; the rest of output goes out, or not. */
static int
stream_say_goodbye(struct bay_stream *stream, int64_t deadline)
{
	stream->closing = true;
	stream_wake_readers(stream, BAY_CLOSED);
	stream_wake_writers(stream, BAY_CLOSED);
	if (stream->write_status == BAY_OK && !stream->finished && stream->transport->end != NULL)
		stream->transport->end(stream);
	return stream_drain(stream, deadline);
}

int
bay_stream_close(struct bay_stream *stream, int64_t deadline)
{
	int status;

	if (!AWAIT_BEGIN("bay_stream_close"))
		return BAY_INVALID;
	if (stream == NULL)
		return BAY_OK;
	if (!waitable_is_here(stream, "bay_stream_close"))
		return BAY_INVALID;
	if (stream->closing)
		return BAY_CLOSED;
	waitable_enter(&stream->waitable);
	status = stream_say_goodbye(stream, deadline);
	/* Somebody may have aborted it meanwhile. */
	if (!stream->waitable.closed)
		stream_end(stream, status != BAY_OK);
	waitable_leave(&stream->waitable);
	return status;
}

void
bay_stream_abort(struct bay_stream *stream)
{
	if (stream != NULL && waitable_is_here(stream, "bay_stream_abort"))
		stream_end(stream, true);
}
