/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is inside a channel that is more than a plain ring of pointers: items with their size
 * in bytes, first in first out, last in first out (one ring for both) or by priority (a
 * binary heap, where of equal ones the older comes first). It grows as needed: who bounds
 * it is the channel.
 *
 * Has one owner. Owning loop only; nothing suspends.
 */
#ifndef BAY_RUNTIME_CHANNEL_STORE_H
#define BAY_RUNTIME_CHANNEL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/channel.h>

struct channel_entry {
	void *item;
	size_t bytes;
	int64_t priority;  /* lower ones first */
	uint64_t turn;     /* which it was to come */
};

struct channel_store {
	enum bay_channel_order order;
	struct channel_entry *entries;
	size_t allocated;  /* 0 or a power of two */
	size_t head;       /* of a ring: index of the oldest */
	size_t size;
	uint64_t turns;    /* that came so far */
};

void channel_store_init(struct channel_store *store, enum bay_channel_order order);

/* Frees the memory; what was inside is forgotten. */
void channel_store_finish(struct channel_store *store);

/* False: no memory, nothing has changed. */
bool channel_store_add(struct channel_store *store, void *item, int64_t priority, size_t bytes)
	__attribute__((warn_unused_result));

/* Takes the next one out. There must be one. */
struct channel_entry channel_store_take(struct channel_store *store);

#endif
