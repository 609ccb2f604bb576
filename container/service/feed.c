/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/feed.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "service/message.h"
#include "service/service.h"
#include "service/topic_wire.h"

struct feed {
	_Atomic unsigned refs;
	struct list link;             /* the registry's */
	struct loop *home;
	struct bay_service *service;  /* or NULL */
	size_t limit;
	size_t limit_bytes;
	size_t largest;               /* what one may weigh when it is alone */
	enum bay_slow slow;
	bool is_way;                  /* to another cell: pattern is its name */
	struct log_rate complaints;
	struct inbox_item item;       /* on its way home while posted */

	/* home only */
	feed_tell_fn *tell;           /* NULL: closed */
	void *tell_arg;

	/* under lock */
	pthread_mutex_t lock;
	struct publication **ring;
	size_t ring_size;             /* grows up to limit */
	size_t head;
	size_t count;
	size_t bytes;
	struct list standing;         /* struct standing.in_feed, oldest first */
	uint64_t dropped;
	struct map *untold;           /* of a way: how many of a topic were lost, as a pointer, that the other
	                               * cell has not been told of; NULL: none */
	bool posted;
	bool closed;

	char pattern[];
};

/* A publisher before one full feed. It comes home when it has its place there, or will never. */
struct standing {
	struct inbox_item item;
	struct loop *home;
	struct feed *feed;
	struct publication *publication;
	struct list in_feed;            /* in none: on its way home; under the feed's lock */
	/* home only */
	struct list in_publishing;
	struct publishing *publishing;  /* NULL: has given up */
};

/* --- publications ------------------------------------------------------------------------- */

struct publication *
publication_create(const char *topic, const struct bay_message *message)
{
	size_t length = strlen(topic) + 1;
	struct publication *publication = alloc_try(sizeof *publication + length);

	if (publication == NULL)
		return NULL;
	atomic_init(&publication->refs, 1);
	atomic_init(&publication->wire, NULL);
	publication->message = message_ref(message);
	publication->bytes = bay_message_size(message);
	memcpy(publication->topic, topic, length);
	return publication;
}

static void
publication_ref(struct publication *publication)
{
	atomic_fetch_add_explicit(&publication->refs, 1, memory_order_relaxed);
}

void
publication_unref(struct publication *publication)
{
	if (publication == NULL ||
		atomic_fetch_sub_explicit(&publication->refs, 1, memory_order_acq_rel) > 1)
		return;
	message_unref(publication->message);
	message_unref(atomic_load_explicit(&publication->wire, memory_order_relaxed));
	free(publication);
}

struct bay_message *
publication_wire(struct publication *publication)
{
	struct bay_message *wire = atomic_load_explicit(&publication->wire, memory_order_acquire);
	struct bay_message *none = NULL;

	if (wire == NULL) {
		wire = topic_wire_message(publication->topic, publication->message);
		/* Another loop may have been faster. */
		if (wire != NULL && !atomic_compare_exchange_strong(&publication->wire, &none, wire)) {
			message_unref(wire);
			wire = none;
		}
	}
	return message_ref(wire);
}

/* --- life ------------------------------------------------------------------------------------ */

static void feed_on_home(struct inbox_item *item);

static struct feed *
feed_make(const char *pattern, enum bay_slow slow, struct loop *home, feed_tell_fn *tell, void *arg)
{
	size_t length = strlen(pattern) + 1;
	struct feed *feed = alloc_try_zeroed(1, sizeof *feed + length);

	if (feed == NULL)
		return NULL;
	atomic_init(&feed->refs, 1);
	list_init(&feed->link);
	feed->home = home;
	feed->slow = slow;
	feed->complaints.burst = 1;
	feed->complaints.period_ns = 10 * INT64_C(1000000000);
	feed->item.run = feed_on_home;
	feed->tell = tell;
	feed->tell_arg = arg;
	pthread_mutex_init(&feed->lock, NULL);
	list_init(&feed->standing);
	memcpy(feed->pattern, pattern, length);
	return feed;
}

