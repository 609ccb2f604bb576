/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers that are still true, by name. When it is full, the one that nobody has asked for for
 * the longest time goes.
 *
 * Owning loop only.
 */
#ifndef BAY_IO_RESOLVER_CACHE_H
#define BAY_IO_RESOLVER_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct resolver_answer;
struct resolver_cache;

/* Whatever name servers say, an answer is true for so long at least and at most; that there is
 * none because a server failed is known for the shortest time, and that there is none at all
 * not for long either. */
#define RESOLVER_TTL_MIN_NS INT64_C(1000000000)
#define RESOLVER_TTL_MAX_NS (3600 * RESOLVER_TTL_MIN_NS)
#define RESOLVER_TTL_NONE_NS (5 * RESOLVER_TTL_MIN_NS)

/* For this many names; NULL without memory. */
struct resolver_cache *resolver_cache_create(size_t max);

/* NULL is fine. */
void resolver_cache_destroy(struct resolver_cache *cache);

/* The answer, borrowed until the cache is used again, or NULL. */
struct resolver_answer *resolver_cache_find(struct resolver_cache *cache, const char *name, int64_t now_ns);

/* Keeps an answer, which it holds then, in place of the one that the name had. One that says
 * nothing for sure (no name server answered, no memory) is not kept. */
void resolver_cache_keep(struct resolver_cache *cache, const char *name, struct resolver_answer *answer,
	int64_t now_ns);

/* Forgets all. */
void resolver_cache_clear(struct resolver_cache *cache);

size_t resolver_cache_count(const struct resolver_cache *cache);

#endif
