/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams to somewhere: bay_connect(). */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/tls.h>

#include "io/address.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "runtime/task.h"

enum {
	/* Addresses of a host that are tried. */
	CONNECTOR_ADDRESSES = 16
};

/* One of several addresses may not answer at all: the next has its turn after so long. */
#define CONNECTOR_EACH_NS (10 * BAY_SECOND)
/* A Unix socket whose backlog is full does not say when it is not: it is tried again. */
#define CONNECTOR_AGAIN_MIN_NS (BAY_SECOND / 1000)
#define CONNECTOR_AGAIN_MAX_NS (BAY_SECOND / 20)

/* Writes why it failed where the caller wants it; returns status. */
static __attribute__((format(printf, 3, 4))) int
connector_fail(const struct bay_stream_options *full, int status, const char *format, ...)
{
	va_list args;

	if (full->error == NULL || full->error_size == 0)
		return status;
	va_start(args, format);
	vsnprintf(full->error, full->error_size, format, args);
	va_end(args);
	return status;
}

static int
connector_fail_at(const struct bay_stream_options *full, const struct bay_address *address, int error)
{
	char text[BAY_ADDRESS_TEXT_SIZE];
	int status = error == EACCES || error == EPERM ? BAY_NOT_PERMITTED : BAY_IO;

	return connector_fail(full, status, "connect to %s: %s", bay_address_text(address, text, sizeof text),
		strerror(error));
}

/* The wait for an answer was cut short. */
static int
connector_cut(const struct bay_stream_options *full, const struct bay_address *address, int status)
{
	char text[BAY_ADDRESS_TEXT_SIZE];

	return connector_fail(full, status, "connect to %s: %s", bay_address_text(address, text, sizeof text),
		status == BAY_TIMEOUT ? "no answer in time" : bay_status_name(status));
}

/* --- one address ---------------------------------------------------------------------------------- */

/* Waits for span_ns, or less. BAY_OK, BAY_TIMEOUT, BAY_CANCELED. */
static int
connector_rest(int64_t span_ns, int64_t deadline)
{
	struct task *self = task_current();
	int64_t limit_ns = task_deadline(self, deadline), until_ns = loop_now(&self->scheduler->loop) + span_ns;
	struct waiter waiter;
	int status;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	status = task_await(&waiter, until_ns < limit_ns ? until_ns : limit_ns);
	return status == BAY_TIMEOUT && until_ns < limit_ns ? BAY_OK : status;
}

