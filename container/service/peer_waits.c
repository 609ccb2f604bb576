/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits for other cells, and what of theirs is here: for whoever looks who waits for whom. */
#include "config.h"

#include "service/peer_waits.h"

#include "service/message.h"
#include "service/peer.h"
#include "service/peer_link.h"
#include "service/request.h"

/* Also of who waits until it has its place in the queue there. False: no more. */
static bool
peer_waits_tell(struct peer_wait *wait, const struct bay_request *request, peer_wait_fn *fn, void *arg)
{
	wait->request = request;
	if (!fn(wait, arg))
		return false;
	wait->request = request->ticket;
	return wait->request == NULL || fn(wait, arg);
}

/* Those for one service, NULL: all. */
static bool
peer_waits_of_link(const struct peer_link *link, const struct bay_service *service, peer_wait_fn *fn, void *arg)
{
	list_for_each(pos, &link->away) {
		const struct bay_request *request = container_of(pos, struct bay_request, link);
		struct peer_wait wait = {.service = request->service, .cell = link->peer->name,
			.epoch = link->epoch,
			.id = (uint64_t)link->sent[request->sent_slot].serial << 32 | (request->sent_slot + 1)};

		if ((service == NULL || request->service == service) && !peer_waits_tell(&wait, request, fn, arg))
			return false;
	}
	return true;
}

/* Of a service that there is none of now, nothing is in a queue yet. */
static bool
peer_waits_of_route(const struct peer_route *route, peer_wait_fn *fn, void *arg)
{
	if (route->wait || route->peer == NULL)
		return true;
	list_for_each(pos, &route->out) {
		struct peer_wait wait = {.service = route->service, .cell = route->peer->name};

		if (!peer_waits_tell(&wait, container_of(pos, struct bay_request, link), fn, arg))
			return false;
	}
	return true;
}

void
peer_waits_sent(peer_wait_fn *fn, void *arg)
{
	const struct list *peers, *routes;
	bool goes_on = true;

	pthread_mutex_lock(&peers_lock);
	peers_lists(&peers, &routes);
	list_for_each(pos, peers) {
		const struct peer *peer = container_of(pos, struct peer, in_peers);

		if (goes_on && peer->link != NULL)
			goes_on = peer_waits_of_link(peer->link, NULL, fn, arg);
	}
	list_for_each(pos, routes) {
		if (goes_on)
			goes_on = peer_waits_of_route(container_of(pos, struct peer_route, in_routes), fn, arg);
	}
	pthread_mutex_unlock(&peers_lock);
}

/* What a service has over there. */
struct peer_waits_away {
	unsigned count;
	size_t bytes;
};

static struct peer_waits_away
peer_waits_away_of(const struct peer_link *link, const struct bay_service *service)
{
	struct peer_waits_away away = {.count = 0};

	list_for_each(pos, &link->away) {
		const struct bay_request *request = container_of(pos, struct bay_request, link);

		if (request->service != service)
			continue;
		away.count++;
		away.bytes += bay_message_size(request->message);
	}
	return away;
}

/* Whether the other cell would have to end more of them before it gave any credit: what has left the way, and
 * we have not heard of, is less than it tells of. */
static bool
peer_waits_has_no_credit(const struct peer_way *way, const struct peer_waits_away *away)
{
	return (way->messages >= PEER_CREDIT_MESSAGES || way->bytes >= PEER_CREDIT_BYTES) &&
		way->messages < away->count + PEER_OWED_MESSAGES && way->bytes < away->bytes + PEER_OWED_BYTES;
}

static bool
peer_waits_is_stuck(const struct peer_route *route, unsigned count)
{
	const struct peer_link *link = route != NULL && route->peer != NULL && !route->wait ? route->peer->link : NULL;
	struct peer_waits_away away;
	unsigned unsent = 0;

	if (link == NULL || link->why != NULL)
		return false;
	away = peer_waits_away_of(link, route->service);
	list_for_each(pos, &route->out)
		unsent++;
	return away.count > 0 && away.count + unsent == count &&
		(unsent == 0 || peer_waits_has_no_credit(&link->ways[route->service->id], &away));
}

bool
peer_waits_stuck(const struct bay_service *service, unsigned count, peer_wait_fn *fn, void *arg)
{
	const struct peer_route *route;
	bool stuck;

	pthread_mutex_lock(&peers_lock);
	route = service->route;
	stuck = peer_waits_is_stuck(route, count);
	if (stuck)
		(void)peer_waits_of_link(route->peer->link, service, fn, arg);
	pthread_mutex_unlock(&peers_lock);
	return stuck;
}

static bool
peer_waits_of_served(const struct peer_link *link, peer_wait_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < link->served_size; i++) {
		const struct peer_served *served = link->served[i];
		struct peer_wait wait = {.cell = link->peer->name, .epoch = link->epoch};

		if (served == NULL)
			continue;
		wait.id = served->id;
		wait.request = served->request != NULL ? served->request : served->stands;
		wait.service = served->named->service;
		if (wait.request != NULL && !fn(&wait, arg))
			return false;
	}
	return true;
}

void
peer_waits_served(const struct scheduler *home, peer_wait_fn *fn, void *arg)
{
	const struct list *peers, *routes;
	bool goes_on = true;

	pthread_mutex_lock(&peers_lock);
	peers_lists(&peers, &routes);
	list_for_each(pos, peers) {
		const struct peer *peer = container_of(pos, struct peer, in_peers);

		if (goes_on && peer->link != NULL && peer->link->home == home)
			goes_on = peer_waits_of_served(peer->link, fn, arg);
	}
	pthread_mutex_unlock(&peers_lock);
}
