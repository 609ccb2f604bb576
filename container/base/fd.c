/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"

/* The kernel passes no more than this with one message (SCM_MAX_FD). */
enum { FD_KERNEL_MAX = 253 };

bool
fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool
fd_set_cloexec(int fd, bool close_on_exec)
{
	return fcntl(fd, F_SETFD, close_on_exec ? FD_CLOEXEC : 0) == 0;
}

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* --- bytes ------------------------------------------------------------------ */

static ssize_t
fd_write_some(int fd, const void *data, size_t size)
{
	ssize_t done = send(fd, data, size, MSG_NOSIGNAL);

	if (done < 0 && errno == ENOTSOCK)
		done = write(fd, data, size);
	return done;
}

bool
fd_write_all(int fd, const void *data, size_t size)
{
	const char *from = data;

	while (size > 0) {
		ssize_t done = fd_write_some(fd, from, size);

		if (done >= 0) {
			from += done;
			size -= (size_t)done;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return false;
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

/* Reads one byte more than allowed, so as to know that there is more. */
bool
fd_read_all(int fd, size_t max, struct buffer *out)
{
	size_t start = out->size;

	for (;;) {
		size_t left = max - (out->size - start);
		size_t want = left < 65536 ? left + 1 : 65536;
		ssize_t got;

		if (!buffer_reserve(out, want)) {
			errno = ENOMEM;
			break;
		}
		got = read(fd, out->data + out->size, want);
		if (got == 0)
			return true;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if ((size_t)got > left) {
			errno = EFBIG;
			break;
		}
		out->size += (size_t)got;
	}
	out->size = start;
	return false;
}

static bool
fd_is_readable_file(int fd, size_t max)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	if (!S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		return false;
	}
	if ((uintmax_t)status.st_size > max) {
		errno = EFBIG;
		return false;
	}
	return true;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
bool
fd_read_file(int dirfd, const char *path, int flags, size_t max, struct buffer *out)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	bool done;

	if (fd < 0)
		return false;
	done = fd_is_readable_file(fd, max) && fd_read_all(fd, max, out);
	fd_close(&fd);
	return done;
}

/* --- descriptors ------------------------------------------------------------ */

union fd_control {
	struct cmsghdr header; /* aligns the bytes */
	char bytes[CMSG_SPACE(sizeof(int) * FD_KERNEL_MAX)];
};

ssize_t
fd_send_with(int fd, const void *data, size_t size, const int *fds, size_t fd_count)
{
	union fd_control control;
	struct iovec part = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (fd_count > FD_PASS_MAX || size == 0) {
		errno = EINVAL;
		return -1;
	}
	if (fd_count > 0) {
		struct cmsghdr *header = &control.header;

		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
	}
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* Takes the descriptors of one control message: the first ones into fds, the rest closed. */
static bool
fd_take_rights(struct cmsghdr *header, int *fds, size_t room, size_t *count)
{
	size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	bool fitted = true;

	for (size_t i = 0; i < here; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
		if (*count < room) {
			fds[(*count)++] = fd;
		} else {
			close(fd);
			fitted = false;
		}
	}
	return fitted;
}

ssize_t
fd_receive_with(int fd, void *data, size_t size, int *fds, size_t *fd_count)
{
	union fd_control control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	size_t room = *fd_count;
	bool fitted, lost;
	ssize_t got;

	*fd_count = 0;
	do
		got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;

	fitted = (message.msg_flags & MSG_TRUNC) == 0;
	/* All that the kernel passes fits into control: it found no number for one. */
	lost = (message.msg_flags & MSG_CTRUNC) != 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
			header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			fitted &= fd_take_rights(header, fds, room, fd_count);
	if (lost && *fd_count < room)
		fds[(*fd_count)++] = -1;
	else
		fitted &= !lost;
	if (fitted)
		return got;

	while (*fd_count > 0)
		fd_close(&fds[--*fd_count]);
	errno = EMSGSIZE;
	return -1;
}

/* --- fast ------------------------------------------------------------------ */

ssize_t
fd_recv(int fd, void *data, size_t size)
{
#if defined(BAY_TSAN) || defined(BAY_ASAN) || !defined(SYS_recvfrom)
	return recv(fd, data, size, 0);
#else
	return syscall(SYS_recvfrom, fd, data, size, 0, NULL, NULL);
#endif
}

ssize_t
fd_send(int fd, const void *data, size_t size)
{
#if defined(BAY_TSAN) || defined(BAY_ASAN) || !defined(SYS_sendto)
	return send(fd, data, size, MSG_NOSIGNAL);
#else
	return syscall(SYS_sendto, fd, data, size, MSG_NOSIGNAL, NULL, 0);
#endif
}
