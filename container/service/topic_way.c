/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_way.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "base/status.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "service/feed.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/peer_link.h"
#include "service/peer_waits.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service_queue.h"
#include "service/topic.h"
#include "service/topic_set.h"
#include "service/topic_wire.h"

/* Under way at once: as much as the link lets be. */
enum {
	WAY_MESSAGES = PEER_CREDIT_MESSAGES,
	WAY_BYTES = PEER_CREDIT_BYTES
};

/* Lives as long as the process. */
struct topic_way {
	struct list in_ways;
	char cell[SERVICE_NAME_SIZE];
	enum topic_class class;
	struct bay_service *service;  /* that of the other cell, by a record that has no name here */
	struct scheduler *home;
	struct log_rate *failures;    /* one for all ways to a cell, in its first */
	struct log_rate own_failures;

	/* home only */
	struct feed *feed;            /* NULL: nothing is wanted there */
	struct topic_set *set;
	unsigned sent;                /* and not ended, whatever they were sent for */
	size_t sent_bytes;
	const struct bay_request *telling; /* of those: what says how many of a topic were lost; or NULL */
	uint32_t all_sent;            /* times that one was, as long as the process lives */
	bool asked;                   /* somebody waits until it is idle */
};

/* Another set for a way, on its way to the home of that. */
struct topic_way_word {
	struct inbox_item item;
	struct topic_way *way;
	struct topic_set *set;        /* NULL: nothing */
	bool asks;                    /* no set: whether it is idle */
};

/* One a process; control thread only, but for: */
static struct {
	pthread_mutex_t lock;         /* loops look through the ways while there are more */
	struct list ways;             /* struct topic_way.in_ways */
	struct loop *asker;           /* who is told when all are idle, ... */
	struct inbox_item *idle;
	atomic_uint busy;             /* ... and how many are not: any thread */
	atomic_bool stopped;          /* this cell ends: any thread */
} ways = {.lock = PTHREAD_MUTEX_INITIALIZER, .ways = LIST_INIT(ways.ways)};

/* --- what goes out ------------------------------------------------------------------------- */

/* Whether nobody has lost what he was to have: none subscribes to it there any more, or one of the two
 * cells ends in order. */
static bool
topic_way_ends_in_order(const struct topic_way *way, const struct bay_request *request)
{
	return atomic_load(&ways.stopped) || request == way->telling ||
		(way->feed == NULL && request->status == BAY_CLOSED) || peer_has_left(way->cell);
}

/* Why one has not got there: without the name of the service, which nobody knows. */
static const char *
topic_way_reason(const struct bay_request *request)
{
	const char *name = request->service->name, *error = request->error;
	size_t length = strlen(name);

	if (error == NULL || strncmp(error, "service ", 8) != 0 || strncmp(error + 8, name, length) != 0 ||
		strncmp(error + 8 + length, ": ", 2) != 0)
		return error;
	return error + 8 + length + 2;
}

/* One has not got there: the cell has crashed, mostly. */
static void
topic_way_complain(struct topic_way *way, const struct bay_request *request)
{
	const char *reason = topic_way_reason(request);
	char hidden[64], room[STATUS_ROOM];
	uint64_t count;

	if (topic_way_ends_in_order(way, request))
		log_debug("cell", "one that was published here goes to cell %s no more: %s", way->cell,
			reason != NULL ? reason : status_text(request->status, room));
	else if (log_rate_pass(way->failures, &count))
		log_warn("cell", "what was published here did not get to cell %s: %s%s%s%s", way->cell,
			status_text(request->status, room), reason != NULL ? ": " : "", reason != NULL ? reason : "",
			log_rate_text(count, hidden, sizeof hidden));
}

static void
topic_way_ended(struct topic_way *way, struct bay_request *request)
{
	way->sent--;
	way->sent_bytes -= bay_message_size(request->message);
	if (request->status != BAY_OK)
		topic_way_complain(way, request);
	if (way->telling == request)
		way->telling = NULL;
}

static void topic_way_go(struct topic_way *way);

static void
topic_way_on_arrived(struct bay_request *request)
{
	struct topic_way *way = request->arrived_arg;

	topic_way_ended(way, request);
	request->handle.detached = true;
	request_arrive(request);
	topic_way_go(way);
}

