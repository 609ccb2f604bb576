/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where listening sockets come from, and how a select waits for a connection. Owning loop only.
 */
#ifndef BAY_IO_LISTENER_H
#define BAY_IO_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/listener.h>

#include "io/stream.h"
#include "runtime/wait.h"

/* Gives a listening socket, non-blocking and close-on-exec, which the caller then owns. BAY_OK;
 * or a status and words for it. Inside a task; may suspend. */
typedef int listener_source_fn(const char *address, int backlog, int *fd_r, char *error_r,
	size_t error_size, int64_t deadline);

/* What bay_listen() asks from now on; the usual is listener_bind. Before there are tasks. */
void listener_set_source(listener_source_fn *source);

/* Binds in this process; over a Unix socket that nobody listens at. Never suspends. */
int listener_bind(const char *address, int backlog, int *fd_r, char *error_r, size_t error_size,
	int64_t deadline);

/* One that was accepted. It is no stream yet, as the loop accepts, and streams belong to tasks. */
struct listener_connection {
	int fd;
	struct stream_peer peer;
};

/* One who waits for a connection. */
struct listener_waiter {
	struct waiter waiter;        /* first */
	struct listener_connection connection; /* when it was woken with BAY_OK */
};

/* Accepts now: BAY_OK; BAY_BUSY: nothing there, or others come first; BAY_CLOSED; BAY_IO. */
int listener_accept(struct bay_listener *listener, struct listener_connection *connection_r);

/* Makes a stream of it, or closes it. BAY_OK, BAY_NO_MEMORY, BAY_IO. Inside a task. */
int listener_open(const struct bay_listener *listener, const struct listener_connection *connection,
	struct bay_stream **stream_r);

/* Stands in line, after waiter_init(); the listener stays until listener_left(). */
void listener_await(struct listener_waiter *waiter, struct bay_listener *listener);

/* What bay_serve() begins on each connection, or NULL: borrowed. */
struct bay_tls *listener_tls(const struct bay_listener *listener);

/* Whoever stood in line looks at it no more; it may be gone after this. */
void listener_left(struct bay_listener *listener);

#endif
