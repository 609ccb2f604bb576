/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_socket.h"

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

enum { ADMIN_SOCKET_BACKLOG = 128 };

static bool
admin_socket_address(const struct admin_socket *admin, const char *name,
	struct sockaddr_un *address)
{
	int length;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s",
		admin->_dirfd, name);
	return length > 0 && (size_t)length < sizeof(address->sun_path);
}

/* The process that listens on the socket at our name; 0: nobody, or it cannot be told. */
static bool
admin_socket_is_alive(const struct admin_socket *admin, pid_t *pid_r)
{
	struct sockaddr_un address;
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	bool alive = false;
	int fd;

	*pid_r = 0;
	/* A name too long for this was made by no bayd; it is replaced. */
	if (!admin_socket_address(admin, admin->_name, &address))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	    errno == EAGAIN) {
		alive = true;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
			*pid_r = peer.pid;
	}
	close(fd);
	return alive;
}

static bool
admin_socket_check_place(const struct admin_socket *admin, const char *path,
	struct buffer *error)
{
	struct stat st;
	pid_t pid;

	if (fstatat(admin->_dirfd, admin->_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
			buffer_fail(error, "look at control %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return buffer_fail(error, "control %s exists and is no socket: "
			"remove it or name another path", path);
	if (admin_socket_is_alive(admin, &pid))
		return buffer_fail(error, "process %d listens on control %s already: "
			"stop it or name another path", (int)pid, path);
	return true;
}

/* Binds under a private name; the file gets its mode from the socket as it is made, so that
 * nobody else can connect in between, whatever the umask is. */
static bool
admin_socket_bind(struct admin_socket *admin, const char *name, mode_t mode, gid_t gid)
{
	struct sockaddr_un address;

	if (!admin_socket_address(admin, name, &address))
		return false;
	admin->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (admin->fd < 0 || fchmod(admin->fd, 0600) != 0)
		return false;
	if (bind(admin->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return false;
	if (gid != (gid_t)-1 && fchownat(admin->_dirfd, name, (uid_t)-1, gid,
		AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return fchmodat(admin->_dirfd, name, mode, 0) == 0 &&
		listen(admin->fd, ADMIN_SOCKET_BACKLOG) == 0;
}

static bool
admin_socket_publish(struct admin_socket *admin, const char *private_name)
{
	struct stat st;

	if (fstatat(admin->_dirfd, private_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	admin->_inode = st.st_ino;
	return renameat(admin->_dirfd, private_name, admin->_dirfd, admin->_name) == 0;
}

static bool
admin_socket_split_path(struct admin_socket *admin, const char *path, struct buffer *error)
{
	char *copy = xstrdup(path);
	char *directory;

	admin->_name = xstrdup(basename(copy));
	free(copy);
	copy = xstrdup(path);
	directory = dirname(copy);
	admin->_dirfd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (admin->_dirfd < 0)
		(void)buffer_fail(error, "open the directory of control %s: %s", path,
			strerror(errno));
	free(copy);
	return admin->_dirfd >= 0;
}

bool
admin_socket_open(struct admin_socket *admin, const char *path, mode_t mode, gid_t gid,
	struct buffer *error)
{
	char private_name[48];

	*admin = (struct admin_socket){.fd = -1, ._dirfd = -1};
	snprintf(private_name, sizeof(private_name), ".bayd-%d.sock", (int)getpid());
	if (!admin_socket_split_path(admin, path, error) ||
	    !admin_socket_check_place(admin, path, error))
		goto close_socket;
	unlinkat(admin->_dirfd, private_name, 0);
	if (!admin_socket_bind(admin, private_name, mode, gid) ||
	    !admin_socket_publish(admin, private_name)) {
		(void)buffer_fail(error, "make the control socket %s: %s", path, strerror(errno));
		unlinkat(admin->_dirfd, private_name, 0);
		goto close_socket;
	}
	return true;

close_socket:
	admin_socket_close(admin);
	return false;
}

void
admin_socket_close(struct admin_socket *admin)
{
	struct stat st;

	if (admin->_inode != 0 &&
	    fstatat(admin->_dirfd, admin->_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == admin->_inode)
		unlinkat(admin->_dirfd, admin->_name, 0);
	fd_close(&admin->fd);
	fd_close(&admin->_dirfd);
	free(admin->_name);
	*admin = (struct admin_socket){.fd = -1, ._dirfd = -1};
}