/* Takes wire; NULL: there was no memory for it. Tells: of what was lost. */
static void
topic_way_send(struct topic_way *way, struct bay_message *wire, bool tells)
{
	struct bay_request *request = wire != NULL ? request_create(way->service, wire, &way->home->loop) : NULL;
	int status;

	if (request == NULL) {
		message_unref(wire);
		return;
	}
	request->borrowed = false;
	request->arrived = topic_way_on_arrived;
	request->arrived_arg = way;
	if (tells)
		way->telling = request;
	way->sent++;
	way->all_sent++;
	way->sent_bytes += bay_message_size(wire);
	status = service_queue_put(way->service, request);
	if (status == BAY_OK)
		return;
	request->status = status;
	topic_way_ended(way, request);
	request_free(request);
}

/* Of what was lost, one topic at a time: each takes the room of a message, and under a load of many topics
 * nothing else would get over. Those of the others are counted on meanwhile. */
static bool
topic_way_tell_lost(struct topic_way *way)
{
	char topic[BAY_TOPIC_MAX + 1];
	uint64_t lost;

	if (way->telling != NULL || !feed_take_lost(way->feed, topic, &lost))
		return false;
	topic_way_send(way, topic_wire_lost(topic, lost), true);
	return true;
}

static bool
topic_way_send_next(struct topic_way *way)
{
	struct publication *publication = feed_take(way->feed);

	if (publication == NULL)
		return false;
	topic_way_send(way, publication_wire(publication), false);
	publication_unref(publication);
	return true;
}

/* One less is busy. */
static void
topic_ways_count_idle(void)
{
	if (atomic_fetch_sub(&ways.busy, 1) == 1)
		loop_post(ways.asker, ways.idle);
}

static void
topic_way_look_idle(struct topic_way *way)
{
	if (!way->asked || way->sent > 0 || (way->feed != NULL && feed_size(way->feed) > 0))
		return;
	way->asked = false;
	topic_ways_count_idle();
}

static bool
topic_way_is_full(const struct topic_way *way)
{
	return way->sent >= WAY_MESSAGES || way->sent_bytes >= WAY_BYTES;
}

static void
topic_way_go(struct topic_way *way)
{
	while (way->feed != NULL && !topic_way_is_full(way) && (topic_way_tell_lost(way) || topic_way_send_next(way)))
		continue;
	topic_way_look_idle(way);
}

static void
topic_way_on_feed(void *arg)
{
	topic_way_go(arg);
}

/* --- what is wanted ------------------------------------------------------------------------ */

static void
topic_way_open(struct topic_way *way)
{
	way->feed = feed_create_for_cell(way->cell, way->class == TOPIC_WAIT ? BAY_SLOW_WAIT : BAY_SLOW_DROP_OLDEST,
		&way->home->loop, topic_way_on_feed, way);
	if (way->feed == NULL) {
		log_error("cell", "no memory for what is published here for cell %s", way->cell);
		return;
	}
	peer_route_set(way->service, way->cell, false, 0);
	service_set_state(way->service, SERVICE_ELSEWHERE, NULL);
}

/* What was sent comes home as it does. */
static void
topic_way_close(struct topic_way *way)
{
	struct feed *feed = way->feed;

	way->feed = NULL;
	if (feed != NULL)
		feed_close(feed);
}

static void
topic_way_on_set(struct inbox_item *item)
{
	struct topic_way_word *word = container_of(item, struct topic_way_word, item);
	struct topic_way *way = word->way;
	struct topic_set *before = way->set;

	if (word->asks) {
		way->asked = true;
		topic_way_look_idle(way);
		free(word);
		return;
	}
	if (word->set != NULL && way->feed == NULL)
		topic_way_open(way);
	if (way->feed == NULL) {
		topic_set_destroy(word->set);
		word->set = NULL;
	}
	way->set = word->set;
	if (way->set != NULL)
		way->set->feed = way->feed;
	topic_exchange_set(before, way->set);
	topic_set_destroy(before);
	if (way->set == NULL && way->feed != NULL) {
		topic_way_close(way);
		peer_route_clear(way->service, "nobody there subscribes to it any more");
		topic_way_look_idle(way);
	}
	free(word);
}

static struct topic_way *
topic_way_find(const char *cell, enum topic_class class)
{
	list_for_each(pos, &ways.ways) {
		struct topic_way *way = container_of(pos, struct topic_way, in_ways);

		if (way->class == class && strcmp(way->cell, cell) == 0)
			return way;
	}
	return NULL;
}

