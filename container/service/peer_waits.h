/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of this cell waits for others, and what of others is here. A request that was sent has the same
 * epoch and id in both cells, so that whoever hears both can put them together.
 */
#ifndef BAY_SERVICE_PEER_WAITS_H
#define BAY_SERVICE_PEER_WAITS_H

#include <stdbool.h>
#include <stdint.h>

struct bay_request;
struct bay_service;
struct scheduler;

/* All of it borrowed for the call. */
struct peer_wait {
	const struct bay_request *request;
	const struct bay_service *service; /* that it is for */
	const char *cell;                  /* the other one */
	uint64_t epoch;                    /* of the link; 0: it was not sent yet, for want of room there */
	uint64_t id;
};

/* Called under a lock: not to go far. False: there is to be no other call. */
typedef bool peer_wait_fn(const struct peer_wait *wait, void *arg);

/* All requests of ours that other cells have, or are to get. Any thread. */
void peer_waits_sent(peer_wait_fn *fn, void *arg);

/* Whether so many requests for a service are under way to another cell, all of them in that or waiting for its
 * credit, so that nothing moves before one of those that are there ends: calls fn for each of these. Of a
 * service whose requests have their credit until they end. Any thread. */
bool peer_waits_stuck(const struct bay_service *service, unsigned count, peer_wait_fn *fn, void *arg);

/* Those of other cells that came over links of this loop and are not over. On that loop. */
void peer_waits_served(const struct scheduler *home, peer_wait_fn *fn, void *arg);

#endif
