/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "base/topic_pattern.h"
#include "runtime/source.h"
#include "runtime/task.h"
#include "service/feed.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/service.h"
#include "service/topic_set.h"

struct bay_subscription {
	struct source source;
	struct feed *feed;
	struct bay_instance *instance;  /* or NULL: the container's own */
	struct list in_instance;
	struct publication *latest;     /* that was taken: its topic is on loan */
};

/* --- the registry -------------------------------------------------------------------------- */

/* Feeds of one pattern without wildcards. */
struct topic_exact {
	struct list feeds;              /* feed_link() */
};

static struct {
	pthread_rwlock_t lock;
	struct map *exact;              /* struct topic_exact by topic; NULL: empty */
	struct list wild;               /* feed_link() of patterns with wildcards */
	struct list sets;               /* struct topic_set.link: of other cells */
} topics = {.lock = PTHREAD_RWLOCK_INITIALIZER, .wild = LIST_INIT(topics.wild), .sets = LIST_INIT(topics.sets)};

static enum topic_class
topic_class(const struct feed *feed)
{
	return feed_waits(feed) ? TOPIC_WAIT : TOPIC_DROP;
}

static struct list *
topics_exact(const char *topic)
{
	struct topic_exact *exact;

	if (topics.exact == NULL)
		topics.exact = map_create();
	exact = map_get(topics.exact, topic);
	if (exact == NULL) {
		exact = xcalloc(1, sizeof *exact);
		list_init(&exact->feeds);
		map_put(topics.exact, topic, exact);
	}
	return &exact->feeds;
}

static void
topics_add(struct feed *feed)
{
	const char *pattern = feed_pattern(feed);

	pthread_rwlock_wrlock(&topics.lock);
	list_push_back(topic_pattern_is_wild(pattern) ? &topics.wild : topics_exact(pattern), feed_link(feed));
	pthread_rwlock_unlock(&topics.lock);
	topic_interest_add(topic_class(feed), pattern);
}

static void
topics_remove(struct feed *feed)
{
	const char *pattern = feed_pattern(feed);
	struct topic_exact *exact;

	pthread_rwlock_wrlock(&topics.lock);
	list_remove(feed_link(feed));
	exact = map_get(topics.exact, pattern);
	if (exact != NULL && list_empty(&exact->feeds)) {
		map_remove(topics.exact, pattern);
		free(exact);
	}
	if (topics.exact != NULL && map_size(topics.exact) == 0) {
		map_destroy(topics.exact);
		topics.exact = NULL;
	}
	pthread_rwlock_unlock(&topics.lock);
	topic_interest_remove(topic_class(feed), pattern);
}

void
topic_exchange_set(struct topic_set *before, struct topic_set *after)
{
	pthread_rwlock_wrlock(&topics.lock);
	if (before != NULL)
		list_remove(&before->link);
	if (after != NULL)
		list_push_back(&topics.sets, &after->link);
	pthread_rwlock_unlock(&topics.lock);
}

/* --- subscriptions ----------------------------------------------------------------------------- */

static void
subscription_tell(void *arg)
{
	struct bay_subscription *subscription = arg;
	struct waiter *waiter;

	while ((waiter = waitable_first(&subscription->source.waitable)) != NULL) {
		struct publication *publication = feed_take(subscription->feed);

		if (publication == NULL)
			return;
		waiter->item = publication;
		waiter_wake(waiter, BAY_OK);
	}
}

static int
subscription_open(struct source *source, void *given, void **item_r, const char **topic_r)
{
	struct bay_subscription *subscription = container_of(source, struct bay_subscription, source);
	struct publication *publication = given;

	if (source->waitable.closed) {
		publication_unref(publication);
		return BAY_CLOSED;
	}
	publication_unref(subscription->latest);
	subscription->latest = publication;
	*item_r = message_ref(publication->message);
	*topic_r = publication->topic;
	return BAY_OK;
}

static int
subscription_take(struct source *source, void **item_r, const char **topic_r)
{
	struct bay_subscription *subscription = container_of(source, struct bay_subscription, source);
	struct publication *publication = NULL;

	if (list_empty(&source->waitable.waiters))
		publication = feed_take(subscription->feed);
	if (publication == NULL)
		return BAY_BUSY;
	return subscription_open(source, publication, item_r, topic_r);
}

static const char *
subscription_options_fault(const struct bay_subscription_options *options)
{
	if (options->length != sizeof *options)
		return "length is not that of this container's options";
	if ((unsigned)options->slow > BAY_SLOW_WAIT)
		return "there is no such way to be slow";
	return NULL;
}

static struct bay_subscription *
subscription_create(const char *pattern, const struct bay_subscription_options *options,
	struct bay_instance *instance)
{
	struct bay_subscription *subscription = waitable_create(sizeof *subscription, "subscription", pattern);

