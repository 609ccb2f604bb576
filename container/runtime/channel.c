/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel of <bay/channel.h>. A plain one is a ring, since everybody who touches it is
 * on one loop; one with another order or a bound in bytes keeps its items in a store. An item
 * goes from a putter straight to a waiting getter.
 *
 *	putters wait           ring (capacity)          getters wait
 *	[p3][p2][p1]  ---->  |tail ... head|  ---->     only while it is empty
 *	only while the
 *	first does not fit
 */
#include "config.h"

#include "runtime/channel.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/await.h"
#include "runtime/channel_store.h"
#include "runtime/task.h"

struct bay_channel {
	struct list getters;   /* struct waiter.link, oldest first */
	struct list putters;   /* struct channel_putter.waiter.link, the same */
	size_t capacity;
	size_t head;           /* of the ring: index of the oldest item */
	size_t size;
	bool closed;
	bool stored;           /* the items are in the store, not in the ring */
	uint32_t magic;        /* CHANNEL_MAGIC, until it is destroyed */
	const struct scheduler *home; /* whose tasks may use it; NULL: made before there were loops */
	size_t unfinished;     /* put and not done */
	struct list joiners;   /* struct waiter.link */
	char *name;            /* malloc'd or NULL */
	bay_channel_discard_fn *discard;
	size_t capacity_bytes; /* 0: not bounded */
	size_t bytes;          /* of what is inside, if that is bounded */
	struct channel_store store;
	void *items[];
};

#define CHANNEL_MAGIC UINT32_C(0x6368616e)

static __attribute__((cold, noinline)) bool
channel_refuse(const struct bay_channel *channel, const char *function)
{
	const char *why = "what it was given has been destroyed already [misuse-freed]";

	if (channel == NULL)
		why = "NULL was given: was there no memory when it was created? [misuse-null]";
	else if (channel->magic == CHANNEL_MAGIC && scheduler_here == NULL)
		why = "a channel is for tasks of its loop, not for a thread that is none [misuse-thread]";
	else if (channel->magic == CHANNEL_MAGIC)
		why = "the channel belongs to another loop, and its tasks alone may use it [misuse-owner]";
	log_error(task_subject(task_current()), "%s: %s", function, why);
	return false;
}

/* Whether the calling code may use it. The log says so when not. */
static inline bool
channel_is_here(const struct bay_channel *channel, const char *function)
{
	if (__builtin_expect(channel != NULL && channel->magic == CHANNEL_MAGIC &&
		(channel->home == scheduler_here || channel->home == NULL), 1))
		return true;
	return channel_refuse(channel, function);
}

/* --- life ------------------------------------------------------------------------------ */

static struct bay_channel *
channel_allocate(size_t capacity, size_t ring)
{
	struct bay_channel *channel;

	if (ring > (SIZE_MAX - sizeof *channel) / sizeof channel->items[0])
		return NULL;
	channel = alloc_try(sizeof *channel + ring * sizeof channel->items[0]);
	if (channel == NULL)
		return NULL;
	memset(channel, 0, sizeof *channel);
	list_init(&channel->getters);
	list_init(&channel->putters);
	list_init(&channel->joiners);
	channel->magic = CHANNEL_MAGIC;
	channel->home = scheduler_here;
	channel->capacity = capacity;
	return channel;
}

struct bay_channel *
bay_channel_create(size_t capacity)
{
	return channel_allocate(capacity, capacity);
}

/* What is wrong with the options, or NULL. */
static const char *
channel_options_fault(const struct bay_channel_options *options)
{
	if (options->length != sizeof *options)
		return "length is not that of this container's options";
	if ((unsigned)options->order > BAY_PRIORITY)
		return "there is no such order";
	if (options->capacity == SIZE_MAX && options->capacity_bytes == 0)
		return "it would have no bound: set capacity or capacity_bytes";
	return NULL;
}