static struct topic_way *
topic_way_create(const char *cell, enum topic_class class)
{
	struct bay_service *service = registry_add_way(topic_wire_services[class]);
	struct topic_way *way, *other = topic_way_find(cell, class == TOPIC_WAIT ? TOPIC_DROP : TOPIC_WAIT);

	if (service == NULL) {
		log_error("cell", "cell %s gets nothing of what is published here: there are too many names of services", cell);
		return NULL;
	}
	way = xcalloc(1, sizeof *way);
	snprintf(way->cell, sizeof way->cell, "%s", cell);
	way->class = class;
	way->service = service;
	way->home = peer_home(cell);
	/* Both have the same home. */
	way->own_failures = (struct log_rate){.burst = 1, .period_ns = 10 * INT64_C(1000000000)};
	way->failures = other != NULL ? other->failures : &way->own_failures;
	pthread_mutex_lock(&ways.lock);
	list_push_back(&ways.ways, &way->in_ways);
	pthread_mutex_unlock(&ways.lock);
	return way;
}

static void
topic_way_tell(struct topic_way *way, struct topic_set *set, bool asks)
{
	struct topic_way_word *word = xcalloc(1, sizeof *word);

	word->item.run = topic_way_on_set;
	word->way = way;
	word->set = set;
	word->asks = asks;
	loop_post(&way->home->loop, &word->item);
}

void
topic_way_set(const char *cell, enum topic_class class, const char *const *patterns, size_t count)
{
	struct topic_way *way = topic_way_find(cell, class);

	if (way == NULL && count > 0)
		way = topic_way_create(cell, class);
	if (way != NULL)
		topic_way_tell(way, count > 0 ? topic_set_create(patterns, count) : NULL, false);
}

/* --- who waits for whom ------------------------------------------------------------------------ */

struct topic_way_gathering {
	struct topic_way_wait wait;
	topic_way_wait_fn *fn;
	void *arg;
};

static bool
topic_way_on_wait(const struct peer_wait *wait, void *arg)
{
	struct topic_way_gathering *gathering = arg;

	gathering->wait.request = wait->request;
	gathering->fn(&gathering->wait, gathering->arg);
	return true;
}

/* One that is not full is about to take from its feed. */
static void
topic_way_gather(const struct topic_way *way, topic_way_wait_fn *fn, void *arg)
{
	struct topic_way_gathering gathering = {.fn = fn, .arg = arg,
		.wait = {.feed = way->feed, .cell = way->cell, .serial = way->all_sent % UINT32_MAX + 1}};

	if (topic_way_is_full(way))
		(void)peer_waits_stuck(way->service, way->sent, topic_way_on_wait, &gathering);
}

bool
topic_ways_waits(const struct scheduler *home, topic_way_wait_fn *fn, void *arg)
{
	bool any = false;

	pthread_mutex_lock(&ways.lock);
	list_for_each(pos, &ways.ways) {
		const struct topic_way *way = container_of(pos, struct topic_way, in_ways);

		if (way->home != home || way->feed == NULL || !feed_is_stood_before(way->feed))
			continue;
		any = true;
		topic_way_gather(way, fn, arg);
	}
	pthread_mutex_unlock(&ways.lock);
	return any;
}

/* --- life ------------------------------------------------------------------------------------ */

void
topic_ways_stop(void)
{
	atomic_store(&ways.stopped, true);
	list_for_each(pos, &ways.ways)
		topic_way_tell(container_of(pos, struct topic_way, in_ways), NULL, false);
}

void
topic_ways_await_idle(struct loop *loop, struct inbox_item *item)
{
	ways.asker = loop;
	ways.idle = item;
	/* And this function, so that all have been asked before. */
	atomic_store(&ways.busy, 1);
	list_for_each(pos, &ways.ways) {
		atomic_fetch_add(&ways.busy, 1);
		topic_way_tell(container_of(pos, struct topic_way, in_ways), NULL, true);
	}
	topic_ways_count_idle();
}

void
topic_ways_finish(void)
{
	struct list *first;

	while ((first = list_pop_front(&ways.ways)) != NULL)
		free(container_of(first, struct topic_way, in_ways));
	atomic_store(&ways.stopped, false);
}
