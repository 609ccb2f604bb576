/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one does with file descriptors. Failures leave their reason in errno, to be read
 * at once. Any thread; none of it suspends a task, so blocking descriptors block the thread.
 */
#ifndef BAY_BASE_FD_H
#define BAY_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buffer;

/* The most descriptors that one message may carry. */
enum { FD_PASS_MAX = 64 };

bool fd_set_nonblocking(int fd)
	__attribute__((warn_unused_result));

/* With close_on_exec false, programs executed from here on inherit the descriptor. */
bool fd_set_cloexec(int fd, bool close_on_exec)
	__attribute__((warn_unused_result));

/* Closes *fd unless it is negative, and sets it to -1. Keeps errno. */
void fd_close(int *fd);

/* Writes all of it, waiting while a non-blocking descriptor is full. No SIGPIPE from sockets. */
bool fd_write_all(int fd, const void *data, size_t size)
	__attribute__((warn_unused_result));

/*
 * Sends bytes (at least one) and descriptors over a Unix socket; the descriptors stay open
 * here. Returns as sendmsg: the bytes sent, which on a stream socket may be fewer (the
 * descriptors went with the first), or -1. Never raises SIGPIPE.
 */
ssize_t fd_send_with(int fd, const void *data, size_t size, const int *fds, size_t fd_count)
	__attribute__((warn_unused_result));

/*
 * Receives bytes and descriptors. *fd_count is the room in fds before and the number
 * received after; they are close-on-exec and the caller's. Returns as recvmsg: the bytes, 0
 * at the end of file, or -1. More descriptors than there is room for, or a message that did
 * not fit, is -1 with EMSGSIZE: all of its descriptors are closed. When this process has no
 * descriptor left, the first of those that are lost is -1 in fds, and is the last one there.
 */
ssize_t fd_receive_with(int fd, void *data, size_t size, int *fds, size_t *fd_count)
	__attribute__((warn_unused_result));

/*
 * Appends the contents of a file to out. Path is relative to dirfd (or AT_FDCWD); flags are
 * added to open's, such as O_NOFOLLOW. It must be a regular file (else errno is EISDIR or
 * EINVAL) of at most max bytes (else EFBIG). False: out holds what it did.
 */
bool fd_read_file(int dirfd, const char *path, int flags, size_t max, struct buffer *out)
	__attribute__((warn_unused_result));

/* As fd_read_file, from the descriptor's present position to the end, without checks of type. */
bool fd_read_all(int fd, size_t max, struct buffer *out)
	__attribute__((warn_unused_result));

/*
 * recv(2) and send(2), the latter without SIGPIPE, for who does little else. The C library's are
 * places where a thread may be cancelled, and in a process of several threads prepare for that
 * each time.
 */
ssize_t fd_recv(int fd, void *data, size_t size)
	__attribute__((warn_unused_result));
ssize_t fd_send(int fd, const void *data, size_t size)
	__attribute__((warn_unused_result));

#endif