struct bay_channel *
bay_channel_create_with(const struct bay_channel_options *options)
{
	bool stored = options->order != BAY_FIFO || options->capacity_bytes != 0;
	const char *fault = channel_options_fault(options);
	struct bay_channel *channel;

	if (fault != NULL) {
		log_error(task_subject(task_current()), "bay_channel_create_with: %s [misuse-argument]", fault);
		return NULL;
	}
	channel = channel_allocate(options->capacity, stored ? 0 : options->capacity);
	if (channel == NULL)
		return NULL;
	channel->stored = stored;
	channel_store_init(&channel->store, options->order);
	channel->capacity_bytes = options->capacity_bytes;
	channel->discard = options->discard;
	if (options->name == NULL)
		return channel;
	channel->name = alloc_try_copy(options->name);
	if (channel->name == NULL) {
		bay_channel_destroy(channel);
		return NULL;
	}
	return channel;
}

static struct waiter *
channel_first(const struct list *waiters)
{
	struct list *first = list_first(waiters);

	return first != NULL ? container_of(first, struct waiter, link) : NULL;
}

static void
channel_wake_all(const struct list *waiters, int status)
{
	struct waiter *waiter;

	while ((waiter = channel_first(waiters)) != NULL)
		waiter_wake(waiter, status);
}

void
bay_channel_destroy(struct bay_channel *channel)
{
	if (channel == NULL || !channel_is_here(channel, "bay_channel_destroy"))
		return;
	bay_channel_close(channel);
	channel_wake_all(&channel->joiners, BAY_CLOSED);
	if (channel->discard != NULL)
		(void)bay_channel_close_now(channel);
	channel_store_finish(&channel->store);
	free(channel->name);
	/* A compiler drops what is stored just before it is freed, unless it must not. */
	*(volatile uint32_t *)&channel->magic = 0;
	free(channel);
}

/* --- in and out -------------------------------------------------------------------------- */

/* Into the ring, which has room. */
static inline void
channel_append(struct bay_channel *channel, void *item)
{
	size_t tail = channel->head + channel->size;

	channel->items[tail < channel->capacity ? tail : tail - channel->capacity] = item;
	channel->size++;
	channel->unfinished++;
}

/* What an item counts against the bound. */
static size_t
channel_weight(const struct bay_channel *channel, size_t bytes)
{
	if (channel->capacity_bytes == 0)
		return 0;
	return bytes > 0 ? bytes : 1;
}

/* Into the store, or BAY_FULL, BAY_TOO_BIG, BAY_NO_MEMORY. */
static int
channel_store(struct bay_channel *channel, void *item, int64_t priority, size_t bytes)
{
	bytes = channel_weight(channel, bytes);
	if (channel->size == channel->capacity || bytes > channel->capacity_bytes - channel->bytes)
		return BAY_FULL;
	if (!channel_store_add(&channel->store, item, priority, bytes))
		return BAY_NO_MEMORY;
	channel->bytes += bytes;
	channel->size++;
	channel->unfinished++;
	return BAY_OK;
}

/* Lets in who waits, as long as the first of them fits. */
static void
channel_admit(struct bay_channel *channel)
{
	struct waiter *first;

	while ((first = channel_first(&channel->putters)) != NULL) {
		struct channel_putter *putter = container_of(first, struct channel_putter, waiter);
		int status = channel_store(channel, first->item, putter->priority, putter->bytes);

		if (status == BAY_FULL)
			return;
		waiter_wake(first, status);
	}
}

/* The slow part of channel_put_now(). */
static __attribute__((noinline)) int
channel_put_stored(struct bay_channel *channel, void *item, int64_t priority, size_t bytes)
{
	if (channel_weight(channel, bytes) > channel->capacity_bytes)
		return BAY_TOO_BIG;
	/* Who waits comes first, even when this one would fit and the first of them does not. */
	if (!list_empty(&channel->putters))
		return BAY_FULL;
	return channel_store(channel, item, priority, bytes);
}

static inline int
channel_put_now(struct bay_channel *channel, void *item, int64_t priority, size_t bytes)
{
	struct waiter *getter = channel_first(&channel->getters);

	if (channel->closed)
		return BAY_CLOSED;
	if (getter != NULL) {
		if (__builtin_expect(channel_weight(channel, bytes) > channel->capacity_bytes, 0))
			return BAY_TOO_BIG;
		channel->unfinished++;
		getter->item = item;
		waiter_wake(getter, BAY_OK);
		return BAY_OK;
	}
	if (__builtin_expect(channel->stored, 0))
		return channel_put_stored(channel, item, priority, bytes);
	if (channel->size == channel->capacity)
		return BAY_FULL;
	channel_append(channel, item);
	return BAY_OK;
}

