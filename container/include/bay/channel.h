/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded first-in-first-out channel of pointers between tasks of one loop.
 * Waiting tasks are served in the order of their coming. An item is handed over
 * exactly once: a getter that was woken with an item has it, even when it was
 * cancelled at the same moment.
 *
 * All functions: on the loop that created the channel; those with a deadline
 * inside a task.
 */
#ifndef BAY_CHANNEL_H
#define BAY_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_channel;

/* A channel that holds capacity items; 0: a put waits until a get takes the item
 * (rendezvous). NULL when there is no memory. Owned by the caller. Since 1.0. */
BAY_API struct bay_channel *bay_channel_create(size_t capacity) BAY_MUST_CHECK;

/* Frees the channel; NULL is allowed. Tasks still waiting in it end with
 * BAY_CLOSED. Items still in it are the caller's to take out first. Never
 * suspends. Since 1.0. */
BAY_API void bay_channel_destroy(struct bay_channel *channel);

/* Puts an item in, waiting while the channel is full. BAY_OK, BAY_CLOSED,
 * BAY_TIMEOUT or BAY_CANCELED: then the item is still the caller's. May suspend.
 * Since 1.0. */
BAY_API int bay_channel_put(struct bay_channel *channel, void *item, int64_t deadline);

/* Takes the oldest item, waiting while there is none. BAY_OK; BAY_CLOSED when the
 * channel is closed and empty; BAY_TIMEOUT; BAY_CANCELED. May suspend. Since
 * 1.0. */
BAY_API int bay_channel_get(struct bay_channel *channel, void **item_r, int64_t deadline);

/* The same at once or BAY_FULL / BAY_BUSY (nothing there). Never suspend.
 * Since 1.0. */
BAY_API int bay_channel_try_put(struct bay_channel *channel, void *item);
BAY_API int bay_channel_try_get(struct bay_channel *channel, void **item_r);

/* No more puts; getters take what is left, then see BAY_CLOSED; waiting putters
 * see BAY_CLOSED and keep their items. Never suspends. Since 1.0. */
BAY_API void bay_channel_close(struct bay_channel *channel);

/* Items waiting inside. Never suspends. Since 1.0. */
BAY_API size_t bay_channel_size(const struct bay_channel *channel);

BAY_END_DECLS

#endif
