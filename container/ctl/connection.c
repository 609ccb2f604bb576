/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define CONNECTION_LOCAL "run/control.sock"
#define CONNECTION_SYSTEM RUNSTATEDIR "/bay/control.sock"

enum { CONNECTION_RETRY_MS = 10 };

int64_t
connection_deadline(int64_t timeout_ns)
{
	int64_t deadline;

	if (timeout_ns == 0 ||
		__builtin_add_overflow(clock_monotonic_ns(), timeout_ns, &deadline))
		return INT64_MAX;
	return deadline;
}

const char *
connection_socket(const char *named)
{
	const char *path = named != NULL ? named : getenv("BAY_SOCKET");

	if (path != NULL && *path != '\0')
		return path;
	return access(CONNECTION_LOCAL, F_OK) == 0 ? CONNECTION_LOCAL : CONNECTION_SYSTEM;
}

/* --- waiting ----------------------------------------------------------------- */

/* Milliseconds for poll, rounded up so as not to spin before the deadline. */
static int
connection_poll_ms(int64_t deadline)
{
	int64_t left = deadline - clock_monotonic_ns();

	if (deadline == INT64_MAX)
		return -1;
	if (left <= 0)
		return 0;
	left = (left + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
	return left < 1000 * 1000 ? (int)left : 1000 * 1000;
}

static enum ctl_wait
connection_wait(struct ctl_connection *connection, short events, int64_t deadline,
	struct ctl_error *error)
{
	struct pollfd wait = {.fd = connection->fd, .events = events};

	for (;;) {
		int n = poll(&wait, 1, connection_poll_ms(deadline));

		if (n > 0)
			return CTL_WAIT_DONE;
		if (n == 0 && clock_monotonic_ns() >= deadline)
			return CTL_WAIT_TIMEOUT;
		if (n < 0 && errno != EINTR) {
			ctl_error_set(error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "waiting: %s",
				strerror(errno));
			return CTL_WAIT_FAILED;
		}
	}
}

/* --- connecting -------------------------------------------------------------- */

/*
 * An address has room for 107 bytes of path. A longer one is reached through a descriptor of
 * its directory, *dirfd_r, which must stay open until the connection is made.
 */
static bool
connection_address(const char *path, struct sockaddr_un *address, int *dirfd_r)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int length;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	*dirfd_r = -1;
	if (strlen(path) < sizeof(address->sun_path)) {
		memcpy(address->sun_path, path, strlen(path) + 1);
		return true;
	}
	if (slash == NULL) {
		errno = ENAMETOOLONG;
		return false;
	}
	dir = strndup(path, (size_t)(slash - path) + 1);
	if (dir == NULL)
		return false;
	*dirfd_r = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (*dirfd_r < 0)
		return false;
	length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s",
		*dirfd_r, slash + 1);
	if ((size_t)length < sizeof(address->sun_path))
		return true;
	fd_close(dirfd_r);
	errno = ENAMETOOLONG;
	return false;
}

static bool
connection_is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || S_ISSOCK(st.st_mode);
}

/* The three reasons that people meet are told apart: not there, left over, not allowed. */
static void
connection_refused(const char *path, int number, struct ctl_error *error)
{
	const enum interface_exit exit = INTERFACE_EXIT_UNREACHABLE;

	if (number == ENOENT || number == ENOTDIR) {
		ctl_error_set(error, exit, CTL_CODE_UNREACHABLE, "there is no socket %s", path);
		ctl_error_hint(error,
			"is bayd running? name its socket with -s SOCKET or in BAY_SOCKET");
	} else if (number == ECONNREFUSED && !connection_is_socket(path)) {
		ctl_error_set(error, exit, CTL_CODE_UNREACHABLE, "%s is no socket", path);
		ctl_error_hint(error, "name the socket of bayd with -s SOCKET or in BAY_SOCKET");
	} else if (number == ECONNREFUSED) {
		ctl_error_set(error, exit, CTL_CODE_UNREACHABLE,
			"nobody listens at %s any more", path);
		ctl_error_hint(error, "the bayd that made it is gone; start bayd again");
	} else if (number == EACCES || number == EPERM) {
		ctl_error_set(error, INTERFACE_EXIT_NOT_PERMITTED, CTL_CODE_NOT_PERMITTED,
			"not permitted: user %ld may not connect to %s", (long)geteuid(), path);
		ctl_error_hint(error,
			"be the user that bayd runs as, or a member of its control_group");
	} else {
		ctl_error_set(error, exit, CTL_CODE_UNREACHABLE, "connecting to %s: %s", path,
			strerror(number));
	}
}

/* A full backlog is EAGAIN at once, and nothing can be polled for it. */
static bool
connection_connect(int fd, const struct sockaddr_un *address, int64_t deadline)
{
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return false;
		if (clock_monotonic_ns() >= deadline) {
			errno = ETIMEDOUT;
			return false;
		}
		poll(NULL, 0, CONNECTION_RETRY_MS);
	}
	return true;
}

bool
connection_open(struct ctl_connection *connection, const char *path, int64_t deadline,
	struct ctl_error *error)
{
	struct sockaddr_un address;
	int dirfd;
	bool done;

