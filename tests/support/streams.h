/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams whose other end is a plain descriptor of the test. Failures fail the test that calls. */
#ifndef BAY_TESTS_SUPPORT_STREAMS_H
#define BAY_TESTS_SUPPORT_STREAMS_H

#include <stddef.h>
#include <sys/types.h>

#include <bay/stream.h>

/* By a Unix socket pair; options may be NULL. Inside a task. */
struct bay_stream *streams_pair(int *fd_r, const struct bay_stream_options *options);

/* By TCP over 127.0.0.1, with buffers of the kernel as small as they get. Inside a task. */
struct bay_stream *streams_tcp(int *fd_r, const struct bay_stream_options *options);

/* Descriptors of this process. */
unsigned streams_open_fds(void);

/* Writes a text to a descriptor that has room for it. */
void streams_say(int fd, const char *text);

/* Reads all there is now and drops it; returns how much it was. */
size_t streams_hear(int fd);

/* Closes with a reset (TCP). */
void streams_reset(int fd);

#endif