	if (subscription == NULL)
		return NULL;
	subscription->feed = feed_create(pattern, options, instance != NULL ? instance->service : NULL,
		subscription_tell, subscription);
	if (subscription->feed == NULL) {
		waitable_close(&subscription->source.waitable);
		return NULL;
	}
	subscription->source.take = subscription_take;
	subscription->source.open = subscription_open;
	subscription->instance = instance;
	list_init(&subscription->in_instance);
	if (instance != NULL) {
		list_push_back(&instance->subscriptions, &subscription->in_instance);
		instance->subscription_count++;
	}
	return subscription;
}

static void
subscription_end(struct bay_subscription *subscription)
{
	topics_remove(subscription->feed);
	feed_close(subscription->feed);
	publication_unref(subscription->latest);
	subscription->latest = NULL;
	list_remove(&subscription->in_instance);
	if (subscription->instance != NULL)
		subscription->instance->subscription_count--;
	waitable_close(&subscription->source.waitable);
}

void
topic_end(struct bay_instance *instance)
{
	struct list *first;

	while ((first = list_first(&instance->subscriptions)) != NULL)
		subscription_end(container_of(first, struct bay_subscription, in_instance));
}

int
bay_subscribe(const char *pattern, const struct bay_subscription_options *options,
	struct bay_subscription **subscription_r)
{
	static const struct bay_subscription_options usual = {.length = sizeof usual};
	struct bay_subscription_options chosen = options != NULL ? *options : usual;
	const char *fault = subscription_options_fault(&chosen);
	struct bay_instance *instance = bay_instance_current();

	if (fault == NULL && scheduler_here == NULL)
		fault = "this thread is no loop";
	if (fault == NULL && (pattern == NULL || !topic_pattern_is_valid(pattern)))
		fault = "that is no pattern";
	if (fault != NULL) {
		log_error(task_subject(task_current()), "bay_subscribe: '%s': %s [misuse-argument]", pattern != NULL ? pattern : "(null)", fault);
		return BAY_INVALID;
	}
	if (instance != NULL && instance->subscription_count >= TOPIC_SUBSCRIPTIONS_MAX)
		return BAY_FULL;
	if (chosen.messages == 0)
		chosen.messages = 1024;
	if (chosen.bytes == 0)
		chosen.bytes = 1 << 20;
	*subscription_r = subscription_create(pattern, &chosen, instance);
	if (*subscription_r == NULL)
		return BAY_NO_MEMORY;
	topics_add((*subscription_r)->feed);
	return BAY_OK;
}

void
bay_unsubscribe(struct bay_subscription *subscription)
{
	if (subscription != NULL && waitable_is_here(subscription, "bay_unsubscribe"))
		subscription_end(subscription);
}

static int
subscription_await(struct bay_subscription *subscription, void **item_r, const char **topic_r, int64_t deadline)
{
	struct source *source = &subscription->source;
	struct waiter waiter;
	int status;

	waitable_enter(&source->waitable);
	waitable_stand(&source->waitable, &waiter);
	status = task_await(&waiter, deadline);
	if (status == BAY_OK)
		status = subscription_open(source, waiter.item, item_r, topic_r);
	waitable_leave(&source->waitable);
	return status;
}