struct feed *
feed_create(const char *pattern, const struct bay_subscription_options *options, struct bay_service *service,
	feed_tell_fn *tell, void *arg)
{
	struct feed *feed = feed_make(pattern, options->slow, &scheduler_here->loop, tell, arg);

	if (feed == NULL)
		return NULL;
	feed->service = service;
	feed->limit = options->messages;
	feed->limit_bytes = feed->largest = options->bytes;
	return feed;
}

struct feed *
feed_create_for_cell(const char *cell, enum bay_slow slow, struct loop *home, feed_tell_fn *tell, void *arg)
{
	struct feed *feed = feed_make(cell, slow, home, tell, arg);

	if (feed == NULL)
		return NULL;
	feed->is_way = true;
	feed->limit = FEED_WAY_MESSAGES;
	feed->limit_bytes = FEED_WAY_BYTES;
	feed->largest = FEED_WAY_LARGEST;
	return feed;
}

static void
feed_ref(struct feed *feed)
{
	atomic_fetch_add_explicit(&feed->refs, 1, memory_order_relaxed);
}

static void
feed_unref(struct feed *feed)
{
	if (atomic_fetch_sub_explicit(&feed->refs, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&feed->lock);
	map_destroy(feed->untold);
	free(feed->ring);
	free(feed);
}

struct list *
feed_link(struct feed *feed)
{
	return &feed->link;
}

struct feed *
feed_of_link(struct list *link)
{
	return container_of(link, struct feed, link);
}

const char *
feed_pattern(const struct feed *feed)
{
	return feed->pattern;
}

bool
feed_waits(const struct feed *feed)
{
	return feed->slow == BAY_SLOW_WAIT;
}

/* --- under the lock ----------------------------------------------------------------------------- */

static bool
feed_has_room(const struct feed *feed, const struct publication *publication)
{
	if (feed->count == 0)
		return publication->bytes <= feed->largest;
	return feed->count < feed->limit && feed->bytes <= feed->limit_bytes &&
		publication->bytes <= feed->limit_bytes - feed->bytes;
}

static bool
feed_grow(struct feed *feed)
{
	size_t i, size = feed->ring_size > 0 ? feed->ring_size * 2 : 16;
	struct publication **ring;

	if (size > feed->limit)
		size = feed->limit;
	ring = size <= SIZE_MAX / sizeof *ring ? alloc_try(size * sizeof *ring) : NULL;
	if (ring == NULL)
		return false;
	for (i = 0; i < feed->count; i++)
		ring[i] = feed->ring[(feed->head + i) % feed->ring_size];
	free(feed->ring);
	feed->ring = ring;
	feed->ring_size = size;
	feed->head = 0;
	return true;
}

/* Takes a reference. There is room. */
static bool
feed_append(struct feed *feed, struct publication *publication)
{
	size_t tail;

	if (feed->count == feed->ring_size && !feed_grow(feed))
		return false;
	tail = feed->head + feed->count;
	feed->ring[tail < feed->ring_size ? tail : tail - feed->ring_size] = publication;
	publication_ref(publication);
	feed->count++;
	feed->bytes += publication->bytes;
	service_count_topic(feed->service, 1, 0);
	return true;
}

/* Gives its reference. It is not empty. */
static struct publication *
feed_remove(struct feed *feed)
{
	struct publication *publication = feed->ring[feed->head];

	if (++feed->head == feed->ring_size)
		feed->head = 0;
	feed->count--;
	feed->bytes -= publication->bytes;
	service_count_topic(feed->service, -1, 0);
	return publication;
}

static void
feed_remember_lost(struct feed *feed, const struct publication *publication)
{
	uintptr_t count;

	if (feed->untold == NULL)
		feed->untold = map_create();
	count = (uintptr_t)map_get(feed->untold, publication->topic);
	if (count > 0 || map_size(feed->untold) < FEED_UNTOLD_MAX)
		map_put(feed->untold, publication->topic, (void *)(count + 1));
}

static void
feed_lose(struct feed *feed, const struct publication *publication)
{
	feed->dropped++;
	service_count_topic(feed->service, 0, 1);
	if (feed->is_way)
		feed_remember_lost(feed, publication);
}

/* Sends one home who stood before the feed. */
static void
feed_release(struct standing *standing)
{
	list_remove(&standing->in_feed);
	loop_post(standing->home, &standing->item);
}

/* Lets in who stands before it, as long as the first fits. */
static void
feed_admit(struct feed *feed)
{
	struct list *first;

	while ((first = list_first(&feed->standing)) != NULL) {
		struct standing *standing = container_of(first, struct standing, in_feed);

		if (!feed_has_room(feed, standing->publication))
			return;
		if (!feed_append(feed, standing->publication))
			feed_lose(feed, standing->publication);
		feed_release(standing);
	}
}

/* --- putting -------------------------------------------------------------------------------------- */

static void standing_on_home(struct inbox_item *item);

/* Under the lock. */
static int
feed_stand(struct feed *feed, struct publication *publication, struct publishing *publishing)
{
	struct standing *standing = alloc_try_zeroed(1, sizeof *standing);

	if (standing == NULL)
		return BAY_NO_MEMORY;
	standing->item.run = standing_on_home;
	standing->home = &scheduler_here->loop;
	standing->feed = feed;
	feed_ref(feed);
	standing->publication = publication;
	publication_ref(publication);
	list_push_back(&feed->standing, &standing->in_feed);
	standing->publishing = publishing;
	list_push_back(&publishing->standing, &standing->in_publishing);
	publishing->missing++;
	return BAY_OK;
}

/* What the options say for want of room. Under the lock. */
static int
feed_overflow(struct feed *feed, struct publication *publication, struct publishing *publishing)
{
	bool fits = publication->bytes <= feed->largest;
	int status = BAY_OK;

	if (fits && feed->slow == BAY_SLOW_WAIT)
		return feed_stand(feed, publication, publishing);
	if (!fits || feed->slow != BAY_SLOW_DROP_OLDEST) {
		feed_lose(feed, publication);
		return fits || feed->slow != BAY_SLOW_WAIT ? BAY_OK : BAY_TOO_BIG;
	}
	while (!feed_has_room(feed, publication)) {
		struct publication *oldest = feed_remove(feed);

		feed_lose(feed, oldest);
		publication_unref(oldest);
	}
	if (!feed_append(feed, publication))
		status = BAY_NO_MEMORY;
	return status;
}

/* That it has lost some, and how many by now. */
static void
feed_complain_of_slowness(const struct feed *feed, const struct publication *publication, uint64_t dropped,
	const char *hidden)
{
	if (feed->is_way)
		log_warn("cell", "cell %s is too slow for what is published here (%zu messages, %zu bytes at most wait for "
			"it): %" PRIu64 " lost until now, when one of topic %s came%s", feed->pattern, feed->limit,
			feed->limit_bytes, dropped, publication->topic, hidden);
	else
		log_warn(feed->service != NULL ? feed->service->subject : NULL, "its subscription to %s is too slow (%zu "
			"messages, %zu bytes at most): %" PRIu64 " lost until now, when one of topic %s came%s",
			feed->pattern, feed->limit, feed->limit_bytes, dropped, publication->topic, hidden);
}

/* That it has lost one that it can never take. */
static void
feed_complain_of_size(const struct feed *feed, const struct publication *publication, uint64_t dropped,
	const char *hidden)
{
	if (feed->is_way)
		log_warn("cell", "one of topic %s that is published here is too large for the way to cell %s (%zu bytes, and "
			"%zu at most can go there): %" PRIu64 " lost until now%s", publication->topic, feed->pattern,
			publication->bytes, feed->largest, dropped, hidden);
	else
		log_warn(feed->service != NULL ? feed->service->subject : NULL, "one of topic %s is too large for its "
			"subscription to %s (%zu bytes, and %zu at most can wait): %" PRIu64 " lost until now%s",
			publication->topic, feed->pattern, publication->bytes, feed->largest, dropped, hidden);
}

static void
feed_complain(struct feed *feed, const struct publication *publication, uint64_t dropped)
{
	char room[64];
	const char *hidden;
	uint64_t count;

	if (!log_rate_pass(&feed->complaints, &count))
		return;
	hidden = log_rate_text(count, room, sizeof room);
	if (publication->bytes > feed->largest)
		feed_complain_of_size(feed, publication, dropped, hidden);
	else
		feed_complain_of_slowness(feed, publication, dropped, hidden);
}

/* Whether home is told by a call. What a way does then is more than a publisher wants to wait for. */
static bool
feed_is_at_hand(const struct feed *feed)
{
	return feed->home == &scheduler_here->loop && !feed->is_way;
}

/* Whether home has something to do. Under the lock. */
static bool
feed_has_news(const struct feed *feed)
{
	return feed->count > 0 || feed->untold != NULL;
}

/* There is something: home has to know, unless it will look anyway. Consumes no reference. */
static void
feed_notify(struct feed *feed, bool post)
{
	if (feed_is_at_hand(feed)) {
		if (feed->tell != NULL)
			feed->tell(feed->tell_arg);
	} else if (post) {
		loop_post(feed->home, &feed->item);
	}
}

int
feed_put(struct feed *feed, struct publication *publication, struct publishing *publishing)
{
	uint64_t before, dropped;
	bool post = false, tell;
	int status = BAY_OK;

	pthread_mutex_lock(&feed->lock);
	if (feed->closed) {
		pthread_mutex_unlock(&feed->lock);
		return BAY_OK;
	}
	before = feed->dropped;
	if (!list_empty(&feed->standing) || !feed_has_room(feed, publication))
		status = feed_overflow(feed, publication, publishing);
	else if (!feed_append(feed, publication))
		status = BAY_NO_MEMORY;
	dropped = feed->dropped;
	tell = feed_has_news(feed);
	if (tell && !feed->posted && !feed_is_at_hand(feed)) {
		post = feed->posted = true;
		feed_ref(feed);
	}
	pthread_mutex_unlock(&feed->lock);
	if (dropped > before)
		feed_complain(feed, publication, dropped);
	if (tell)
		feed_notify(feed, post);
	return status;
}

/* --- at home --------------------------------------------------------------------------------------- */

static void
feed_on_home(struct inbox_item *item)
{
	struct feed *feed = container_of(item, struct feed, item);

	pthread_mutex_lock(&feed->lock);
	feed->posted = false;
	pthread_mutex_unlock(&feed->lock);
	if (feed->tell != NULL)
		feed->tell(feed->tell_arg);
	feed_unref(feed);
}

struct publication *
feed_take(struct feed *feed)
{
	struct publication *publication = NULL;

	pthread_mutex_lock(&feed->lock);
	if (feed->count > 0) {
		publication = feed_remove(feed);
		feed_admit(feed);
	}
	pthread_mutex_unlock(&feed->lock);
	return publication;
}

bool
feed_take_lost(struct feed *feed, char topic_r[BAY_TOPIC_MAX + 1], uint64_t *lost_r)
{
	const struct map_entry *entry = NULL;

	pthread_mutex_lock(&feed->lock);
	if (feed->untold != NULL) {
		entry = map_first(feed->untold);
		*lost_r = (uintptr_t)entry->value;
		snprintf(topic_r, BAY_TOPIC_MAX + 1, "%s", entry->key);
		map_remove(feed->untold, topic_r);
		if (map_size(feed->untold) == 0) {
			map_destroy(feed->untold);
			feed->untold = NULL;
		}
	}
	pthread_mutex_unlock(&feed->lock);
	return entry != NULL;
}

void
feed_close(struct feed *feed)
{
	struct list *first;

	feed->tell = NULL;
	pthread_mutex_lock(&feed->lock);
	feed->closed = true;
	while (feed->count > 0)
		publication_unref(feed_remove(feed));
	while ((first = list_first(&feed->standing)) != NULL)
		feed_release(container_of(first, struct standing, in_feed));
	pthread_mutex_unlock(&feed->lock);
	feed_unref(feed);
}

bool
feed_is_stood_before(struct feed *feed)
{
	bool is;

	pthread_mutex_lock(&feed->lock);
	is = !list_empty(&feed->standing);
	pthread_mutex_unlock(&feed->lock);
	return is;
}

size_t
feed_size(struct feed *feed)
{
	size_t count;

	pthread_mutex_lock(&feed->lock);
	count = feed->count;
	pthread_mutex_unlock(&feed->lock);
	return count;
}

uint64_t
feed_dropped(struct feed *feed)
{
	uint64_t dropped;

	pthread_mutex_lock(&feed->lock);
	dropped = feed->dropped;
	pthread_mutex_unlock(&feed->lock);
	return dropped;
}

void
feed_note_lost(struct feed *feed, const char *topic, uint64_t lost)
{
	char hidden[64];
	uint64_t count, dropped;

	pthread_mutex_lock(&feed->lock);
	feed->dropped += lost;
	dropped = feed->dropped;
	pthread_mutex_unlock(&feed->lock);
	service_count_topic(feed->service, 0, lost);
	if (log_rate_pass(&feed->complaints, &count))
		log_warn(feed->service != NULL ? feed->service->subject : NULL, "its subscription to %s has lost %" PRIu64
			" of topic %s on their way from another cell, whose log says why: %" PRIu64 " lost until now%s",
			feed->pattern, lost, topic, dropped, log_rate_text(count, hidden, sizeof hidden));
}

/* --- publishers that wait ----------------------------------------------------------------------------- */

static void
standing_free(struct standing *standing)
{
	if (standing->publishing != NULL) {
		list_remove(&standing->in_publishing);
		standing->publishing->missing--;
	}
	publication_unref(standing->publication);
	feed_unref(standing->feed);
	free(standing);
}

static void
standing_on_home(struct inbox_item *item)
{
	struct standing *standing = container_of(item, struct standing, item);
	struct publishing *publishing = standing->publishing;

	standing_free(standing);
	if (publishing != NULL && publishing->missing == 0)
		publishing->all_in(publishing);
}

const struct feed *
publishing_feed(const struct publishing *publishing, const struct feed *after)
{
	list_for_each(pos, &publishing->standing) {
		const struct feed *feed = container_of(pos, struct standing, in_publishing)->feed;

		if (after == NULL)
			return feed;
		if (feed == after)
			after = NULL;
	}
	return NULL;
}

/* Takes it out of the line. False: it is on its way home. Late: the feed was too slow for it. */
static bool
standing_withdraw(struct standing *standing, bool late)
{
	struct feed *feed = standing->feed;
	uint64_t dropped = 0;

	pthread_mutex_lock(&feed->lock);
	if (!list_empty(&standing->in_feed)) {
		list_remove(&standing->in_feed);
		feed_lose(feed, standing->publication);
		dropped = feed->dropped;
		/* It may have been too large for room that is enough for the next. */
		feed_admit(feed);
	}
	pthread_mutex_unlock(&feed->lock);
	if (dropped > 0 && late)
		feed_complain(feed, standing->publication, dropped);
	return dropped > 0;
}

bool
publishing_give_up(struct publishing *publishing, bool late)
{
	bool in_vain = false;
	struct list *first;

	while ((first = list_first(&publishing->standing)) != NULL) {
		struct standing *standing = container_of(first, struct standing, in_publishing);

		if (standing_withdraw(standing, late)) {
			in_vain = true;
			standing_free(standing);
			continue;
		}
		list_remove(&standing->in_publishing);
		standing->publishing = NULL;
	}
	return in_vain;
}
