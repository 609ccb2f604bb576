/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/hop_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define HOP_STORE_BUCKETS HOP_STORE_MAX

/* Spans are what strangers say. Those of honest ones are random: of so many of them, no bucket ever has
 * as many. Whoever calls more than HOP_STORE_CHILDREN_MAX others has more than are told anyway. */
enum {
	HOP_STORE_CHAIN_MAX = 64,
	HOP_STORE_CHILDREN_MAX = 4 * HOP_TREE_MAX
};

/* A chain in the order of coming, so that the oldest of all, which goes, is the first of its own. */
struct hop_chain {
	uint32_t first;       /* place + 1; 0: none */
	uint32_t last;
	uint32_t length;
};

struct hop_store {
	uint64_t added;
	struct hop_chain by_span[HOP_STORE_BUCKETS];
	struct hop_chain by_parent[HOP_STORE_BUCKETS];
	struct hop_entry entries[HOP_STORE_MAX];
	uint32_t queue[HOP_STORE_MAX]; /* places, while a tree is walked */
};

struct hop_store *
hop_store_create(void)
{
	return xcalloc(1, sizeof(struct hop_store));
}

void
hop_store_destroy(struct hop_store *store)
{
	free(store);
}

/* --- the index ------------------------------------------------------------------------- */

static size_t
hop_store_bucket(uint64_t span)
{
	return (span * UINT64_C(0x9E3779B97F4A7C15) >> 32) % HOP_STORE_BUCKETS;
}

/* The oldest of all. */
static void
hop_store_unlink(struct hop_store *store, const struct hop_entry *entry)
{
	struct hop_chain *span = &store->by_span[hop_store_bucket(entry->hop.span)];
	struct hop_chain *parent = &store->by_parent[hop_store_bucket(entry->hop.parent)];

	span->first = entry->_next_span;
	span->length--;
	if (span->first == 0)
		span->last = 0;
	if (entry->hop.parent == 0)
		return;
	parent->first = entry->_next_parent;
	parent->length--;
	if (parent->first == 0)
		parent->last = 0;
}

static void
hop_store_link(struct hop_store *store, uint32_t place)
{
	const struct hop_entry *entry = &store->entries[place];
	struct hop_chain *span = &store->by_span[hop_store_bucket(entry->hop.span)];
	struct hop_chain *parent = &store->by_parent[hop_store_bucket(entry->hop.parent)];

	*(span->last != 0 ? &store->entries[span->last - 1]._next_span : &span->first) = place + 1;
	span->last = place + 1;
	span->length++;
	if (entry->hop.parent == 0)
		return;
	*(parent->last != 0 ? &store->entries[parent->last - 1]._next_parent : &parent->first) = place + 1;
	parent->last = place + 1;
	parent->length++;
}

static bool
hop_store_has_room(const struct hop_store *store, const struct hop *hop)
{
	return store->by_span[hop_store_bucket(hop->span)].length < HOP_STORE_CHAIN_MAX &&
		(hop->parent == 0 || store->by_parent[hop_store_bucket(hop->parent)].length < HOP_STORE_CHILDREN_MAX);
}

static int64_t
hop_clamp(int64_t ns, int64_t least_ns, int64_t most_ns)
{
	return ns < least_ns ? least_ns : ns > most_ns ? most_ns : ns;
}

static void
hop_set_times(struct hop *hop, int64_t now_ns)
{
	hop->ended_ns = hop_clamp(hop->ended_ns, 0, now_ns);
	hop->came_ns = hop_clamp(hop->came_ns, 0, hop->ended_ns);
	if (hop->begun_ns != 0)
		hop->begun_ns = hop_clamp(hop->begun_ns, hop->came_ns, hop->ended_ns);
}

bool
hop_store_add(struct hop_store *store, const struct hop *hop, const char *service, const char *cell,
	int64_t now_ns)
{
	uint32_t place = (uint32_t)(store->added % HOP_STORE_MAX);
	struct hop_entry *entry = &store->entries[place];

	if (!hop_store_has_room(store, hop))
		return false;
	if (store->added >= HOP_STORE_MAX)
		hop_store_unlink(store, entry);
	*entry = (struct hop_entry){.hop = *hop};
	hop_set_times(&entry->hop, now_ns);
	snprintf(entry->service, sizeof(entry->service), "%s", service);
	snprintf(entry->cell, sizeof(entry->cell), "%s", cell);
	hop_store_link(store, place);
	store->added++;
	return true;
}

bool
hop_store_has(const struct hop_store *store, const struct hop *hop)
{
	uint32_t place = store->by_span[hop_store_bucket(hop->span)].first;

	for (; place != 0; place = store->entries[place - 1]._next_span) {
		const struct hop *other = &store->entries[place - 1].hop;

		if (other->span == hop->span && other->came_ns == hop->came_ns)
			return true;
	}
	return false;
}

