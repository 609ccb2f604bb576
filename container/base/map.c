/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashing with chains, entries also linked in order of insertion. The hash is SipHash-1-3
 * (Aumasson and Bernstein), made to be keyed against chosen collisions.
 */
#include "config.h"

#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

enum { MAP_FIRST_BUCKETS = 16 };

struct map {
	struct map_entry **buckets;
	size_t bucket_count; /* a power of two, at least size */
	size_t size;
	struct map_entry *first;
	struct map_entry *last;
};

static uint64_t map_seed[2];
static pthread_once_t map_seeded = PTHREAD_ONCE_INIT;

/* --- the hash --------------------------------------------------------------- */

static void
map_make_seed(void)
{
	if (getrandom(map_seed, sizeof(map_seed), GRND_NONBLOCK) != sizeof(map_seed)) {
		map_seed[0] = (uint64_t)time(NULL) << 32 ^ (uint64_t)getpid();
		map_seed[1] = (uintptr_t)&map_seed;
	}
}

struct map_sip {
	uint64_t a, b, c, d;
};

static inline uint64_t
map_rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
map_sip_round(struct map_sip *s)
{
	s->a += s->b;
	s->b = map_rotate(s->b, 13) ^ s->a;
	s->a = map_rotate(s->a, 32);
	s->c += s->d;
	s->d = map_rotate(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = map_rotate(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = map_rotate(s->b, 17) ^ s->c;
	s->c = map_rotate(s->c, 32);
}

static inline void
map_sip_word(struct map_sip *s, uint64_t word)
{
	s->d ^= word;
	map_sip_round(s);
	s->a ^= word;
}

static uint64_t
map_hash(const char *key, size_t length)
{
	struct map_sip s = {
		.a = map_seed[0] ^ UINT64_C(0x736f6d6570736575),
		.b = map_seed[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = map_seed[0] ^ UINT64_C(0x6c7967656e657261),
		.d = map_seed[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word;
	size_t left = length;

	for (; left >= sizeof(word); left -= sizeof(word), key += sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		map_sip_word(&s, word);
	}
	word = 0;
	memcpy(&word, key, left);
	map_sip_word(&s, word ^ (uint64_t)length << 56);
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		map_sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

/* --- the table -------------------------------------------------------------- */

struct map *
map_create(void)
{
	struct map *map = xcalloc(1, sizeof(*map));

	pthread_once(&map_seeded, map_make_seed);
	map->bucket_count = MAP_FIRST_BUCKETS;
	map->buckets = xcalloc(map->bucket_count, sizeof(struct map_entry *));
	return map;
}

void
map_destroy(struct map *map)
{
	struct map_entry *entry;
	struct map_entry *next;

	if (map == NULL)
		return;
	for (entry = map->first; entry != NULL; entry = next) {
		next = entry->_next;
		free(entry);
	}
	free(map->buckets);
	free(map);
}

/* Where the pointer to the entry of this key is, or would be. */
static struct map_entry **
map_find(const struct map *map, const char *key, uint64_t hash)
{
	struct map_entry **at = &map->buckets[hash & (map->bucket_count - 1)];

	while (*at != NULL && ((*at)->_hash != hash || strcmp((*at)->key, key) != 0))
		at = &(*at)->_chain;
	return at;
}

void *
map_get(const struct map *map, const char *key)
{
	struct map_entry *entry;

	if (map == NULL || map->size == 0)
		return NULL;
	entry = *map_find(map, key, map_hash(key, strlen(key)));
	return entry != NULL ? entry->value : NULL;
}

static void
map_grow(struct map *map)
{
	size_t count = map->bucket_count * 2;
	struct map_entry **buckets = xcalloc(count, sizeof(struct map_entry *));

	for (struct map_entry *entry = map->first; entry != NULL; entry = entry->_next) {
		struct map_entry **at = &buckets[entry->_hash & (count - 1)];

		entry->_chain = *at;
		*at = entry;
	}
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = count;
}

/* The key's bytes live behind the entry, in one allocation. */
static struct map_entry *
map_entry_create(const char *key, size_t length, uint64_t hash, void *value)
{
	struct map_entry *entry = xcalloc(1, sizeof(*entry) + length + 1);

	entry->key = memcpy(entry + 1, key, length + 1);
	entry->value = value;
	entry->_hash = hash;
	return entry;
}

void *
map_put(struct map *map, const char *key, void *value)
{
	size_t length = strlen(key);
	uint64_t hash = map_hash(key, length);
	struct map_entry **at = map_find(map, key, hash);
	struct map_entry *entry = *at;

	if (entry != NULL) {
		void *old = entry->value;

		entry->value = value;
		return old;
	}
	entry = map_entry_create(key, length, hash, value);
	*at = entry;
	entry->_prev = map->last;
	*(map->last != NULL ? &map->last->_next : &map->first) = entry;
	map->last = entry;
	if (++map->size > map->bucket_count)
		map_grow(map);
	return NULL;
}

void *
map_remove(struct map *map, const char *key)
{
	struct map_entry **at = map_find(map, key, map_hash(key, strlen(key)));
	struct map_entry *entry = *at;
	void *value;

	if (entry == NULL)
		return NULL;
	*at = entry->_chain;
	*(entry->_prev != NULL ? &entry->_prev->_next : &map->first) = entry->_next;
	*(entry->_next != NULL ? &entry->_next->_prev : &map->last) = entry->_prev;
	map->size--;
	value = entry->value;
	free(entry);
	return value;
}

size_t
map_size(const struct map *map)
{
	return map != NULL ? map->size : 0;
}

struct map_entry *
map_first(const struct map *map)
{
	return map != NULL ? map->first : NULL;
}
