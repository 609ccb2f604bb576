/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/remedy.h"

/* Says what went wrong, and what that is as a status. */
static enum bay_status
socket_file_fail(struct buffer *error, const char *doing, const char *name)
{
	int number = errno;

	switch (number) {
	case EACCES:
	case EPERM:
	case EROFS:
		buffer_fail(error, "%s %s: %s: let user %u, as whom bayd runs, write in its directory, or "
			"name another path", doing, name, strerror(number), (unsigned)geteuid());
		return BAY_NOT_PERMITTED;
	case ENOENT:
	case ENOTDIR:
		buffer_fail(error, "%s %s: %s: make the directory, or name another path", doing, name,
			strerror(number));
		return BAY_IO;
	default:
		buffer_fail(error, "%s %s: %s%s", doing, name, strerror(number), remedy_of(number));
		return BAY_IO;
	}
}

/* --- what is there already ----------------------------------------------------------- */

/* Whether somebody listens on the socket of this name, and the process; 0: it cannot be told.
 * Only a refusal is proof that nobody does. */
static bool
socket_file_is_alive(int dirfd, const char *name, pid_t *pid_r)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	bool alive = true;
	int there, fd;

	*pid_r = 0;
	/* By a descriptor: the name may be longer than an address. */
	there = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", there);
	if (there < 0 || fd < 0)
		alive = errno != ENOENT;
	else if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		alive = errno != ECONNREFUSED;
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		*pid_r = peer.pid;
	fd_close(&fd);
	fd_close(&there);
	return alive;
}

bool
socket_file_is_abandoned(int dirfd, const char *name)
{
	struct stat st;
	pid_t pid;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode) &&
		!socket_file_is_alive(dirfd, name, &pid);
}

static enum bay_status
socket_file_check_place(const struct socket_file *file, const char *name, struct buffer *error)
{
	char process[40] = "another process";
	struct stat st;
	pid_t pid;

	if (fstatat(file->_dirfd, file->_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? BAY_OK : socket_file_fail(error, "look at", name);
	if (!S_ISSOCK(st.st_mode)) {
		buffer_fail(error, "%s exists and is no socket: remove it or name another path", name);
		return BAY_BUSY;
	}
	if (!socket_file_is_alive(file->_dirfd, file->_name, &pid))
		return BAY_OK;
	if (pid != 0)
		snprintf(process, sizeof(process), "process %d", (int)pid);
	buffer_fail(error, "%s listens on %s already: stop it or name another path [start-busy]", process, name);
	return BAY_BUSY;
}

/* --- making it ----------------------------------------------------------------------- */

/* Binds under a private name; the file gets its mode from the socket as it is made, so that
 * nobody else can connect in between, whatever the umask is. */
static bool
socket_file_bind(struct socket_file *file, const char *name,
	const struct socket_file_options *options)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", file->_dirfd,
		name);
	file->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (file->fd < 0 || fchmod(file->fd, 0600) != 0)
		return false;
	if (bind(file->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return false;
	if (options->gid != (gid_t)-1 && fchownat(file->_dirfd, name, (uid_t)-1, options->gid,
		AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return fchmodat(file->_dirfd, name, options->mode, 0) == 0 &&
		listen(file->fd, options->backlog) == 0;
}

static bool
socket_file_publish(struct socket_file *file, const char *private_name)
{
	struct stat st;

	if (fstatat(file->_dirfd, private_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	file->_inode = st.st_ino;
	if (renameat(file->_dirfd, private_name, file->_dirfd, file->_name) == 0)
		return true;
	file->_inode = 0;
	return false;
}

static enum bay_status
socket_file_make(struct socket_file *file, const struct socket_file_options *options,
	struct buffer *error)
{
	char private_name[48];
	enum bay_status status;

	snprintf(private_name, sizeof(private_name), ".bayd-%d.sock", (int)getpid());
	unlinkat(file->_dirfd, private_name, 0);
	if (socket_file_bind(file, private_name, options) &&
	    socket_file_publish(file, private_name))
		return BAY_OK;
	status = socket_file_fail(error, "make the socket", options->name);
	unlinkat(file->_dirfd, private_name, 0);
	return status;
}

static enum bay_status
socket_file_open_directory(struct socket_file *file, const struct socket_file_options *options,
	struct buffer *error)
{
	char *copy = xstrdup(options->path);
	enum bay_status status = BAY_OK;

	file->_name = xstrdup(basename(copy));
	free(copy);
	copy = xstrdup(options->path);
	file->_dirfd = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (file->_dirfd < 0)
		status = socket_file_fail(error, "open the directory of", options->name);
	free(copy);
	return status;
}

enum bay_status
socket_file_open(struct socket_file *file, const struct socket_file_options *options,
	struct buffer *error)
{
	enum bay_status status;

	*file = (struct socket_file){.fd = -1, ._dirfd = -1};
	status = socket_file_open_directory(file, options, error);
	if (status == BAY_OK)
		status = socket_file_check_place(file, options->name, error);
	if (status == BAY_OK)
		status = socket_file_make(file, options, error);
	if (status != BAY_OK)
		socket_file_close(file);
	return status;
}

void
socket_file_close(struct socket_file *file)
{
	struct stat st;

	if (file->_inode != 0 &&
	    fstatat(file->_dirfd, file->_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == file->_inode)
		unlinkat(file->_dirfd, file->_name, 0);
	fd_close(&file->fd);
	fd_close(&file->_dirfd);
	free(file->_name);
	*file = (struct socket_file){.fd = -1, ._dirfd = -1};
}
