/* SPDX-License-Identifier: BSD-2-Clause */
/* The other cells, and the ways of services to them. */
#include "config.h"

#include "service/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/text.h"
#include "runtime/scheduler.h"
#include "service/call_guard.h"
#include "service/message.h"
#include "service/peer_link.h"
#include "service/request.h"
#include "service/service.h"
#include "service/service_queue.h"

pthread_mutex_t peers_lock = PTHREAD_MUTEX_INITIALIZER;
struct peer_source peers_source;

/* One a process, as the registry is. Under the lock. */
static struct {
	struct list peers;                /* struct peer.in_peers */
	struct list routes;               /* struct peer_route.in_routes: all */
	unsigned count;
	struct scheduler *const *schedulers;
	unsigned loops;
	bool stopped;
} peers = {.peers = LIST_INIT(peers.peers), .routes = LIST_INIT(peers.routes)};

void
peers_begin(struct scheduler *const *schedulers, unsigned count, const struct peer_source *source)
{
	peers.schedulers = schedulers;
	peers.loops = count;
	peers.stopped = false;
	peers_source = *source;
}

static struct peer *
peer_find(const char *name)
{
	list_for_each(pos, &peers.peers) {
		struct peer *peer = container_of(pos, struct peer, in_peers);

		if (strcmp(peer->name, name) == 0)
			return peer;
	}
	return NULL;
}

static struct peer *
peer_get(const char *name)
{
	struct peer *peer = peer_find(name);

	if (peer != NULL)
		return peer;
	peer = xcalloc(1, sizeof *peer);
	snprintf(peer->name, sizeof peer->name, "%s", name);
	peer->index = peers.count++;
	list_init(&peer->routes);
	list_push_back(&peers.peers, &peer->in_peers);
	return peer;
}

void
peers_stop(void)
{
	struct list over = LIST_INIT(over);

	pthread_mutex_lock(&peers_lock);
	peers.stopped = true;
	list_for_each(pos, &peers.routes) {
		struct peer_route *route = container_of(pos, struct peer_route, in_routes);

		route->retry = 0;
		peer_route_refuse(route, "this cell ends", &over);
	}
	list_for_each(pos, &peers.peers) {
		struct peer *peer = container_of(pos, struct peer, in_peers);

		if (peer->link == NULL)
			continue;
		link_leave(&peer->link->link);
		peer_link_end(peer->link, "this cell ends");
	}
	pthread_mutex_unlock(&peers_lock);
	peer_sent_settle(&over);
}

static void
peer_route_destroy(struct peer_route *route)
{
	struct list *first;

	while ((first = list_pop_front(&route->places)) != NULL)
		free(container_of(first, struct peer_place, link));
	free(route);
}

void
peers_finish(void)
{
	struct list *first;

	while ((first = list_pop_front(&peers.routes)) != NULL)
		peer_route_destroy(container_of(first, struct peer_route, in_routes));
	while ((first = list_pop_front(&peers.peers)) != NULL)
		free(container_of(first, struct peer, in_peers));
	peers.count = 0;
}

void
peers_lists(const struct list **peers_r, const struct list **routes_r)
{
	*peers_r = &peers.peers;
	*routes_r = &peers.routes;
}

/* --- links ---------------------------------------------------------------------------------- */

void
peer_want(struct peer *peer)
{
	if (peer->link != NULL || peer->asked || peer->rests || peers.stopped)
		return;
	list_for_each(pos, &peer->routes) {
		if (container_of(pos, struct peer_route, in_peer)->wait)
			continue;
		peer->asked = true;
		peers_source.connect(peer->name, peers_source.arg);
		return;
	}
}

static struct scheduler *
peer_home_of(const struct peer *peer)
{
	return peers.schedulers[peer->index % peers.loops];
}

struct scheduler *
peer_home(const char *cell)
{
	struct scheduler *home;

	pthread_mutex_lock(&peers_lock);
	home = peer_home_of(peer_get(cell));
	pthread_mutex_unlock(&peers_lock);
	return home;
}

bool
peer_attach(const char *cell, uint64_t epoch, unsigned side, int memory_fd, int socket_fd, const char **why_r)
{
	struct peer_link *link;
	struct peer *peer;

	pthread_mutex_lock(&peers_lock);
	peer = peer_get(cell);
	link = peer_link_create(peer, peer_home_of(peer), epoch);
	if (!link_open(&link->link, memory_fd, socket_fd, side, epoch, why_r)) {
		free(link);
		pthread_mutex_unlock(&peers_lock);
		return false;
	}
	if (peer->link != NULL)
		peer_link_end(peer->link, "there is another");
	peer->link = link;
	peer->left = false;
	peer->rests = false;
	peer_link_begin(link);
	pthread_mutex_unlock(&peers_lock);
	return true;
}

