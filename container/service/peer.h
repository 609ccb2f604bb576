/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services of other cells. Their names resolve to the same records as those of this cell; what is
 * for them takes another way:
 *
 *	service_queue_put -> route of the service -> link of the peer ~~~> queue of the service there
 *	request comes home <- link of the peer <~~~~~~~~~~~~~~~~~~~~~~~~~~ request comes home there
 *
 * A request that was sent stays here, with its message, until its outcome comes back or the other
 * cell dies: then it is sent to the next one, if the service may be asked again (retry), or ends
 * with BAY_PEER_DIED. What was not sent waits: in the route, in its order, for a link, for room in
 * the ring, or for room on the other side (each service has its credit there, so one whose queue
 * is full does not stand in the way of the others).
 *
 * One lock for all that goes to other cells. Each link belongs to one loop, which reads it; any
 * thread writes to it.
 */
#ifndef BAY_SERVICE_PEER_H
#define BAY_SERVICE_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct bay_message;
struct bay_request;
struct bay_service;
struct scheduler;

/* Who makes links for us. Called under the lock, on any thread: to be handed on. */
struct peer_source {
	/* A link to the cell is wanted: peer_attach() follows, and peer_answered() in any case. */
	void (*connect)(const char *cell, void *arg);
	/* What the cell sent cannot be, and our end of the link is closed. NULL: it has closed its own, which
	 * may be its end. */
	void (*broken)(const char *cell, uint64_t epoch, const char *why, void *arg);
	/* So many cells have crashed over a message for the service (borrowed): it is not sent again. */
	void (*dead_letter)(const char *service, const struct bay_message *message, unsigned crashes,
		void *arg);
	void *arg;
};

/* --- the control thread --------------------------------------------------------------- */

/* Before any service is elsewhere. The schedulers are borrowed until peers_finish(). */
void peers_begin(struct scheduler *const *schedulers, unsigned count, const struct peer_source *source);

/* Closes all links, while the loops still run; and forgets everything, once they have ended. */
void peers_stop(void);
void peers_finish(void);

/* The loop that looks after links to the cell. */
struct scheduler *peer_home(const char *cell);

/* The service is in this cell. Wait: what is for it stays here until the next word; retry: how
 * often another cell may get a request after one died with it. The caller sets the state. */
void peer_route_set(struct bay_service *service, const char *cell, bool wait, unsigned retry);

/* After so many crashes over a request of it that is over in any case, and it is a dead letter. 0:
 * never, as at first. Of a service with a route. */
void peer_route_set_poison(struct bay_service *service, unsigned crashes);

/* It is in none of them any more: what waits for it ends with BAY_CLOSED and this reason. */
void peer_route_clear(struct bay_service *service, const char *reason);

/* It is about to leave the cell that it is in: what is for it stays here until the next word. */
void peer_route_wait(struct bay_service *service);

/* It is started in this cell, whose state it has and whose queue is held: what waits for it waits
 * there from now on. */
void peer_route_come_here(struct bay_service *service);

/* A link to the cell, with its number. Takes the descriptors. False: it is no link, and why. */
bool peer_attach(const char *cell, uint64_t epoch, unsigned side, int memory_fd, int socket_fd,
	const char **why_r)
	__attribute__((warn_unused_result));

/* What became of a wish for a link: BAY_OK when there is one, or was. Otherwise what waits for it
 * ends with BAY_CLOSED and why, unless it waits for its service. */
void peer_answered(const char *cell, int status, const char *why);

/* The cell takes links, now or again: where one is wanted it is asked for. */
void peer_ready(const char *cell);

/* Whether the latest link to the cell has ended since that cell ended in order, and there is none yet after
 * it. Any thread. */
bool peer_has_left(const char *cell);

/* The cell has ended: so has its link. */
void peer_ended(const char *cell);

/* --- any thread ------------------------------------------------------------------------- */

/* service_queue_put() for a service that is elsewhere. False: it is not any more. */
bool peer_put(struct bay_service *service, struct bay_request *request, int *status_r)
	__attribute__((warn_unused_result));

/* service_queue_withdraw() for the ticket of a message that is away. The other cell may have it all
 * the same. */
bool peer_withdraw(struct bay_request *ticket);

/* Takes back a request that somebody waits for; the other cell is told that he does not any more, and
 * why. False: it is on its way home. */
bool peer_take_back(struct bay_request *request, const char *reason);

/* This cell crashes while the request is handled: if it came from another cell, that one learns it
 * from the link. In a handler of a signal. */
void peer_blame(const struct bay_request *request);

/* For the task list, "NAME in cell CELL" of a service that is elsewhere, or NULL. Borrowed for ever. */
const char *peer_where(struct bay_service *service);

#endif