int
bay_subscription_next(struct bay_subscription *subscription, struct bay_message **message_r,
	const char **topic_r, int64_t deadline)
{
	const char *topic = NULL;
	void *item = NULL;
	struct task *self;
	int status;

	if (!WAITABLE_BEGIN(subscription, "bay_subscription_next"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	status = subscription_take(&subscription->source, &item, &topic);
	if (status == BAY_BUSY)
		status = subscription_await(subscription, &item, &topic, deadline);
	else
		status = await_refused(self, status);
	if (status != BAY_OK)
		return status;
	*message_r = item;
	if (topic_r != NULL)
		*topic_r = topic;
	return BAY_OK;
}

size_t
bay_subscription_size(const struct bay_subscription *subscription)
{
	return feed_size(subscription->feed);
}

uint64_t
bay_subscription_dropped(const struct bay_subscription *subscription)
{
	return feed_dropped(subscription->feed);
}

/* --- publishing ---------------------------------------------------------------------------------- */

/* What is being published, and how it goes. */
struct topic_round {
	const char *topic;
	const struct bay_message *message;
	struct publication *publication;  /* made when the first wants it */
	struct publishing *publishing;
	int status;
};

/* What did not get here. */
struct topic_loss {
	const char *topic;
	uint64_t count;
};

/* One of a task. */
struct topic_publishing {
	struct publishing publishing;
	struct waiter waiter;
};

/* What its waiter is known by, too. */
static const char topic_awaits_room[] = "for room in a subscription";

static void
topic_put(struct feed *feed, void *arg)
{
	struct topic_round *round = arg;
	int status = BAY_NO_MEMORY;

	if (round->publication == NULL)
		round->publication = publication_create(round->topic, round->message);
	if (round->publication != NULL)
		status = feed_put(feed, round->publication, round->publishing);
	if (status != BAY_OK)
		round->status = status;
}

static void
topic_note_lost(struct feed *feed, void *arg)
{
	const struct topic_loss *loss = arg;

	feed_note_lost(feed, loss->topic, loss->count);
}

/* All subscriptions to a topic, or those of one class. Under the lock. */
static inline __attribute__((always_inline)) void
topic_each_subscribed(const char *topic, int class, void (*fn)(struct feed *feed, void *arg), void *arg)
{
	const struct topic_exact *exact = map_get(topics.exact, topic);

	if (exact != NULL) {
		list_for_each(pos, &exact->feeds) {
			if (class == TOPIC_CLASSES || class == (int)topic_class(feed_of_link(pos)))
				fn(feed_of_link(pos), arg);
		}
	}
	list_for_each(pos, &topics.wild) {
		struct feed *feed = feed_of_link(pos);

		if ((class == TOPIC_CLASSES || class == (int)topic_class(feed)) &&
			topic_pattern_matches(feed_pattern(feed), topic))
			fn(feed, arg);
	}
}

static void
topic_put_all(struct topic_round *round)
{
	pthread_rwlock_rdlock(&topics.lock);
	topic_each_subscribed(round->topic, TOPIC_CLASSES, topic_put, round);
	list_for_each(pos, &topics.sets) {
		const struct topic_set *set = container_of(pos, struct topic_set, link);

		if (topic_set_has(set, round->topic))
			topic_put(set->feed, round);
	}
	pthread_rwlock_unlock(&topics.lock);
	publication_unref(round->publication);
}

int
topic_put_here(enum topic_class class, const char *topic, const struct bay_message *message,
	struct publishing *publishing)
{
	struct topic_round round = {.topic = topic, .message = message, .publishing = publishing, .status = BAY_OK};

	pthread_rwlock_rdlock(&topics.lock);
	topic_each_subscribed(topic, (int)class, topic_put, &round);
	pthread_rwlock_unlock(&topics.lock);
	publication_unref(round.publication);
	return round.status;
}

void
topic_lose_here(enum topic_class class, const char *topic, uint64_t lost)
{
	struct topic_loss loss = {topic, lost};

	pthread_rwlock_rdlock(&topics.lock);
	topic_each_subscribed(topic, (int)class, topic_note_lost, &loss);
	pthread_rwlock_unlock(&topics.lock);
}

static void
topic_on_all_in(struct publishing *publishing)
{
	waiter_wake(&container_of(publishing, struct topic_publishing, publishing)->waiter, BAY_OK);
}

/* Until all feeds that let us wait have room. */
static int
topic_await(struct topic_publishing *its, int status, int64_t deadline)
{
	int waited = task_await(&its->waiter, deadline);

	return waited != BAY_OK && publishing_give_up(&its->publishing, waited == BAY_TIMEOUT) ? waited : status;
}

int
bay_publish(const char *topic, const struct bay_message *message, int64_t deadline)
{
	struct topic_publishing its;
	struct topic_round round = {.topic = topic, .message = message, .publishing = &its.publishing, .status = BAY_OK};
	struct task *self;

	if (!AWAIT_BEGIN("bay_publish"))
		return BAY_INVALID;
	self = task_current();
	if (topic == NULL || !topic_is_valid(topic)) {
		log_error(task_subject(self), "bay_publish: '%s' is no topic [misuse-argument]", topic != NULL ? topic : "(null)");
		return BAY_INVALID;
	}
	if (await_is_over(self))
		return await_over(self);
	waiter_init(&its.waiter, AWAIT_CANCELABLE);
	its.waiter.on = topic_awaits_room;
	publishing_init(&its.publishing, topic_on_all_in);
	topic_put_all(&round);
	if (its.publishing.missing > 0)
		return topic_await(&its, round.status, deadline);
	/* Whoever always finds room would otherwise never let anybody else run. */
	return await_refused(self, round.status);
}

/* --- who waits for whom ---------------------------------------------------------------------- */

const struct feed *
topic_awaited_feed(const struct waiter *waiter, const struct feed *after)
{
	const struct topic_publishing *its;

	if (waiter->on != topic_awaits_room)
		return NULL;
	its = container_of((struct waiter *)waiter, struct topic_publishing, waiter);
	return publishing_feed(&its->publishing, after);
}

const struct feed *
topic_feed_of(const struct bay_instance *instance, const struct feed *after)
{
	list_for_each(pos, &instance->subscriptions) {
		const struct feed *feed = container_of(pos, struct bay_subscription, in_instance)->feed;

		if (after == NULL)
			return feed;
		if (feed == after)
			after = NULL;
	}
	return NULL;
}