/* What waits for a link that does not come, and not for a service that is about to. */
static void
peer_refuse(struct peer *peer, const char *why, struct list *over)
{
	list_for_each_safe(pos, &peer->routes) {
		struct peer_route *route = container_of(pos, struct peer_route, in_peer);

		if (!route->wait)
			peer_route_refuse(route, why, over);
	}
}

void
peer_answered(const char *cell, int status, const char *why)
{
	struct list over = LIST_INIT(over);
	struct peer *peer;

	pthread_mutex_lock(&peers_lock);
	peer = peer_get(cell);
	peer->asked = false;
	if (status != BAY_OK)
		peer_refuse(peer, why, &over);
	else if (peer->link == NULL)
		peer->rests = true; /* it has ended again */
	pthread_mutex_unlock(&peers_lock);
	peer_sent_settle(&over);
}

void
peer_ready(const char *cell)
{
	struct peer *peer;

	pthread_mutex_lock(&peers_lock);
	peer = peer_get(cell);
	peer->rests = false;
	peer_want(peer);
	pthread_mutex_unlock(&peers_lock);
}

bool
peer_has_left(const char *cell)
{
	struct peer *peer;
	bool left;

	pthread_mutex_lock(&peers_lock);
	peer = peer_find(cell);
	left = peer != NULL && peer->left;
	pthread_mutex_unlock(&peers_lock);
	return left;
}

void
peer_ended(const char *cell)
{
	struct peer *peer;

	pthread_mutex_lock(&peers_lock);
	peer = peer_find(cell);
	if (peer != NULL && peer->link != NULL) {
		peer_link_end(peer->link, "it has ended");
		/* That it is ready again may be told before its end has been made. */
		peer->link = NULL;
		peer->rests = true;
	}
	pthread_mutex_unlock(&peers_lock);
}

/* --- routes ---------------------------------------------------------------------------------- */

static struct peer_route *
peer_route_create(struct bay_service *service)
{
	struct peer_route *route = xcalloc(1, sizeof *route);

	route->service = service;
	list_init(&route->out);
	list_init(&route->in_peer);
	list_init(&route->places);
	list_push_back(&peers.routes, &route->in_routes);
	return route;
}

/* What was sent may have come back to routes, also to such as lead to another cell by now. */
void
peers_go(void)
{
	list_for_each(pos, &peers.peers) {
		struct peer *peer = container_of(pos, struct peer, in_peers);

		if (list_empty(&peer->routes))
			continue;
		if (peer->link == NULL)
			peer_want(peer);
		else
			peer_link_flush(peer->link);
	}
}

/* Where what is to be sent is seen. */
static void
peer_route_list(struct peer_route *route)
{
	list_remove(&route->in_peer);
	if (route->peer != NULL && !list_empty(&route->out))
		list_push_back(&route->peer->routes, &route->in_peer);
}

/* There is something that may go, or a link is needed for it. */
static void
peer_route_go(struct peer_route *route)
{
	struct peer *peer = route->peer;

	if (peer->link == NULL)
		peer_want(peer);
	else if (!peer_link_may_put_off(peer->link))
		peer_link_flush(peer->link);
}

/* Its text may be looked at by tasks that wait, for ever: those of before are kept. */
static void
peer_route_move(struct peer_route *route, struct peer *peer)
{
	size_t size = strlen(route->service->name) + strlen(peer->name) + sizeof " in cell ";
	struct peer_place *place = xcalloc(1, sizeof *place + size);

	snprintf(place->text, size, "%s in cell %s", route->service->name, peer->name);
	list_push_back(&route->places, &place->link);
	route->peer = peer;
}

void
peer_route_set(struct bay_service *service, const char *cell, bool wait, unsigned retry)
{
	struct peer_route *route;

	pthread_mutex_lock(&peers_lock);
	if (service->route == NULL)
		service->route = peer_route_create(service);
	route = service->route;
	if (route->peer != peer_get(cell))
		peer_route_move(route, peer_get(cell));
	route->wait = wait;
	route->retry = retry;
	peer_route_list(route);
	/* The word about the service is the newer one. */
	if (!wait)
		route->peer->rests = false;
	peer_route_go(route);
	pthread_mutex_unlock(&peers_lock);
}

void
peer_route_set_poison(struct bay_service *service, unsigned crashes)
{
	pthread_mutex_lock(&peers_lock);
	service->route->poison = crashes;
	pthread_mutex_unlock(&peers_lock);
}

void
peer_route_refuse(struct peer_route *route, const char *why, struct list *over)
{
	struct list *first;

	while ((first = list_pop_front(&route->out)) != NULL) {
		struct bay_request *request = container_of(first, struct bay_request, link);

		request_fail(request, BAY_CLOSED, "service %s: %s", route->service->name, why);
		peer_sent_detach(request, over);
	}
	list_remove(&route->in_peer);
}

