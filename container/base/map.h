/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map from strings to pointers that remembers the order of insertion. Keys are copied;
 * values are borrowed and never NULL. The hash is seeded once per process from the kernel,
 * so that names chosen by a stranger cannot be made to collide.
 *
 *	struct map_entry *entry;
 *
 *	map_for_each(entry, map)
 *		printf("%s\n", entry->key);
 *
 * Has one owner. One thread at a time.
 */
#ifndef BAY_BASE_MAP_H
#define BAY_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

/* What iteration shows; read only. Valid until it is removed. */
struct map_entry {
	const char *key;
	void *value;
	struct map_entry *_next;
	struct map_entry *_prev;
	struct map_entry *_chain;
	uint64_t _hash;
};

struct map *map_create(void)
	__attribute__((warn_unused_result));

/* Frees the map and its keys, not the values. NULL is fine. */
void map_destroy(struct map *map);

/* Returns the value of key, or NULL. A map that is NULL is empty. */
void *map_get(const struct map *map, const char *key);

/*
 * Sets the value of key and returns the one it had, or NULL when the key is new. A key that
 * is there keeps its place in the order.
 */
void *map_put(struct map *map, const char *key, void *value);

/* Removes key and returns the value it had, or NULL. */
void *map_remove(struct map *map, const char *key);

size_t map_size(const struct map *map);

/* The oldest entry, or NULL. */
struct map_entry *map_first(const struct map *map);

/* The entry inserted after this one, or NULL. */
static inline struct map_entry *
map_next(const struct map_entry *entry)
{
	return entry->_next;
}

/* The body may change values by map_put, but may neither add nor remove keys. */
#define map_for_each(entry, map) \
	for ((entry) = map_first(map); (entry) != NULL; (entry) = map_next(entry))

#endif
