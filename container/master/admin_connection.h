/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connected admin client: frames come in, one request at a time goes to the handler,
 * replies go out. It defends itself against the client:
 *
 *   - a frame over the limits of protocol/varlink gets one error reply and the end
 *   - while a request is in work, and while more than output_bytes, or as many as
 *     output_fds descriptors, wait to be read by the client, nothing is read from it
 *   - half a frame that is not completed within partial_ns is the end
 *   - a client that reads nothing of what waits for it for stall_ns is dropped
 *
 * Master only; never suspends. All work is done from events, never inside a caller.
 */
#ifndef BAY_MASTER_ADMIN_CONNECTION_H
#define BAY_MASTER_ADMIN_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "master/admin_peer.h"
#include "master/admin_request.h"

struct admin_connection;
struct event_base;

struct admin_limits {
	unsigned connections_per_uid;
	size_t output_bytes; /* of frames, and apart from these of memory files */
	size_t output_fds;
	int64_t partial_ns;
	int64_t stall_ns;
};

typedef void admin_handle_fn(struct admin_request *request, void *arg);

/* What all connections of a server share; outlives them. */
struct admin_context {
	struct event_base *base;
	const struct admin_limits *limits;
	admin_handle_fn *handle;
	void *handle_arg;
};

/* Takes fd, a connected non-blocking socket, and serves it until the client goes or
 * misbehaves. The connection is put into list and frees itself. NULL: no memory for its
 * events; fd is closed. */
struct admin_connection *admin_connection_create(const struct admin_context *context, int fd,
	const struct admin_peer *peer, struct list *list);

/* Sends what can be sent at once, closes and frees. */
void admin_connection_destroy(struct admin_connection *connection);

/* The connection whose link this is, and whose it is. */
struct admin_connection *admin_connection_from_link(struct list *link);
const struct admin_peer *admin_connection_peer(const struct admin_connection *connection);

/* What it may do from its next request on. */
void admin_connection_set_role(struct admin_connection *connection, const struct admin_policy *policy);

/* Sends an error and ends the connection; nothing more is read from it. */
void admin_connection_refuse(struct admin_connection *connection, enum bay_status status,
	const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- for the request that is in work -------------------------------------------------- */

/* Queues a reply and takes fd (-1: none). False: no memory; the connection ends. */
bool admin_connection_send(struct admin_connection *connection,
	const struct varlink_reply *reply, int fd);

/* Whether less is waiting for the client than the limit. */
bool admin_connection_has_room(struct admin_connection *connection);

/* The request has been answered: the next one may come. */
void admin_connection_forget_request(struct admin_connection *connection);

#endif
