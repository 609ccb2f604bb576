/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channel of <bay/channel.h>: a plain ring, since everybody who touches it is on
 * one loop. An item goes from a putter straight to a waiting getter, so at most one
 * of the two lists of waiters holds anybody.
 *
 *	putters wait           ring (capacity)          getters wait
 *	[p3][p2][p1]  ---->  |tail ... head|  ---->     only while it is empty
 *	only while full
 */
#include "config.h"

#include <bay/channel.h>

#include <stdbool.h>
#include <stdlib.h>

#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/wait.h"

struct bay_channel {
	struct list getters;   /* struct waiter.link, oldest first */
	struct list putters;   /* the same; waiter.item is the item to put */
	size_t capacity;
	size_t head;           /* index of the oldest item */
	size_t size;
	bool closed;
	void *items[];
};

struct bay_channel *
bay_channel_create(size_t capacity)
{
	struct bay_channel *channel;

	if (capacity > (SIZE_MAX - sizeof *channel) / sizeof channel->items[0])
		return NULL;
	channel = malloc(sizeof *channel + capacity * sizeof channel->items[0]);
	if (channel == NULL)
		return NULL;
	list_init(&channel->getters);
	list_init(&channel->putters);
	channel->capacity = capacity;
	channel->head = 0;
	channel->size = 0;
	channel->closed = false;
	return channel;
}

void
bay_channel_destroy(struct bay_channel *channel)
{
	if (channel == NULL)
		return;
	bay_channel_close(channel);
	free(channel);
}

static void
channel_append(struct bay_channel *channel, void *item)
{
	size_t tail = channel->head + channel->size;

	channel->items[tail < channel->capacity ? tail : tail - channel->capacity] = item;
	channel->size++;
}

static struct waiter *
channel_first(const struct list *waiters)
{
	struct list *first = list_first(waiters);

	return first != NULL ? container_of(first, struct waiter, link) : NULL;
}

/* Puts at once, or says that it would have to wait (BAY_FULL). */
static int
channel_put_now(struct bay_channel *channel, void *item)
{
	struct waiter *getter = channel_first(&channel->getters);

	if (channel->closed)
		return BAY_CLOSED;
	if (getter != NULL) {
		getter->item = item;
		waiter_wake(getter, BAY_OK);
		return BAY_OK;
	}
	if (channel->size == channel->capacity)
		return BAY_FULL;
	channel_append(channel, item);
	return BAY_OK;
}

/* Takes at once, or says that there is nothing (BAY_BUSY). */
static int
channel_get_now(struct bay_channel *channel, void **item_r)
{
	struct waiter *putter = channel_first(&channel->putters);

	if (channel->size > 0) {
		*item_r = channel->items[channel->head];
		if (++channel->head == channel->capacity)
			channel->head = 0;
		channel->size--;
		if (putter != NULL) {
			channel_append(channel, putter->item);
			waiter_wake(putter, BAY_OK);
		}
		return BAY_OK;
	}
	if (putter != NULL) {
		*item_r = putter->item;
		waiter_wake(putter, BAY_OK);
		return BAY_OK;
	}
	return channel->closed ? BAY_CLOSED : BAY_BUSY;
}

int
bay_channel_try_put(struct bay_channel *channel, void *item)
{
	return channel_put_now(channel, item);
}

int
bay_channel_try_get(struct bay_channel *channel, void **item_r)
{
	return channel_get_now(channel, item_r);
}

int
bay_channel_put(struct bay_channel *channel, void *item, int64_t deadline)
{
	struct waiter waiter;
	int status;

	if (!AWAIT_BEGIN("bay_channel_put"))
		return BAY_INVALID;
	if (task_current()->canceled != NULL)
		return await_refused(task_current(), BAY_CANCELED);
	status = channel_put_now(channel, item);
	if (status != BAY_FULL)
		return status;
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.item = item;
	list_push_back(&channel->putters, &waiter.link);
	return task_await(&waiter, deadline);
}

int
bay_channel_get(struct bay_channel *channel, void **item_r, int64_t deadline)
{
	struct waiter waiter;
	int status;

	if (!AWAIT_BEGIN("bay_channel_get"))
		return BAY_INVALID;
	if (task_current()->canceled != NULL)
		return await_refused(task_current(), BAY_CANCELED);
	status = channel_get_now(channel, item_r);
	if (status != BAY_BUSY)
		return status;
	waiter_init(&waiter, AWAIT_CANCELABLE);
	list_push_back(&channel->getters, &waiter.link);
	status = task_await(&waiter, deadline);
	if (status == BAY_OK)
		*item_r = waiter.item;
	return status;
}

void
bay_channel_close(struct bay_channel *channel)
{
	struct waiter *waiter;

	channel->closed = true;
	while ((waiter = channel_first(&channel->putters)) != NULL)
		waiter_wake(waiter, BAY_CLOSED);
	while ((waiter = channel_first(&channel->getters)) != NULL)
		waiter_wake(waiter, BAY_CLOSED);
}

size_t
bay_channel_size(const struct bay_channel *channel)
{
	return channel->size;
}
