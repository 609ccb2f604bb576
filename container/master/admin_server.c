/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/remedy.h"

enum {
	/* Connections accepted before other events get their turn. */
	ADMIN_ACCEPT_BATCH = 16,
	/* The pause when the process has no descriptor left for another client. */
	ADMIN_ACCEPT_PAUSE_US = 200 * 1000,
	/* Descriptors that clients leave to the cells, so that one can be started again. */
	ADMIN_FDS_RESERVE = 32
};

const struct admin_limits admin_limits_default = {
	.connections_per_uid = 64,
	.output_bytes = 1024 * 1024,
	.output_fds = 4,
	.partial_ns = 30 * (int64_t)CLOCK_NS_PER_S,
	.stall_ns = 30 * (int64_t)CLOCK_NS_PER_S,
};

struct admin_server {
	struct admin_context context;
	struct admin_policy policy;
	int fd;
	struct event *accept_event;
	struct event *pause_timer;
	struct list connections; /* struct admin_connection */
};

static unsigned
admin_server_count_of(struct admin_server *server, uid_t uid)
{
	unsigned count = 0;

	list_for_each(pos, &server->connections) {
		if (admin_connection_peer(admin_connection_from_link(pos))->uid == uid)
			count++;
	}
	return count;
}

/* The kernel gives the lowest number that is free. */
static bool
admin_server_is_reserved(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
		(rlim_t)fd + ADMIN_FDS_RESERVE >= limit.rlim_cur;
}

static void
admin_server_welcome(struct admin_server *server, int fd)
{
	const struct admin_limits *limits = server->context.limits;
	struct admin_connection *connection;
	struct admin_peer peer;
	unsigned others;

	if (!admin_peer_read(fd, &server->policy, &peer)) {
		log_warn_errno(NULL, "ask who connected to the control socket");
		close(fd);
		return;
	}
	others = admin_server_count_of(server, peer.uid);
	connection = admin_connection_create(&server->context, fd, &peer, &server->connections);
	if (connection != NULL && others >= limits->connections_per_uid)
		admin_connection_refuse(connection, BAY_FULL,
			"user %u has %u connections already: close one first",
			(unsigned)peer.uid, others);
	else if (connection != NULL && admin_server_is_reserved(fd))
		admin_connection_refuse(connection, BAY_FULL,
			"bayd may have no more files open for clients: close a connection first");
}

static void
admin_server_pause(struct admin_server *server)
{
	static struct log_rate rate = {.burst = 1, .period_ns = 10 * (int64_t)CLOCK_NS_PER_S};
	struct timeval pause = {.tv_usec = ADMIN_ACCEPT_PAUSE_US};
	uint64_t hidden;

	if (log_rate_pass(&rate, &hidden))
		log_warn(NULL, "accept a connection to the control socket: %s%s", strerror(errno), remedy_of(errno));
	event_del(server->accept_event);
	event_add(server->pause_timer, &pause);
}

static void
admin_server_on_connection(evutil_socket_t listener, short what, void *arg)
{
	struct admin_server *server = arg;

	(void)what;
	for (int i = 0; i < ADMIN_ACCEPT_BATCH; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			admin_server_welcome(server, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			/* The client stays in the backlog, so the event would come at once. */
			admin_server_pause(server);
			return;
		}
	}
}

static void
admin_server_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct admin_server *server = arg;

	(void)fd;
	(void)what;
	event_add(server->accept_event, NULL);
}

struct admin_server *
admin_server_create(struct event_base *base, int fd, const struct admin_policy *policy,
	const struct admin_limits *limits, admin_handle_fn *handle, void *handle_arg)
{
	struct admin_server *server = xcalloc(1, sizeof(*server));

	server->context = (struct admin_context){.base = base, .limits = limits,
		.handle = handle, .handle_arg = handle_arg};
	server->policy = *policy;
	server->fd = fd;
	list_init(&server->connections);
	server->pause_timer = event_new(base, -1, 0, admin_server_on_pause_over, server);
	server->accept_event = event_new(base, fd, EV_READ | EV_PERSIST,
		admin_server_on_connection, server);
	if (server->pause_timer == NULL || server->accept_event == NULL ||
	    event_add(server->accept_event, NULL) != 0) {
		admin_server_destroy(server);
		return NULL;
	}
	return server;
}

void
admin_server_stop_listening(struct admin_server *server)
{
	if (server == NULL)
		return;
	if (server->accept_event != NULL)
		event_free(server->accept_event);
	if (server->pause_timer != NULL)
		event_free(server->pause_timer);
	server->accept_event = NULL;
	server->pause_timer = NULL;
}

void
admin_server_destroy(struct admin_server *server)
{
	if (server == NULL)
		return;
	admin_server_stop_listening(server);
	list_for_each_safe(pos, &server->connections)
		admin_connection_destroy(admin_connection_from_link(pos));
	free(server);
}

void
admin_server_set_roles(struct admin_server *server, const struct admin_roles *roles)
{
	server->policy.roles = roles;
	list_for_each(pos, &server->connections)
		admin_connection_set_role(admin_connection_from_link(pos), &server->policy);
}

size_t
admin_server_connections(const struct admin_server *server)
{
	size_t count = 0;

	for (const struct list *pos = server->connections.next; pos != &server->connections;
	     pos = pos->next)
		count++;
	return count;
}
