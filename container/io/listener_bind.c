/* SPDX-License-Identifier: BSD-2-Clause */
/* The usual source of listening sockets: this process. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/address.h"
#include "io/listener.h"

static int
listener_bind_status(int error)
{
	switch (error) {
	case EADDRINUSE:
		return BAY_BUSY;
	case EACCES:
	case EPERM:
		return BAY_NOT_PERMITTED;
	case ENOMEM:
		return BAY_NO_MEMORY;
	default:
		return BAY_IO;
	}
}

/* Whether a Unix socket lies there at which nobody listens: what a process left that is gone. */
static bool
listener_is_stale(const struct sockaddr *name, socklen_t length, const char *path)
{
	struct stat file;
	bool refused;
	int fd;

	if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, name, length) != 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static bool
listener_bind_unix(int fd, const struct sockaddr *name, socklen_t length, const char *path)
{
	if (bind(fd, name, length) == 0)
		return true;
	if (errno != EADDRINUSE || path[0] == '@')
		return false;
	if (!listener_is_stale(name, length, path)) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(path) == 0 && bind(fd, name, length) == 0;
}

static bool
listener_bind_fd(int fd, const struct bay_address *where, const char *address)
{
	const int yes = 1;
	socklen_t length;
	const struct sockaddr *name = address_sockaddr(where, &length);

	if (name->sa_family == AF_UNIX)
		return listener_bind_unix(fd, name, length, address + strlen("unix:"));
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 && bind(fd, name, length) == 0;
}

int
listener_bind(const char *address, int backlog, int *fd_r, char *error_r, size_t error_size, int64_t deadline)
{
	struct bay_address where;
	const struct sockaddr *name;
	int status = bay_address_parse(address, &where);
	socklen_t length;

	(void)deadline;
	if (status != BAY_OK) {
		snprintf(error_r, error_size, status == BAY_TOO_BIG
			? "the path of a Unix socket has 107 bytes at most: %s" : "'%s' is no address",
			address != NULL ? address : "");
		return status;
	}
	name = address_sockaddr(&where, &length);
	*fd_r = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd_r >= 0 && listener_bind_fd(*fd_r, &where, address) && listen(*fd_r, backlog) == 0)
		return BAY_OK;
	status = listener_bind_status(errno);
	snprintf(error_r, error_size, "listen at %s: %s", address, strerror(errno));
	fd_close(fd_r);
	return status;
}
