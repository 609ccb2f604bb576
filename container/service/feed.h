/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feed: the bounded queue of one subscription, filled by publishers on any loop and emptied on
 * the subscriber's, its home. Or that of a way to another cell (topic_way.h), which is emptied on the
 * loop that looks after the link to it.
 *
 *	publisher's loop                      home
 *	   feed_put ----> [ queue ] <---- feed_take
 *	      |              |  \---- posted item ----> feed->tell: there is something
 *	   stands before     |
 *	   a full queue <----/ room
 *
 * It is counted: the subscription, a posted item and each who stands before it own one.
 */
#ifndef BAY_SERVICE_FEED_H
#define BAY_SERVICE_FEED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/topic.h>

#include "base/list.h"
#include "loop/inbox.h"
#include "loop/link_record.h"

struct bay_service;
struct feed;
struct loop;

/* A message under way, counted: each feed that has it owns one. */
struct publication {
	_Atomic unsigned refs;
	struct bay_message *message;
	size_t bytes;
	_Atomic(struct bay_message *) wire; /* as it goes to other cells, once the first wants it */
	char topic[];
};

/* One reference; NULL without memory. The message gets one owner more. Any thread. */
struct publication *publication_create(const char *topic, const struct bay_message *message);
void publication_unref(struct publication *publication);

/* As it goes to other cells, with a reference of the caller's; NULL without memory. Any thread. */
struct bay_message *publication_wire(struct publication *publication);

/* Whoever waits until feeds have room. */
struct publishing {
	struct list standing;   /* struct standing.in_publishing: before those feeds */
	unsigned missing;       /* of them */
	void (*all_in)(struct publishing *publishing); /* called at its home when none is missing any more */
};

static inline void
publishing_init(struct publishing *publishing, void (*all_in)(struct publishing *publishing))
{
	list_init(&publishing->standing);
	publishing->missing = 0;
	publishing->all_in = all_in;
}

/* Called at home when there may be something that feed_take() gives. */
typedef void feed_tell_fn(void *arg);

/* Made on its home. Service: for the figures and the log; or NULL. NULL without memory. */
struct feed *feed_create(const char *pattern, const struct bay_subscription_options *options,
	struct bay_service *service, feed_tell_fn *tell, void *arg);

/* That of the way to a cell, with its home. Takes one at least, whatever that weighs up to
 * FEED_WAY_LARGEST; tells home in its next pass only. At any place. NULL without memory. */
struct feed *feed_create_for_cell(const char *cell, enum bay_slow slow, struct loop *home, feed_tell_fn *tell,
	void *arg);

/* What the feed of a way has room for. */
enum {
	FEED_WAY_MESSAGES = 1024,
	FEED_WAY_BYTES = 1 << 20,
	/* Topics of which it remembers that it has lost some; what is lost of more is in the log only. */
	FEED_UNTOLD_MAX = 256
};
/* With its topic it fits into a call to another cell. */
#define FEED_WAY_LARGEST ((size_t)LINK_BODY_MAX - BAY_TOPIC_MAX - 8)

/* Where the registry keeps it, and the feed of such a link. */
struct list *feed_link(struct feed *feed);
struct feed *feed_of_link(struct list *link);
const char *feed_pattern(const struct feed *feed);

/* Whether it lets publishers wait. */
bool feed_waits(const struct feed *feed);

/* Nobody takes from it any more: gives up what is in it, lets publishers go. Takes the
 * subscription's reference; nobody may find the feed to put into. At home. */
void feed_close(struct feed *feed);

/* Puts one in, or does what its options say; where that is to wait, the publisher stands before
 * it from now on. BAY_OK, BAY_TOO_BIG, BAY_NO_MEMORY. Any loop. */
int feed_put(struct feed *feed, struct publication *publication, struct publishing *publishing);

/* Gives up standing before the feeds where that has come to nothing. Late: there was no room in time, which
 * the log says; otherwise the publisher does not want it any more. False: it never stood in vain. At the
 * publisher's home. */
bool publishing_give_up(struct publishing *publishing, bool late);

/* The feeds before which it stands: the next after one, or the first after NULL. At the
 * publisher's home. */
const struct feed *publishing_feed(const struct publishing *publishing, const struct feed *after);

/* The next, and its reference; NULL: nothing. At home. */
struct publication *feed_take(struct feed *feed);

/* So many of a topic were lost before they came here. Any loop. */
void feed_note_lost(struct feed *feed, const char *topic, uint64_t lost);

/* A topic of which the feed of a way has lost some since this was asked last, and how many. False: none. At
 * home. The one that has waited longest. */
bool feed_take_lost(struct feed *feed, char topic_r[BAY_TOPIC_MAX + 1], uint64_t *lost_r);

/* Whether somebody stands before it. Any loop. */
bool feed_is_stood_before(struct feed *feed);

/* What waits in it, and what it has lost. Any loop. */
size_t feed_size(struct feed *feed);
uint64_t feed_dropped(struct feed *feed);

#endif
