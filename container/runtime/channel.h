/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels from inside, for whoever waits for several things at once: what of them can be
 * done now, and how to stand in line for what cannot. The functions of <bay/channel.h> are
 * made of the same.
 *
 * Owning loop only; nothing suspends.
 */
#ifndef BAY_RUNTIME_CHANNEL_H
#define BAY_RUNTIME_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <bay/channel.h>

#include "runtime/wait.h"

/* Who waits to put waiter.item. */
struct channel_putter {
	struct waiter waiter;
	struct bay_channel *channel;
	int64_t priority;
	size_t bytes;
};

/* Puts at once, or says that it would have to wait (BAY_FULL). */
int channel_put(struct bay_channel *channel, void *item, int64_t priority, size_t bytes);

/* Takes at once, or says that there is nothing (BAY_BUSY). */
int channel_get(struct bay_channel *channel, void **item_r);

/* Stands in line behind the others, after BAY_FULL or BAY_BUSY and waiter_init(). Woken with
 * BAY_OK the item was put, or is the waiter's; woken with BAY_CLOSED it was not. */
void channel_await_put(struct channel_putter *putter, struct bay_channel *channel, void *item,
	int64_t priority, size_t bytes);
void channel_await_get(struct waiter *getter, struct bay_channel *channel);

/* A putter has given up and left the line: those behind it may fit where it did not. */
void channel_putter_left(struct channel_putter *putter);

#endif