/* A socket on its way to the address, or there: *error_r is 0 or EINPROGRESS. -1: it failed so. */
static int
connector_socket(const struct bay_address *address, const struct bay_stream_options *full, int *error_r)
{
	socklen_t length, local_length;
	const struct sockaddr *name = address_sockaddr(address, &length), *local;
	int fd = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*error_r = 0;
	if (fd < 0)
		goto fail;
	if (full->local != NULL) {
		local = address_sockaddr(full->local, &local_length);
		if (bind(fd, local, local_length) != 0)
			goto fail;
	}
	if (connect(fd, name, length) == 0)
		return fd;
	*error_r = errno;
	if (errno == EINPROGRESS || errno == EINTR)
		return fd;
	close(fd);
	return -1;
fail:
	*error_r = errno;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The same, again while a Unix socket's backlog is full. BAY_OK; BAY_IO: *error_r says why;
 * BAY_TIMEOUT; BAY_CANCELED. */
static int
connector_begin(const struct bay_address *address, const struct bay_stream_options *full, int *fd_r,
	int *error_r, int64_t deadline)
{
	int64_t rest_ns = CONNECTOR_AGAIN_MIN_NS;
	int status;

	for (;;) {
		*fd_r = connector_socket(address, full, error_r);
		if (*fd_r >= 0)
			return BAY_OK;
		if (*error_r != EAGAIN || bay_address_family(address) != BAY_ADDRESS_UNIX)
			return BAY_IO;
		status = connector_rest(rest_ns, deadline);
		if (status != BAY_OK)
			return status;
		rest_ns = rest_ns * 2 < CONNECTOR_AGAIN_MAX_NS ? rest_ns * 2 : CONNECTOR_AGAIN_MAX_NS;
	}
}

/* How the connection has come out: 0, or an errno. */
static int
connector_outcome(const struct bay_stream *stream)
{
	struct bay_address local, peer;
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return errno;
	if (error != 0 || !stream->is_tcp)
		return error;
	/* Nobody listens, and the kernel chose the very port that was asked for: we have met
	 * ourselves. */
	address_local(&local, stream->fd);
	address_peer(&peer, stream->fd);
	return bay_address_equal(&local, &peer) ? ECONNREFUSED : 0;
}

/* Waits until the connection stands or has failed. BAY_OK, BAY_TIMEOUT, BAY_CANCELED. */
static int
connector_await(struct bay_stream *stream, int64_t deadline)
{
	int status = BAY_OK;

	stream->connecting = true;
	while (status == BAY_OK && !stream->writable) {
		struct waiter waiter;

		waiter_init(&waiter, AWAIT_CANCELABLE);
		waiter.waitable = &stream->waitable;
		list_push_back(&stream->room, &waiter.link);
		status = task_await(&waiter, deadline);
	}
	stream->connecting = false;
	return status;
}

static int
connector_try(const struct bay_address *address, const struct bay_stream_options *full,
	struct bay_stream **stream_r, int64_t deadline)
{
	const struct sockaddr *name;
	struct bay_stream *stream;
	socklen_t length;
	int status, error, fd;

	status = connector_begin(address, full, &fd, &error, deadline);
	if (status != BAY_OK)
		return status == BAY_IO ? connector_fail_at(full, address, error) : connector_cut(full, address, status);
	status = stream_create(fd, full, &stream);
	if (status != BAY_OK) {
		close(fd);
		return connector_fail_at(full, address, status == BAY_NO_MEMORY ? ENOMEM : errno);
	}
	name = address_sockaddr(address, &length);
	stream_peer_init(&stream->peer, name, length);
	stream->writable = error == 0;
	status = connector_await(stream, deadline);
	error = status == BAY_OK ? connector_outcome(stream) : 0;
	if (status == BAY_OK && error == 0) {
		*stream_r = stream;
		return BAY_OK;
	}
	stream_end(stream, false);
	return status == BAY_OK ? connector_fail_at(full, address, error) : connector_cut(full, address, status);
}

/* --- several ---------------------------------------------------------------------------------------- */

/* When the first of so many addresses must have answered. */
static int64_t
connector_deadline(size_t left, int64_t deadline)
{
	int64_t now_ns = loop_now(&task_current()->scheduler->loop), each_ns = CONNECTOR_EACH_NS;

	if (left == 1)
		return deadline;
	deadline = task_deadline(task_current(), deadline);
	if (deadline != BAY_INHERIT && (deadline - now_ns) / (int64_t)left < each_ns)
		each_ns = (deadline - now_ns) / (int64_t)left;
	return now_ns + each_ns;
}

/* Whether the next address is worth a try. */
static bool
connector_goes_on(int status, int64_t deadline)
{
	struct task *self = task_current();

	if (status == BAY_TIMEOUT)
		return loop_now(&self->scheduler->loop) < task_deadline(self, deadline);
	return status != BAY_OK && status != BAY_CANCELED && status != BAY_NO_MEMORY;
}

static int
connector_try_all(const struct bay_address *addresses, size_t count, const struct bay_stream_options *full,
	struct bay_stream **stream_r, int64_t deadline)
{
	int status = BAY_NOT_FOUND;
	size_t i;

	for (i = 0; i < count; i++) {
		status = connector_try(&addresses[i], full, stream_r, connector_deadline(count - i, deadline));
		if (!connector_goes_on(status, deadline))
			break;
	}
	return status;
}

/* The addresses that a text stands for: itself, or those of the host that it names. */
static int
connector_find(const char *text, const struct bay_stream_options *full, struct bay_address *addresses,
	size_t *count_r, int64_t deadline)
{
	int status = bay_address_parse(text, &addresses[0]);
	char host[ADDRESS_HOST_SIZE];
	const char *port;

	*count_r = 1;
	if (status == BAY_OK)
		return BAY_OK;
	if (status == BAY_TOO_BIG)
		return connector_fail(full, status, "the path of a Unix socket has 107 bytes at most: %s", text);
	if (text == NULL || strncmp(text, "unix:", 5) == 0 || address_split(text, host, &port) != BAY_OK)
		return connector_fail(full, BAY_INVALID, "'%s' is no address", text != NULL ? text : "");
	status = resolver_lookup(host, port, addresses, CONNECTOR_ADDRESSES, count_r, deadline);
	return status == BAY_OK ? BAY_OK : connector_fail(full, status, "%s", bay_resolve_error());
}

/* --- TLS ------------------------------------------------------------------------------------------------- */

/* What stands before the port, for a certificate to be checked against: false for a path. */
static bool
connector_host(const char *text, char host_r[ADDRESS_HOST_SIZE])
{
	const char *port;

	if (strncmp(text, "unix:", 5) == 0 || address_split(text, host_r, &port) != BAY_OK)
		return false;
	host_r[strcspn(host_r, "%")] = '\0';
	return true;
}

/* Begins TLS on a stream that has been connected, or ends it. */
static int
connector_secure(const struct bay_stream_options *full, const char *name, struct bay_stream **stream_r,
	int64_t deadline)
{
	struct bay_stream *stream = *stream_r;
	int status;

	if (full->tls == NULL)
		return BAY_OK;
	status = bay_stream_start_tls(stream, full->tls, full->server_name != NULL ? full->server_name : name,
		deadline);
	if (status == BAY_OK)
		return BAY_OK;
	(void)connector_fail(full, status, "%s", bay_stream_error(stream));
	*stream_r = NULL;
	stream_end(stream, false);
	return status;
}

/* --- <bay/stream.h> ------------------------------------------------------------------------------------ */

/* How both begin. */
static int
connector_prepare(const struct bay_stream_options *options, struct bay_stream_options *full_r, const char *function)
{
	if (stream_options_read(options, full_r, function) != BAY_OK)
		return BAY_INVALID;
	if (full_r->error != NULL && full_r->error_size > 0)
		full_r->error[0] = '\0';
	if (await_is_over(task_current()))
		return await_over(task_current());
	return BAY_OK;
}

int
bay_connect(const char *address, const struct bay_stream_options *options, struct bay_stream **stream_r,
	int64_t deadline)
{
	struct bay_address addresses[CONNECTOR_ADDRESSES];
	struct bay_stream_options full;
	char host[ADDRESS_HOST_SIZE];
	size_t count;
	int status;

	*stream_r = NULL;
	if (!AWAIT_BEGIN("bay_connect"))
		return BAY_INVALID;
	status = connector_prepare(options, &full, "bay_connect");
	if (status == BAY_OK)
		status = connector_find(address, &full, addresses, &count, deadline);
	if (status == BAY_OK)
		status = connector_try_all(addresses, count, &full, stream_r, deadline);
	if (status == BAY_OK)
		status = connector_secure(&full, connector_host(address, host) ? host : NULL, stream_r, deadline);
	return status;
}

int
bay_connect_to(const struct bay_address *address, const struct bay_stream_options *options,
	struct bay_stream **stream_r, int64_t deadline)
{
	struct bay_stream_options full;
	int status;

	*stream_r = NULL;
	if (!AWAIT_BEGIN("bay_connect_to"))
		return BAY_INVALID;
	status = connector_prepare(options, &full, "bay_connect_to");
	if (status == BAY_OK && bay_address_family(address) == BAY_ADDRESS_NONE)
		status = connector_fail(&full, BAY_INVALID, "that is no address");
	if (status == BAY_OK)
		status = connector_try_all(address, 1, &full, stream_r, deadline);
	if (status == BAY_OK)
		status = connector_secure(&full, NULL, stream_r, deadline);
	return status;
}