	connection->fd = -1;
	if (!connection_address(path, &address, &dirfd)) {
		connection_refused(path, errno, error);
		return false;
	}
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	done = connection->fd >= 0 && connection_connect(connection->fd, &address, deadline);
	fd_close(&dirfd);
	if (done) {
		varlink_stream_init(&connection->stream, connection->fd, &varlink_limits_client);
		return true;
	}
	if (errno == ETIMEDOUT)
		ctl_error_set(error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			"%s takes no more connections", path);
	else
		connection_refused(path, errno, error);
	fd_close(&connection->fd);
	return false;
}

void
connection_close(struct ctl_connection *connection)
{
	if (connection->fd < 0)
		return;
	varlink_stream_finish(&connection->stream);
	fd_close(&connection->fd);
}

/* --- calling ----------------------------------------------------------------- */

void
connection_explain(const struct ctl_connection *connection,
	enum varlink_stream_result result, struct ctl_error *error)
{
	const char *why = varlink_stream_error(&connection->stream);

	if (result == VARLINK_STREAM_CLOSED)
		ctl_error_set(error, INTERFACE_EXIT_UNREACHABLE, CTL_CODE_UNREACHABLE,
			"the daemon closed the connection");
	else if (result == VARLINK_STREAM_REFUSED)
		ctl_error_set(error, INTERFACE_EXIT_FAILED, CTL_CODE_BAD_REPLY,
			"the reply cannot be read: %s", why);
	else
		ctl_error_set(error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "%s", why);
}

/* Junk means that something else than bayd listens there. */
static enum ctl_wait
connection_bad_frame(enum varlink_result result, const char *why, struct ctl_error *error)
{
	bool junk = result == VARLINK_BAD_JSON || result == VARLINK_NOT_OBJECT ||
		result == VARLINK_BAD_FRAME;

	ctl_error_set(error, junk ? INTERFACE_EXIT_UNREACHABLE : INTERFACE_EXIT_FAILED,
		CTL_CODE_BAD_REPLY, "the reply cannot be read: %s", why);
	if (junk)
		ctl_error_hint(error, "is this the socket of bayd?");
	return CTL_WAIT_FAILED;
}

enum ctl_wait
connection_send(struct ctl_connection *connection, const struct varlink_call *call, int fd,
	int64_t deadline, struct ctl_error *error)
{
	enum varlink_stream_result result;
	enum ctl_wait wait;

	if (!varlink_stream_send_call(&connection->stream, call, &fd, fd >= 0)) {
		fd_close(&fd);
		ctl_error_set(error, INTERFACE_EXIT_FAILED, CTL_CODE_NO_MEMORY,
			"no memory for the call, or its text is no UTF-8");
		return CTL_WAIT_FAILED;
	}
	while ((result = varlink_stream_flush(&connection->stream)) == VARLINK_STREAM_AGAIN) {
		wait = connection_wait(connection, POLLOUT, deadline, error);
		if (wait != CTL_WAIT_DONE)
			return wait;
	}
	/* Who closed may have said why: that is found by receiving. */
	if (result == VARLINK_STREAM_OK || result == VARLINK_STREAM_CLOSED)
		return CTL_WAIT_DONE;
	connection_explain(connection, result, error);
	return CTL_WAIT_FAILED;
}

enum ctl_wait
connection_take(struct ctl_connection *connection, struct ctl_reply *reply_r,
	struct ctl_error *error)
{
	const char *why;
	enum varlink_result result;

	*reply_r = (struct ctl_reply){0};
	result = varlink_stream_take(&connection->stream, &reply_r->frame, &reply_r->fds);
	if (result == VARLINK_MORE)
		return CTL_WAIT_TIMEOUT;
	if (result != VARLINK_OK)
		return connection_bad_frame(result, varlink_result_text(result), error);
	if (varlink_reply_decode(reply_r->frame, &reply_r->reply, &why) == VARLINK_OK)
		return CTL_WAIT_DONE;
	connection_bad_frame(VARLINK_BAD_FRAME, why, error);
	ctl_reply_finish(reply_r);
	return CTL_WAIT_FAILED;
}

enum ctl_wait
connection_receive(struct ctl_connection *connection, struct ctl_reply *reply_r,
	int64_t deadline, struct ctl_error *error)
{
	enum ctl_wait wait;
	enum varlink_stream_result result;

	while ((wait = connection_take(connection, reply_r, error)) == CTL_WAIT_TIMEOUT) {
		wait = connection_wait(connection, POLLIN, deadline, error);
		if (wait != CTL_WAIT_DONE)
			return wait;
		result = varlink_stream_receive(&connection->stream);
		if (result != VARLINK_STREAM_OK && result != VARLINK_STREAM_AGAIN) {
			connection_explain(connection, result, error);
			return CTL_WAIT_FAILED;
		}
	}
	return wait;
}

void
ctl_reply_finish(struct ctl_reply *reply)
{
	json_decref(reply->frame);
	varlink_fds_close(&reply->fds);
	*reply = (struct ctl_reply){0};
}
