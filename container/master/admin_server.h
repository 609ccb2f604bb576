/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepts admin clients on a listening socket and hands their requests to a handler. It
 * knows nothing of what the requests mean. Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_SERVER_H
#define BAY_MASTER_ADMIN_SERVER_H

#include "master/admin_connection.h"
#include "master/admin_peer.h"
#include "master/admin_request.h"

struct admin_server;
struct event_base;

/* 64 connections per user, 1 MiB and 4 descriptors of output, 30 s for the rest of a frame and for reading. */
extern const struct admin_limits admin_limits_default;

/*
 * Serves the listening socket fd, which stays the caller's, on base until it is destroyed.
 * handle(request, handle_arg) gets each request and owes it an answer. limits is borrowed
 * for the server's life. NULL: no memory.
 */
struct admin_server *admin_server_create(struct event_base *base, int fd,
	const struct admin_policy *policy, const struct admin_limits *limits,
	admin_handle_fn *handle, void *handle_arg)
	__attribute__((warn_unused_result));

/* Others have roles from now on; roles is borrowed until the next ones, NULL: nobody. It counts for the
 * next request of who has connected, too. */
void admin_server_set_roles(struct admin_server *server, const struct admin_roles *roles);

/* Takes no more connections, so that the socket may be closed; those that are there stay.
 * NULL is fine. */
void admin_server_stop_listening(struct admin_server *server);

/* Sends what can be sent at once and closes all connections. NULL is fine. */
void admin_server_destroy(struct admin_server *server);

size_t admin_server_connections(const struct admin_server *server);

#endif
