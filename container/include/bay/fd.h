/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File descriptors of one's own: waiting until one can be read or written, beside
 * everything else that the loop does. The descriptor should be non-blocking: that it was
 * ready when the wait ended does not say that it still is, if others use it too.
 *
 *	while ((n = read(fd, buffer, sizeof buffer)) < 0 && errno == EAGAIN)
 *		if ((status = bay_wait_fd(fd, BAY_READABLE, BAY_INHERIT)) != BAY_OK)
 *			return status;
 *
 * Close it with bay_fd_close() when another task may be waiting for it.
 */
#ifndef BAY_FD_H
#define BAY_FD_H

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

/* What to wait for; any combination. */
#define BAY_READABLE 1u
#define BAY_WRITABLE 2u

/* Waits until one of what (BAY_READABLE, BAY_WRITABLE) would not block, an error and the
 * end of the stream included. Several tasks may wait for one descriptor: all of them are
 * told. BAY_OK; BAY_CLOSED when the descriptor is not open, or was closed meanwhile (by
 * close(2) on its own that is noticed after about a second); BAY_INVALID when what is
 * nothing or fd negative; BAY_IO when the kernel cannot wait for it; BAY_TIMEOUT;
 * BAY_CANCELED. The descriptor is borrowed. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_wait_fd(int fd, unsigned what, int64_t deadline);

/* Which of what would not block just now; everything of a descriptor that is not open,
 * since it would fail at once. Any thread; never suspends. Since 1.0. */
BAY_API unsigned bay_fd_ready(int fd, unsigned what);

/* Closes the descriptor; who waits for it on this loop ends with BAY_CLOSED. BAY_OK, or
 * BAY_IO when close(2) reported an error: it is closed all the same. Any thread; never
 * suspends. Since 1.0. */
BAY_API int bay_fd_close(int fd);

BAY_END_DECLS

#endif
