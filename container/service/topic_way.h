/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of what is published here to another cell that has subscriptions: one for each cell and each
 * class of them.
 *
 *	bay_publish ─► feed of the way ─► a call to the other cell ══► its topic_arrival.h
 *	               (bounded)           (so many at a time)
 *
 * A way takes from its feed on one loop, as long as there is room beyond: what waits, waits in the feed,
 * where the oldest make room or its publisher waits. It has no task.
 */
#ifndef BAY_SERVICE_TOPIC_WAY_H
#define BAY_SERVICE_TOPIC_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/inbox.h"
#include "service/topic_interest.h"

struct bay_request;
struct feed;
struct loop;
struct scheduler;

/* What the other cell wants of that class from now on (borrowed, and valid). None: nothing, and what is on
 * its way there is given up. The control thread, between peers_begin() and peers_stop(). */
void topic_way_set(const char *cell, enum topic_class class, const char *const *patterns, size_t count);

/* Publishers stand before a way, which goes on when any of its requests ends. All of it borrowed for the call. */
struct topic_way_wait {
	const struct feed *feed;
	const char *cell;                  /* the other one */
	const struct bay_request *request; /* that it has */
	uint32_t serial;                   /* is another one when the way has moved meanwhile; never 0 */
};

/* Called under locks: not to go far. */
typedef void topic_way_wait_fn(const struct topic_way_wait *wait, void *arg);

/* What ways of a loop wait for, that have sent all that they may: nothing of it moves before one of these
 * requests ends. Returns whether publishers stand before any way of it, also such as are about to move. On that
 * loop. */
bool topic_ways_waits(const struct scheduler *home, topic_way_wait_fn *fn, void *arg);

/* Posts item to the loop once, when nothing of what has been published is on its way any more; it may be
 * never. Once. The control thread. */
void topic_ways_await_idle(struct loop *loop, struct inbox_item *item);

/* Ends all ways, while the loops still run; and forgets them, once those have ended. The control
 * thread. */
void topic_ways_stop(void);
void topic_ways_finish(void);

#endif