/* The slow part of channel_take(). */
static __attribute__((noinline)) void *
channel_take_stored(struct bay_channel *channel)
{
	struct channel_entry entry = channel_store_take(&channel->store);

	channel->bytes -= entry.bytes;
	channel->size--;
	channel_admit(channel);
	return entry.item;
}

/* Takes the next item of those inside, and lets in who waits for its place. */
static inline void *
channel_take(struct bay_channel *channel)
{
	struct waiter *putter = channel_first(&channel->putters);
	void *item;

	if (__builtin_expect(channel->stored, 0))
		return channel_take_stored(channel);
	item = channel->items[channel->head];
	if (++channel->head == channel->capacity)
		channel->head = 0;
	channel->size--;
	if (putter != NULL) {
		channel_append(channel, putter->item);
		waiter_wake(putter, BAY_OK);
	}
	return item;
}

static inline int
channel_get_now(struct bay_channel *channel, void **item_r)
{
	struct waiter *putter;

	if (channel->size > 0) {
		*item_r = channel_take(channel);
		return BAY_OK;
	}
	putter = channel_first(&channel->putters);
	if (putter != NULL) {
		*item_r = putter->item;
		channel->unfinished++;
		waiter_wake(putter, BAY_OK);
		return BAY_OK;
	}
	return channel->closed ? BAY_CLOSED : BAY_BUSY;
}

/* --- standing in line --------------------------------------------------------------------- */

void
channel_putter_left(struct channel_putter *putter)
{
	if (putter->channel->stored && !putter->channel->closed)
		channel_admit(putter->channel);
}

static void
channel_on_putter_left(struct waiter *waiter)
{
	channel_putter_left(container_of(waiter, struct channel_putter, waiter));
}

void
channel_await_put(struct channel_putter *putter, struct bay_channel *channel, void *item,
	int64_t priority, size_t bytes)
{
	putter->waiter.item = item;
	putter->waiter.on = channel->name;
	putter->channel = channel;
	putter->priority = priority;
	putter->bytes = bytes;
	list_push_back(&channel->putters, &putter->waiter.link);
}

void
channel_await_get(struct waiter *getter, struct bay_channel *channel)
{
	getter->on = channel->name;
	list_push_back(&channel->getters, &getter->link);
}

int
channel_put(struct bay_channel *channel, void *item, int64_t priority, size_t bytes)
{
	return channel_put_now(channel, item, priority, bytes);
}

int
channel_get(struct bay_channel *channel, void **item_r)
{
	return channel_get_now(channel, item_r);
}

/* --- <bay/channel.h> ---------------------------------------------------------------------- */

int
bay_channel_try_put(struct bay_channel *channel, void *item)
{
	if (!channel_is_here(channel, "bay_channel_try_put"))
		return BAY_INVALID;
	return channel_put_now(channel, item, 0, 0);
}

int
bay_channel_try_put_with(struct bay_channel *channel, void *item, int64_t priority, size_t bytes)
{
	if (!channel_is_here(channel, "bay_channel_try_put_with"))
		return BAY_INVALID;
	return channel_put_now(channel, item, priority, bytes);
}

int
bay_channel_try_get(struct bay_channel *channel, void **item_r)
{
	if (!channel_is_here(channel, "bay_channel_try_get"))
		return BAY_INVALID;
	return channel_get_now(channel, item_r);
}

static inline int
channel_put_waiting(struct bay_channel *channel, void *item, int64_t priority, size_t bytes,
	int64_t deadline)
{
	struct task *self = task_current();
	struct channel_putter putter;
	int status;

	if (await_is_over(self))
		return await_over(self);
	status = channel_put_now(channel, item, priority, bytes);
	if (status != BAY_FULL)
		return await_passed(self, status);
	waiter_init(&putter.waiter, AWAIT_CANCELABLE);
	putter.waiter.left = channel_on_putter_left;
	channel_await_put(&putter, channel, item, priority, bytes);
	return task_await(&putter.waiter, deadline);
}

