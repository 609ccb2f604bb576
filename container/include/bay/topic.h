/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Publish and subscribe between services: a message goes to all who subscribed to its topic, on
 * whatever loop and in whatever cell they are. Nobody need know anybody.
 *
 * A topic is tokens with dots between them, "orders.eu.new". In the pattern of a subscription, as
 * in NATS, * stands for one whole token and > at the end for one or more: "orders.*.new",
 * "orders.>". Topics and patterns are at most BAY_TOPIC_MAX bytes long; no token is empty, and
 * there are neither spaces nor control bytes in them.
 *
 *	bay_subscribe("orders.>", NULL, &orders);
 *	while (bay_subscription_next(orders, &message, &topic, BAY_INHERIT) == BAY_OK) {
 *		look_at(topic, message);
 *		bay_message_free(message);
 *	}
 *
 * The message itself is not copied: all share it. What one publisher sends one after the other,
 * each subscriber gets in this order. Each subscription is bounded in messages and in bytes, and
 * says what happens beyond: then it is slow, which the log says with its service, its pattern
 * and the count, and bayctl queues shows. What was published before a subscription, it does not
 * get.
 *
 * To other cells a message is copied, once for all subscriptions there that drop something when there is no
 * room, and once for those that let publishers wait. All of the above holds for them, but for this:
 *
 *	- A subscription is known there a moment after it is made, or after its service has come to another
 *	  cell, as in NATS. What is published meanwhile, it does not get.
 *	- For each other cell and each of the two kinds up to 1,024 messages wait here, 1 MiB, or one that is
 *	  larger; what is under way comes on top (up to 256, 1 MiB). Beyond that the oldest are lost to
 *	  subscriptions that drop something, which count them a moment later, and publishers wait for those
 *	  that let them; since all of a kind share the way, also those of other topics. Losses of more than
 *	  256 topics at once are not counted there: for the rest there is only the count in the log of the
 *	  publisher's cell.
 *	- A subscription that lets publishers wait and is not read holds up all publishers of its topics in the
 *	  container until their deadline, and with the way those of other topics; also one of a sandboxed cell.
 *	  A service that publishes for it takes up to drain_timeout when it is stopped or replaced: what it
 *	  published last is waited for.
 *	- What is larger than 64 MiB, less a little for its topic, goes to no other cell.
 *	- When a cell dies, what was on its way to it, or from it, may be lost; one that ends in order sees
 *	  to the latter for its drain_timeout. Nothing comes twice.
 */
#ifndef BAY_TOPIC_H
#define BAY_TOPIC_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/message.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_subscription;

#define BAY_TOPIC_MAX 255

/* What happens to a message for which a subscription has no room. */
enum bay_slow {
	BAY_SLOW_DROP_OLDEST,  /* those that have waited longest make room */
	BAY_SLOW_DROP_NEWEST,  /* it is dropped */
	BAY_SLOW_WAIT          /* the publisher waits, until its deadline */
};

/* What a subscription may be. Set to zero what you do not need. */
struct bay_subscription_options {
	size_t length;         /* sizeof(struct bay_subscription_options) */
	size_t messages;       /* that wait in it at most; 0: 1,024 */
	size_t bytes;          /* of them together; 0: 1 MiB */
	enum bay_slow slow;
	unsigned unused[4];
};

/* Publishes a message (borrowed; NULL: an empty one). BAY_OK when every subscription to the topic
 * has it, or has dropped it as its options say; also when there is none. Of other cells it says that it
 * is on its way there. Where some let the publisher wait: BAY_TIMEOUT or BAY_CANCELED when one had no
 * room in time, or the way to one in another cell, which has then lost it; BAY_TOO_BIG when it can never
 * fit into one, or is too large for the way (where it does not fit into one in another cell, that counts
 * it as lost); the others have it all the same. BAY_INVALID
 * (logged) for what is no topic; BAY_NO_MEMORY. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_publish(const char *topic, const struct bay_message *message, int64_t deadline);

/* Subscribes the running service to a pattern, from now on; options (NULL: all as usual) are
 * borrowed for the call. BAY_OK and *subscription_r, which is the caller's until
 * bay_unsubscribe() and ends with the instance at the latest. BAY_INVALID (logged) for what is no
 * pattern, for options without sense and outside a loop; BAY_FULL when the instance has 4,096
 * already; BAY_NO_MEMORY. Any code of a service, on its loop; never suspends. Since 1.0. */
BAY_API int bay_subscribe(const char *pattern, const struct bay_subscription_options *options,
	struct bay_subscription **subscription_r);

/* Waits for the next message, which is the caller's to free; its topic (NULL: not wanted) is
 * borrowed until the next is taken from this subscription. Of several tasks that wait, each
 * message is for one. BAY_OK; BAY_CLOSED when the subscription has ended meanwhile; BAY_TIMEOUT
 * and BAY_CANCELED: then no message was lost. On the loop that subscribed, inside a task; may
 * suspend. Since 1.0. */
BAY_API int bay_subscription_next(struct bay_subscription *subscription, struct bay_message **message_r,
	const char **topic_r, int64_t deadline);

/* The messages that wait in it; how many it has lost. On its loop; never suspend. Since 1.0. */
BAY_API size_t bay_subscription_size(const struct bay_subscription *subscription);
BAY_API uint64_t bay_subscription_dropped(const struct bay_subscription *subscription);

/* Ends it; NULL is allowed. What waits in it is given up, publishers that wait for room in it go
 * on, tasks that wait for a message end with BAY_CLOSED. On its loop; never suspends. Since
 * 1.0. */
BAY_API void bay_unsubscribe(struct bay_subscription *subscription);

BAY_END_DECLS

#endif