void
peer_route_clear(struct bay_service *service, const char *reason)
{
	struct list over = LIST_INIT(over);

	pthread_mutex_lock(&peers_lock);
	if (service->route != NULL && service->route->peer != NULL) {
		peer_route_refuse(service->route, reason, &over);
		service->route->peer = NULL;
	}
	pthread_mutex_unlock(&peers_lock);
	peer_sent_settle(&over);
}

void
peer_route_wait(struct bay_service *service)
{
	pthread_mutex_lock(&peers_lock);
	if (service->route != NULL)
		service->route->wait = true;
	pthread_mutex_unlock(&peers_lock);
}

static void
peer_set_away(struct bay_request *request, bool is_away)
{
	request->is_away = is_away;
	if (request->ticket != NULL)
		request->ticket->is_away = is_away;
}

/* Whoever waits looks for it under our lock first, then under that of the queue: it is in one of the
 * two. */
void
peer_route_come_here(struct bay_service *service)
{
	struct list over = LIST_INIT(over);
	struct list *first;

	pthread_mutex_lock(&peers_lock);
	while (service->route != NULL && (first = list_pop_front(&service->route->out)) != NULL) {
		struct bay_request *request = container_of(first, struct bay_request, link);

		peer_set_away(request, false);
		if (service_queue_put(service, request) != BAY_OK)
			peer_sent_detach(request, &over);
	}
	if (service->route != NULL) {
		list_remove(&service->route->in_peer);
		service->route->peer = NULL;
	}
	pthread_mutex_unlock(&peers_lock);
	peer_sent_settle(&over);
}

/* --- requests ---------------------------------------------------------------------------------- */

static int
peer_put_locked(struct peer_route *route, struct bay_request *request)
{
	/* Two cells that both believe that it is in the other would send it to and fro. */
	if (route == NULL || route->peer == NULL || peers.stopped || request->came_over) {
		request_fail(request, BAY_CLOSED, "service %s is on its way to another cell, or from there",
			request->service->name);
		return BAY_CLOSED;
	}
	request->sent = NULL;
	request->away = true;
	if (request->ticket != NULL) {
		request->ticket->away = true;
		request->ticket->ticket = request;
	}
	peer_set_away(request, true);
	call_guard_note_sent(request->service);
	list_push_back(&route->out, &request->link);
	if (list_empty(&route->in_peer))
		list_push_back(&route->peer->routes, &route->in_peer);
	peer_route_go(route);
	return BAY_OK;
}

bool
peer_put(struct bay_service *service, struct bay_request *request, int *status_r)
{
	size_t size = bay_message_size(request->message);
	bool is_elsewhere;

	if (size > LINK_BODY_MAX) {
		request_fail(request, BAY_TOO_BIG, "a message of %zu bytes is larger than what goes from cell to cell "
			"(64 MiB); service %s is in another cell", size, service->name);
		*status_r = BAY_TOO_BIG;
		return true;
	}
	/* What becomes of it is known later. */
	*status_r = BAY_BUSY;
	if (request->one_way && request->ticket == NULL && !request->came_over)
		return true;
	pthread_mutex_lock(&peers_lock);
	is_elsewhere = service_state(service) == SERVICE_ELSEWHERE;
	if (is_elsewhere)
		*status_r = peer_put_locked(service->route, request);
	pthread_mutex_unlock(&peers_lock);
	return is_elsewhere;
}

/* Takes a request out, wherever it is. */
static void
peer_take_out(struct bay_request *request, const char *reason)
{
	struct peer_route *route = request->service->route;

	if (request->sent != NULL) {
		peer_link_forget(request->sent, request, reason);
	} else {
		list_remove(&request->link);
		if (list_empty(&route->out))
			list_remove(&route->in_peer);
	}
	peer_set_away(request, false);
}

bool
peer_withdraw(struct bay_request *ticket)
{
	bool is_away;

	pthread_mutex_lock(&peers_lock);
	is_away = ticket->is_away;
	if (is_away) {
		struct bay_request *request = ticket->ticket;

		peer_take_out(request, "the sender does not wait for room any more");
		request->ticket = NULL;
		ticket->ticket = NULL;
	}
	pthread_mutex_unlock(&peers_lock);
	return is_away;
}

bool
peer_take_back(struct bay_request *request, const char *reason)
{
	bool is_away;

	pthread_mutex_lock(&peers_lock);
	is_away = request->is_away;
	if (is_away)
		peer_take_out(request, reason);
	pthread_mutex_unlock(&peers_lock);
	return is_away;
}

const char *
peer_where(struct bay_service *service)
{
	const char *text = NULL;

	if (service_state(service) != SERVICE_ELSEWHERE)
		return NULL;
	pthread_mutex_lock(&peers_lock);
	if (service->route != NULL && service->route->peer != NULL)
		text = container_of(list_last(&service->route->places), struct peer_place, link)->text;
	pthread_mutex_unlock(&peers_lock);
	return text;
}
