/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many small things of one size, close together: cheaper to take and give than by malloc, and
 * fewer cache lines and pages for those who walk over thousands of them.
 *
 *	slab  | head | thing | thing | thing | ... not carved yet ... |
 *
 * The latest given back is taken first. Slabs that are wholly free are spare, and beyond a reserve
 * go back to the kernel: memory falls when a burst is over. One thread at a time.
 */
#ifndef BAY_BASE_SLAB_H
#define BAY_BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* A slab is as large as its alignment: a thing's address tells its slab. */
#define SLAB_BYTES ((size_t)64 << 10)
/* Spare slabs that are kept. */
#define SLAB_RESERVE 32

struct slab {
	struct list in_pool; /* in pool->open while there is room */
	void *free;          /* things given back, linked by their second word */
	unsigned used;
	unsigned carved;     /* things that have ever been taken */
	bool spare;          /* nothing is taken, and it is not the first of the open ones */
	char _pad[31];       /* things begin on a cache line */
};

struct slab_pool {
	void *hand;          /* the latest given back, not in its slab yet, or NULL */
	struct list open;    /* struct slab.in_pool */
	size_t thing_bytes;  /* a multiple of 64 for things that shall keep to their cache lines */
	size_t max_slabs;
	size_t slabs;
	unsigned per_slab;
	unsigned spare;      /* slabs that are */
};

/* For things of thing_bytes, at least two pointers', at most a slab's less 64; about max_things of
 * them at a time. Allocates nothing yet. */
void slab_pool_init(struct slab_pool *pool, size_t thing_bytes, size_t max_things);

/* Everything must have been given back. */
void slab_pool_finish(struct slab_pool *pool);

/* The slow parts of the two below: a slab with room, or NULL; what becomes of one that had no
 * room, or of which nothing is taken any more. */
struct slab *slab_more(struct slab_pool *pool);
void slab_open(struct slab_pool *pool, struct slab *slab);
void slab_spare(struct slab_pool *pool, struct slab *slab);

#if defined(BAY_ASAN)
/* From malloc, so that whoever uses what he gave back hears of it. */
void *slab_take(struct slab_pool *pool);
void slab_give(struct slab_pool *pool, void *thing);
#else

/* The first word stays as it was given back: whoever uses what is gone can still be told. */
static inline void **
slab_link(void *thing)
{
	return (void **)thing + 1;
}

/* Its bytes are undefined. NULL: no memory, or there are too many. */
static inline void *
slab_take(struct slab_pool *pool)
{
	struct slab *slab;
	void *thing = pool->hand;

	if (thing != NULL) {
		pool->hand = NULL;
		return thing;
	}
	slab = container_of(pool->open.next, struct slab, in_pool);
	if (__builtin_expect(list_empty(&pool->open), 0)) {
		slab = slab_more(pool);
		if (slab == NULL)
			return NULL;
	}
	thing = slab->free;
	if (thing != NULL)
		slab->free = *slab_link(thing);
	else
		thing = (char *)(slab + 1) + slab->carved++ * pool->thing_bytes;
	if (__builtin_expect(slab->spare, 0)) {
		slab->spare = false;
		pool->spare--;
	}
	if (++slab->used == pool->per_slab)
		list_remove(&slab->in_pool);
	return thing;
}

static inline void
slab_put_back(struct slab_pool *pool, void *thing)
{
	struct slab *slab = (struct slab *)((uintptr_t)thing & ~(SLAB_BYTES - 1));

	*slab_link(thing) = slab->free;
	slab->free = thing;
	if (__builtin_expect(slab->used-- == pool->per_slab, 0))
		slab_open(pool, slab);
	if (slab->used == 0 && pool->open.next != &slab->in_pool)
		slab_spare(pool, slab);
}

static inline void
slab_give(struct slab_pool *pool, void *thing)
{
	void *before = pool->hand;

	pool->hand = thing;
	if (before != NULL)
		slab_put_back(pool, before);
}
#endif

#endif
