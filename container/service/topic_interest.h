/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which patterns the subscriptions of this process have, for whoever tells other cells: each once
 * for each class, however many have it.
 */
#ifndef BAY_SERVICE_TOPIC_INTEREST_H
#define BAY_SERVICE_TOPIC_INTEREST_H

#include <stddef.h>

/* Two kinds of subscriptions, which get what other cells publish in different ways. */
enum topic_class {
	TOPIC_DROP, /* something is dropped where there is no room */
	TOPIC_WAIT, /* the publisher waits for room */
	TOPIC_CLASSES
};

/* Called when a pattern is new or is no more, under a lock: to be handed on. */
typedef void topic_interest_fn(void *arg);

/* Called for each pattern, which is borrowed for the call; under the same lock. */
typedef void topic_interest_each_fn(const char *pattern, void *arg);

/* One more subscription has the pattern, or one less. Any thread, as all of these. */
void topic_interest_add(enum topic_class class, const char *pattern);
void topic_interest_remove(enum topic_class class, const char *pattern);

/* Whom to tell from now on; NULL: nobody. */
void topic_interest_watch(topic_interest_fn *changed, void *arg);

/* All patterns of a class, in no order that matters. */
void topic_interest_each(enum topic_class class, topic_interest_each_fn *fn, void *arg);

#endif
