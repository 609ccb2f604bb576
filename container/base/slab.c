/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

_Static_assert(sizeof(struct slab) % 64 == 0, "things begin on a cache line");

void
slab_pool_init(struct slab_pool *pool, size_t thing_bytes, size_t max_things)
{
	pool->hand = NULL;
	list_init(&pool->open);
	pool->thing_bytes = thing_bytes;
	pool->per_slab = (unsigned)((SLAB_BYTES - sizeof(struct slab)) / thing_bytes);
	pool->max_slabs = max_things / pool->per_slab + 1;
	pool->slabs = 0;
	pool->spare = 0;
}

static void
slab_free(struct slab_pool *pool, struct slab *slab)
{
	list_remove(&slab->in_pool);
	pool->slabs--;
	(void)munmap(slab, SLAB_BYTES);
}

void
slab_pool_finish(struct slab_pool *pool)
{
#if !defined(BAY_ASAN)
	if (pool->hand != NULL)
		slab_put_back(pool, pool->hand);
#endif
	list_for_each_safe(pos, &pool->open)
		slab_free(pool, container_of(pos, struct slab, in_pool));
}

/* Of its own, so that all of it goes back: of the twice as much that holds one in its place, what
 * is before and behind goes at once. NULL: no memory. */
static struct slab *
slab_map(void)
{
	char *room = mmap(NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (room == MAP_FAILED)
		return NULL;
	before = (SLAB_BYTES - (uintptr_t)room % SLAB_BYTES) % SLAB_BYTES;
	if (before > 0)
		(void)munmap(room, before);
	(void)munmap(room + before + SLAB_BYTES, SLAB_BYTES - before);
	return (struct slab *)(void *)(room + before);
}

struct slab *
slab_more(struct slab_pool *pool)
{
	struct slab *slab = pool->slabs < pool->max_slabs ? slab_map() : NULL;

	if (slab == NULL)
		return NULL;
	slab->free = NULL;
	slab->used = 0;
	slab->carved = 0;
	slab->spare = false;
	list_push_front(&pool->open, &slab->in_pool);
	pool->slabs++;
	return slab;
}

/* Behind those of which something is taken: they are filled first. */
void
slab_spare(struct slab_pool *pool, struct slab *slab)
{
	if (pool->spare == SLAB_RESERVE) {
		slab_free(pool, slab);
		return;
	}
	list_remove(&slab->in_pool);
	list_push_back(&pool->open, &slab->in_pool);
	slab->spare = true;
	pool->spare++;
}

void
slab_open(struct slab_pool *pool, struct slab *slab)
{
	struct slab *first = container_of(pool->open.next, struct slab, in_pool);

	if (!list_empty(&pool->open) && first->used == 0 && !first->spare)
		slab_spare(pool, first);
	list_push_front(&pool->open, &slab->in_pool);
}

#if defined(BAY_ASAN)
void *
slab_take(struct slab_pool *pool)
{
	void *thing;

	if (pool->slabs >= pool->max_slabs * pool->per_slab)
		return NULL;
	thing = malloc(pool->thing_bytes);
	pool->slabs += thing != NULL;
	return thing;
}

void
slab_give(struct slab_pool *pool, void *thing)
{
	pool->slabs--;
	free(thing);
}
#endif