int
bay_channel_put(struct bay_channel *channel, void *item, int64_t deadline)
{
	if (!AWAIT_BEGIN("bay_channel_put") || !channel_is_here(channel, "bay_channel_put"))
		return BAY_INVALID;
	return channel_put_waiting(channel, item, 0, 0, deadline);
}

int
bay_channel_put_with(struct bay_channel *channel, void *item, int64_t priority, size_t bytes,
	int64_t deadline)
{
	if (!AWAIT_BEGIN("bay_channel_put_with") || !channel_is_here(channel, "bay_channel_put_with"))
		return BAY_INVALID;
	return channel_put_waiting(channel, item, priority, bytes, deadline);
}

int
bay_channel_get(struct bay_channel *channel, void **item_r, int64_t deadline)
{
	struct waiter waiter;
	struct task *self;
	int status;

	if (!AWAIT_BEGIN("bay_channel_get") || !channel_is_here(channel, "bay_channel_get"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	status = channel_get_now(channel, item_r);
	if (status != BAY_BUSY)
		return await_passed(self, status);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	channel_await_get(&waiter, channel);
	status = task_await(&waiter, deadline);
	if (status == BAY_OK)
		*item_r = waiter.item;
	return status;
}

void
bay_channel_close(struct bay_channel *channel)
{
	if (!channel_is_here(channel, "bay_channel_close"))
		return;
	channel->closed = true;
	channel_wake_all(&channel->putters, BAY_CLOSED);
	channel_wake_all(&channel->getters, BAY_CLOSED);
}

/* One or more of what was put needs nobody any more. */
static void
channel_finish(struct bay_channel *channel, size_t count)
{
	channel->unfinished -= count;
	if (channel->unfinished == 0)
		channel_wake_all(&channel->joiners, BAY_OK);
}

size_t
bay_channel_close_now(struct bay_channel *channel)
{
	size_t count = 0;

	if (!channel_is_here(channel, "bay_channel_close_now"))
		return 0;
	bay_channel_close(channel);
	while (channel->size > 0) {
		void *item = channel_take(channel);

		count++;
		if (channel->discard != NULL)
			channel->discard(item);
	}
	channel_finish(channel, count);
	return count;
}

/* --- done and join ------------------------------------------------------------------------ */

int
bay_channel_done(struct bay_channel *channel)
{
	if (!channel_is_here(channel, "bay_channel_done"))
		return BAY_INVALID;
	if (channel->unfinished == channel->size) {
		log_error(task_subject(task_current()), "bay_channel_done: channel %s: all items that were got are done already "
			"[misuse-argument]", bay_channel_name(channel));
		return BAY_INVALID;
	}
	channel_finish(channel, 1);
	return BAY_OK;
}

int
bay_channel_join(struct bay_channel *channel, int64_t deadline)
{
	struct waiter waiter;

	if (!AWAIT_BEGIN("bay_channel_join") || !channel_is_here(channel, "bay_channel_join"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	if (channel->unfinished == 0)
		return await_passed(task_current(), BAY_OK);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = channel->name;
	list_push_back(&channel->joiners, &waiter.link);
	return task_await(&waiter, deadline);
}

/* --- questions ---------------------------------------------------------------------------- */

size_t
bay_channel_size(const struct bay_channel *channel)
{
	return channel->size;
}

size_t
bay_channel_bytes(const struct bay_channel *channel)
{
	return channel->bytes;
}

size_t
bay_channel_unfinished(const struct bay_channel *channel)
{
	return channel->unfinished;
}

bool
bay_channel_empty(const struct bay_channel *channel)
{
	return channel->size == 0 && list_empty(&channel->putters);
}

bool
bay_channel_full(const struct bay_channel *channel)
{
	if (!list_empty(&channel->getters))
		return false;
	return channel->size == channel->capacity || !list_empty(&channel->putters) ||
		(channel->capacity_bytes != 0 && channel->bytes == channel->capacity_bytes);
}

bool
bay_channel_closed(const struct bay_channel *channel)
{
	return channel->closed;
}

const char *
bay_channel_name(const struct bay_channel *channel)
{
	return channel->name != NULL ? channel->name : "";
}
