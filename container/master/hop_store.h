/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last hops that were read while somebody traces, and the trees that they make: who was called
 * for whom, known by their spans. A hop is there when it has ended, so the root of a tree is the last
 * of those that it waited for; what went one way may come later, and then is a tree of its own.
 *
 * Each reader has a bit, and is told each hop once. Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_HOP_STORE_H
#define BAY_MASTER_HOP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hop_ring.h"

enum {
	HOP_STORE_MAX = 8192,
	HOP_TREE_MAX = 256, /* hops of a tree that are told */
	HOP_READERS_MAX = 32
};

struct hop_store;

struct hop_entry {
	struct hop hop;
	char service[HOP_NAME_SIZE];
	char cell[HOP_NAME_SIZE];
	uint32_t told;        /* bits of readers */
	uint32_t _next_span;  /* in the chains of the index: place + 1, 0: none */
	uint32_t _next_parent;
};

struct hop_node {
	const struct hop_entry *entry;
	unsigned level;       /* 0: the root */
};

struct hop_store *hop_store_create(void)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void hop_store_destroy(struct hop_store *store);

/* Keeps copies; the oldest goes when there is no room. What a stranger says of times is made such that
 * none is before another one that has to be, nor after now_ns. False: there are more hops with this span,
 * or for this parent, than honest ones have, and it is not kept. */
bool hop_store_add(struct hop_store *store, const struct hop *hop, const char *service, const char *cell,
	int64_t now_ns);

/* Whether it is there: one with its span that came when it did. */
bool hop_store_has(const struct hop_store *store, const struct hop *hop);

/* Those that are there have the numbers from hop_store_oldest() to hop_store_end() - 1. */
uint64_t hop_store_oldest(const struct hop_store *store);
uint64_t hop_store_end(const struct hop_store *store);
const struct hop_entry *hop_store_at(const struct hop_store *store, uint64_t number);

/* Whether a hop begins a tree for the reader of this bit that traces service: it is a request for
 * that, and for none above it; or what it comes from has been told. */
bool hop_store_is_root(const struct hop_store *store, const struct hop_entry *entry, const char *service, unsigned bit);

/* The tree below a hop, each behind what it comes from and in the order of their coming; all of it
 * counts as told. Returns how many nodes; *left_out_r is how many more there were. */
size_t hop_store_tree(struct hop_store *store, const struct hop_entry *root, unsigned bit,
	struct hop_node nodes[HOP_TREE_MAX], size_t *left_out_r);

/* Nothing has been told to the reader of this bit. */
void hop_store_clear(struct hop_store *store, unsigned bit);

#endif
