/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/channel_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Entries of the first piece of memory. */
#define STORE_FIRST 16

void
channel_store_init(struct channel_store *store, enum bay_channel_order order)
{
	memset(store, 0, sizeof *store);
	store->order = order;
}

void
channel_store_finish(struct channel_store *store)
{
	free(store->entries);
	store->entries = NULL;
	store->allocated = 0;
	store->size = 0;
}

static size_t
store_index(const struct channel_store *store, size_t place)
{
	return (store->head + place) & (store->allocated - 1);
}

/* Twice the room, with the oldest at the begin. */
static bool
store_grow(struct channel_store *store)
{
	size_t allocated = store->allocated != 0 ? 2 * store->allocated : STORE_FIRST;
	struct channel_entry *entries;
	size_t i;

	if (allocated > SIZE_MAX / sizeof entries[0])
		return false;
	entries = alloc_try(allocated * sizeof entries[0]);
	if (entries == NULL)
		return false;
	for (i = 0; i < store->size; i++)
		entries[i] = store->entries[store_index(store, i)];
	free(store->entries);
	store->entries = entries;
	store->allocated = allocated;
	store->head = 0;
	return true;
}

/* --- the heap: entry i is not after its children 2i + 1 and 2i + 2 ------------------------- */

static bool
entry_is_before(const struct channel_entry *a, const struct channel_entry *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->turn < b->turn;
}

/* Finds the place of a new entry, from the bottom up. */
static void
heap_add(struct channel_store *store, const struct channel_entry *entry)
{
	size_t place = store->size;

	while (place > 0) {
		size_t parent = (place - 1) / 2;

		if (!entry_is_before(entry, &store->entries[parent]))
			break;
		store->entries[place] = store->entries[parent];
		place = parent;
	}
	store->entries[place] = *entry;
}

/* Closes the gap at the top: the last of the size + 1 entries finds a place from there down. */
static void
heap_close_gap(struct channel_store *store)
{
	const struct channel_entry *last = &store->entries[store->size];
	size_t place = 0, child;

	while ((child = 2 * place + 1) < store->size) {
		if (child + 1 < store->size &&
			entry_is_before(&store->entries[child + 1], &store->entries[child]))
			child++;
		if (!entry_is_before(&store->entries[child], last))
			break;
		store->entries[place] = store->entries[child];
		place = child;
	}
	store->entries[place] = *last;
}

bool
channel_store_add(struct channel_store *store, void *item, int64_t priority, size_t bytes)
{
	struct channel_entry entry = {item, bytes, priority, store->turns};

	if (store->size == store->allocated && !store_grow(store))
		return false;
	store->turns++;
	if (store->order == BAY_PRIORITY)
		heap_add(store, &entry);
	else
		store->entries[store_index(store, store->size)] = entry;
	store->size++;
	return true;
}

struct channel_entry
channel_store_take(struct channel_store *store)
{
	struct channel_entry entry;

	store->size--;
	if (store->order == BAY_LIFO)
		return store->entries[store_index(store, store->size)];
	entry = store->entries[store->head];
	if (store->order == BAY_PRIORITY)
		heap_close_gap(store);
	else
		store->head = store_index(store, 1);
	return entry;
}
