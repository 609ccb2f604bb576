/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/resolver_cache.h"

#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/list.h"
#include "base/map.h"
#include "io/resolver_answer.h"

struct resolver_entry {
	struct list link;              /* in cache->used */
	struct resolver_answer *answer;
	int64_t until_ns;              /* true before then */
	char name[];
};

struct resolver_cache {
	struct map *entries;           /* struct resolver_entry by name */
	struct list used;              /* the latest first */
	size_t max;
};

struct resolver_cache *
resolver_cache_create(size_t max)
{
	struct resolver_cache *cache = calloc(1, sizeof *cache);

	if (cache == NULL)
		return NULL;
	cache->entries = map_create();
	cache->max = max;
	list_init(&cache->used);
	return cache;
}

void
resolver_cache_destroy(struct resolver_cache *cache)
{
	if (cache == NULL)
		return;
	resolver_cache_clear(cache);
	map_destroy(cache->entries);
	free(cache);
}

static void
resolver_cache_forget(struct resolver_cache *cache, struct resolver_entry *entry)
{
	(void)map_remove(cache->entries, entry->name);
	list_remove(&entry->link);
	resolver_answer_unref(entry->answer);
	free(entry);
}

static struct resolver_entry *
resolver_cache_oldest(const struct resolver_cache *cache)
{
	return container_of(list_last(&cache->used), struct resolver_entry, link);
}

void
resolver_cache_clear(struct resolver_cache *cache)
{
	while (!list_empty(&cache->used))
		resolver_cache_forget(cache, resolver_cache_oldest(cache));
}

struct resolver_answer *
resolver_cache_find(struct resolver_cache *cache, const char *name, int64_t now_ns)
{
	struct resolver_entry *entry = map_get(cache->entries, name);

	if (entry == NULL)
		return NULL;
	if (entry->until_ns <= now_ns) {
		resolver_cache_forget(cache, entry);
		return NULL;
	}
	list_remove(&entry->link);
	list_push_front(&cache->used, &entry->link);
	return entry->answer;
}

/* How long the answer is kept; 0: not at all. */
static int64_t
resolver_cache_span_ns(const struct resolver_answer *answer)
{
	switch (answer->status) {
	case BAY_OK:
		if (answer->ttl_ns < RESOLVER_TTL_MIN_NS)
			return RESOLVER_TTL_MIN_NS;
		return answer->ttl_ns < RESOLVER_TTL_MAX_NS ? answer->ttl_ns : RESOLVER_TTL_MAX_NS;
	case BAY_NOT_FOUND:
		return RESOLVER_TTL_NONE_NS;
	case BAY_IO:
		return RESOLVER_TTL_MIN_NS;
	default:
		return 0;
	}
}

void
resolver_cache_keep(struct resolver_cache *cache, const char *name, struct resolver_answer *answer,
	int64_t now_ns)
{
	struct resolver_entry *entry = map_get(cache->entries, name);
	int64_t span_ns = resolver_cache_span_ns(answer);
	size_t size = strlen(name) + 1;

	if (entry != NULL)
		resolver_cache_forget(cache, entry);
	if (span_ns == 0)
		return;
	entry = malloc(sizeof *entry + size);
	if (entry == NULL)
		return;
	if (map_size(cache->entries) >= cache->max)
		resolver_cache_forget(cache, resolver_cache_oldest(cache));
	memcpy(entry->name, name, size);
	entry->answer = resolver_answer_ref(answer);
	entry->until_ns = now_ns + span_ns;
	list_init(&entry->link);
	list_push_front(&cache->used, &entry->link);
	(void)map_put(cache->entries, entry->name, entry);
}

size_t
resolver_cache_count(const struct resolver_cache *cache)
{
	return map_size(cache->entries);
}
