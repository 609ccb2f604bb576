/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The subscriptions of all loops, by topic and pattern; the functions of <bay/topic.h>. Who
 * publishes reads the registry, who subscribes or ends a subscription writes it: a feed that a
 * publisher has found stays for as long as it puts something in.
 */
#ifndef BAY_SERVICE_TOPIC_H
#define BAY_SERVICE_TOPIC_H

#include <bay/topic.h>

struct bay_instance;
struct feed;
struct waiter;

/* Subscriptions of one instance. */
#define TOPIC_SUBSCRIPTIONS_MAX 4096

/* Ends those of the instance. On its loop. */
void topic_end(struct bay_instance *instance);

/* The feeds that a publisher stands before whom the waiter parks: the next after one, or the first
 * after NULL. NULL for all other waits. For comparing. On its loop. */
const struct feed *topic_awaited_feed(const struct waiter *waiter, const struct feed *after);

/* The feeds of an instance's subscriptions, likewise. */
const struct feed *topic_feed_of(const struct bay_instance *instance, const struct feed *after);

#endif
