/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded channel of pointers between tasks of one loop: first in first out, or last in
 * first out, or by priority; bounded in items, and in bytes if asked for. Waiting tasks are
 * served in the order of their coming, whatever the order of the items: nobody overtakes, so
 * an item that is too big for the room there is waits, and those behind it with it.
 *
 * An item is handed over exactly once: a getter that was woken with an item has it, even
 * when it was cancelled at the same moment; a put that did not end with BAY_OK has put
 * nothing.
 *
 * All functions: on the loop that created the channel; those with a deadline
 * inside a task.
 */
#ifndef BAY_CHANNEL_H
#define BAY_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_channel;

/* Which of the items inside comes out next. */
enum bay_channel_order {
	BAY_FIFO,     /* the oldest */
	BAY_LIFO,     /* the latest */
	BAY_PRIORITY  /* that of the lowest number; of equal ones the oldest */
};

/* Frees an item that nobody will take. Must not suspend, nor use the channel. */
typedef void bay_channel_discard_fn(void *item);

/* What a channel is made of. Set to zero what you do not need. */
struct bay_channel_options {
	size_t length;          /* sizeof(struct bay_channel_options) */
	size_t capacity;        /* items; 0: rendezvous; SIZE_MAX: bounded by bytes alone */
	size_t capacity_bytes;  /* of the items together, as told when they are put; 0: not
	                         * bounded in bytes. If bounded, an item counts 1 at least */
	const char *name;       /* what `bayctl tasks` shows, copied; or NULL */
	bay_channel_discard_fn *discard; /* for items left at close_now and destroy, or NULL */
	enum bay_channel_order order;
};

/* A channel, first in first out, that holds capacity items; 0: a put waits until a get
 * takes the item (rendezvous). NULL when there is no memory. Owned by the caller.
 * Never suspends. Since 1.0. */
BAY_API struct bay_channel *bay_channel_create(size_t capacity) BAY_MUST_CHECK;

/* The same with all that there is to choose; the options are borrowed for the call. NULL
 * when there is no memory, or (logged) when they make no sense: another length, an unknown
 * order, no bound at all. Never suspends. Since 1.0. */
BAY_API struct bay_channel *bay_channel_create_with(const struct bay_channel_options *options)
	BAY_MUST_CHECK;

/* Frees the channel; NULL is allowed. Tasks still waiting in it end with
 * BAY_CLOSED. Items still in it go to discard; without that they are the caller's to take
 * out first. Never suspends. Since 1.0. */
BAY_API void bay_channel_destroy(struct bay_channel *channel);

/* Puts an item in, waiting while the channel is full. BAY_OK, BAY_CLOSED,
 * BAY_TIMEOUT, BAY_CANCELED or BAY_NO_MEMORY: then the item is still the caller's. May
 * suspend. Since 1.0. */
BAY_API int bay_channel_put(struct bay_channel *channel, void *item, int64_t deadline);

/* The same with the item's priority (lower numbers come out first; only with BAY_PRIORITY)
 * and its size in bytes (only with capacity_bytes). BAY_TOO_BIG when the item alone is more
 * than capacity_bytes. May suspend. Since 1.0. */
BAY_API int bay_channel_put_with(struct bay_channel *channel, void *item, int64_t priority,
	size_t bytes, int64_t deadline);

/* Takes the next item, waiting while there is none. BAY_OK; BAY_CLOSED when the
 * channel is closed and empty; BAY_TIMEOUT; BAY_CANCELED. May suspend. Since
 * 1.0. */
BAY_API int bay_channel_get(struct bay_channel *channel, void **item_r, int64_t deadline);

/* The same at once or BAY_FULL / BAY_BUSY (nothing there). Never suspend.
 * Since 1.0. */
BAY_API int bay_channel_try_put(struct bay_channel *channel, void *item);
BAY_API int bay_channel_try_put_with(struct bay_channel *channel, void *item, int64_t priority,
	size_t bytes);
BAY_API int bay_channel_try_get(struct bay_channel *channel, void **item_r);

/* Says that an item that was got has been dealt with; see bay_channel_join(). BAY_OK, or
 * BAY_INVALID (logged) when that has been said of all of them. Never suspends.
 * Since 1.0. */
BAY_API int bay_channel_done(struct bay_channel *channel);

/* Waits until all that was put has been dealt with: for each item bay_channel_done() was
 * called, or it was discarded. BAY_OK; BAY_CLOSED when the channel is destroyed meanwhile;
 * BAY_TIMEOUT; BAY_CANCELED. Whoever gets items and ends without bay_channel_done() keeps
 * it waiting: let getters and joiner be of one scope, so that a failure ends the wait, or
 * give a deadline. May suspend. Since 1.0. */
BAY_API int bay_channel_join(struct bay_channel *channel, int64_t deadline);

/* No more puts; getters take what is left, then see BAY_CLOSED; waiting putters
 * see BAY_CLOSED and keep their items. Never suspends. Since 1.0. */
BAY_API void bay_channel_close(struct bay_channel *channel);

/* The same, and what is left goes to discard (or nowhere, if there is none) in the order
 * in which it would have come out; it counts as done. Returns how many. Never suspends.
 * Since 1.0. */
BAY_API size_t bay_channel_close_now(struct bay_channel *channel);

/* Items waiting inside, and their bytes (0 without capacity_bytes). Never suspend.
 * Since 1.0. */
BAY_API size_t bay_channel_size(const struct bay_channel *channel);
BAY_API size_t bay_channel_bytes(const struct bay_channel *channel);

/* Items put and not yet done; what bay_channel_join() waits for. Never suspends.
 * Since 1.0. */
BAY_API size_t bay_channel_unfinished(const struct bay_channel *channel);

/* Whether bay_channel_try_get() would find nothing; whether there is no room for even the
 * smallest item (of a rendezvous: nobody waits for one); whether it is closed. Others may
 * change that at the next await. Never suspend. Since 1.0. */
BAY_API bool bay_channel_empty(const struct bay_channel *channel);
BAY_API bool bay_channel_full(const struct bay_channel *channel);
BAY_API bool bay_channel_closed(const struct bay_channel *channel);

/* Its name, or "". Borrowed as long as the channel lives. Never suspends. Since 1.0. */
BAY_API const char *bay_channel_name(const struct bay_channel *channel);

BAY_END_DECLS

#endif