uint64_t
hop_store_oldest(const struct hop_store *store)
{
	return store->added > HOP_STORE_MAX ? store->added - HOP_STORE_MAX : 0;
}

uint64_t
hop_store_end(const struct hop_store *store)
{
	return store->added;
}

const struct hop_entry *
hop_store_at(const struct hop_store *store, uint64_t number)
{
	return &store->entries[number % HOP_STORE_MAX];
}

/* --- trees ----------------------------------------------------------------------------- */

static bool
hop_store_has_told(const struct hop_store *store, uint64_t span, uint32_t mask)
{
	uint32_t place = store->by_span[hop_store_bucket(span)].first;

	for (; place != 0; place = store->entries[place - 1]._next_span) {
		const struct hop_entry *entry = &store->entries[place - 1];

		if (entry->hop.span == span && (entry->told & mask) != 0)
			return true;
	}
	return false;
}

bool
hop_store_is_root(const struct hop_store *store, const struct hop_entry *entry, const char *service, unsigned bit)
{
	uint32_t mask = UINT32_C(1) << bit;

	if ((entry->told & mask) != 0)
		return false;
	if ((entry->hop.flags & HOP_AGAIN) == 0 && strcmp(entry->service, service) == 0)
		return true;
	return entry->hop.parent != 0 && hop_store_has_told(store, entry->hop.parent, mask);
}

/* The first to come of those that a span has called and that have not been told, or NULL. */
static struct hop_entry *
hop_store_first_child(struct hop_store *store, uint64_t span, uint32_t mask)
{
	uint32_t place = span != 0 ? store->by_parent[hop_store_bucket(span)].first : 0;
	struct hop_entry *first = NULL;

	for (; place != 0; place = store->entries[place - 1]._next_parent) {
		struct hop_entry *entry = &store->entries[place - 1];

		if (entry->hop.parent == span && (entry->told & mask) == 0 &&
			(first == NULL || entry->hop.came_ns < first->hop.came_ns))
			first = entry;
	}
	return first;
}

struct hop_walk {
	struct hop_store *store;
	uint32_t mask;
	struct hop_node *nodes;
	size_t count;
	size_t left_out;
};

/* What is told never comes again, so hops of strangers that come from each other end, too. */
static void
hop_walk_below(struct hop_walk *walk, uint64_t span, unsigned level)
{
	struct hop_entry *child;

	while (walk->count < HOP_TREE_MAX && (child = hop_store_first_child(walk->store, span, walk->mask)) != NULL) {
		child->told |= walk->mask;
		walk->nodes[walk->count++] = (struct hop_node){child, level};
		hop_walk_below(walk, child->hop.span, level + 1);
	}
}

/* Counts what comes from a hop as told; returns how many. They stand behind the last of the queue. */
static size_t
hop_walk_leave_out_children(struct hop_walk *walk, uint64_t span, size_t queued)
{
	struct hop_store *store = walk->store;
	uint32_t place = span != 0 ? store->by_parent[hop_store_bucket(span)].first : 0;
	size_t count = 0;

	for (; place != 0; place = store->entries[place - 1]._next_parent) {
		struct hop_entry *entry = &store->entries[place - 1];

		if (entry->hop.parent != span || (entry->told & walk->mask) != 0)
			continue;
		entry->told |= walk->mask;
		store->queue[queued + count++] = place - 1;
	}
	return count;
}

/* Those for which there is no room: whatever comes from what has been told. */
static void
hop_walk_leave_out(struct hop_walk *walk)
{
	struct hop_store *store = walk->store;

	for (size_t i = 0; i < walk->count; i++)
		walk->left_out += hop_walk_leave_out_children(walk, walk->nodes[i].entry->hop.span, walk->left_out);
	for (size_t i = 0; i < walk->left_out; i++)
		walk->left_out += hop_walk_leave_out_children(walk, store->entries[store->queue[i]].hop.span,
			walk->left_out);
}

size_t
hop_store_tree(struct hop_store *store, const struct hop_entry *root, unsigned bit,
	struct hop_node nodes[HOP_TREE_MAX], size_t *left_out_r)
{
	struct hop_walk walk = {.store = store, .mask = UINT32_C(1) << bit, .nodes = nodes, .count = 1};
	struct hop_entry *entry = &store->entries[root - store->entries];

	entry->told |= walk.mask;
	nodes[0] = (struct hop_node){entry, 0};
	hop_walk_below(&walk, entry->hop.span, 1);
	if (walk.count == HOP_TREE_MAX)
		hop_walk_leave_out(&walk);
	*left_out_r = walk.left_out;
	return walk.count;
}

void
hop_store_clear(struct hop_store *store, unsigned bit)
{
	for (size_t i = 0; i < HOP_STORE_MAX; i++)
		store->entries[i].told &= ~(UINT32_C(1) << bit);
}
