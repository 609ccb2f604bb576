/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subscriptions of all loops, by topic and pattern; the functions of <bay/topic.h>. Who
 * publishes reads the registry, who subscribes or ends a subscription writes it: a feed that a
 * publisher has found stays for as long as it puts something in. What other cells want stands there,
 * too: sets of patterns, each with the feed of the way to one (topic_way.h).
 */
#ifndef BAY_SERVICE_TOPIC_H
#define BAY_SERVICE_TOPIC_H

#include <bay/topic.h>

#include "service/topic_interest.h"

struct bay_instance;
struct bay_message;
struct feed;
struct publishing;
struct topic_set;
struct waiter;

/* Subscriptions of one instance. */
#define TOPIC_SUBSCRIPTIONS_MAX 4096

/* Ends those of the instance. On its loop. */
void topic_end(struct bay_instance *instance);

/* The feed of a set gets from now on what it has, and that of the set before it does not any more. NULL:
 * none. When this returns nobody looks at the one before. Any thread. */
void topic_exchange_set(struct topic_set *before, struct topic_set *after);

/* Puts what came from another cell into the subscriptions of a class, and into nothing else; whoever
 * publishes may have to wait, as after feed_put(). BAY_OK; or BAY_NO_MEMORY, BAY_TOO_BIG: one of them has
 * lost it. On a loop. */
int topic_put_here(enum topic_class class, const char *topic, const struct bay_message *message,
	struct publishing *publishing);

/* So many of the topic were lost on their way from another cell to subscriptions of that class, which
 * count them. On a loop. */
void topic_lose_here(enum topic_class class, const char *topic, uint64_t lost);

/* The feeds that a publisher stands before whom the waiter parks: the next after one, or the first
 * after NULL. NULL for all other waits. For comparing. On its loop. */
const struct feed *topic_awaited_feed(const struct waiter *waiter, const struct feed *after);

/* The feeds of an instance's subscriptions, likewise. */
const struct feed *topic_feed_of(const struct bay_instance *instance, const struct feed *after);

#endif
