/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

#if defined(BAY_ASAN)
/* Each thing is malloc's own. */
START_TEST(there_are_no_more_than_allowed)
{
	struct slab_pool pool;
	void *things[1000];
	size_t count = 0;

	slab_pool_init(&pool, 4096, 4);
	while (count < 1000 && (things[count] = slab_take(&pool)) != NULL)
		count++;
	ck_assert_uint_eq(count, pool.max_slabs * pool.per_slab);
	while (count > 0)
		slab_give(&pool, things[--count]);
	slab_pool_finish(&pool);
}
END_TEST

CHECK_MAIN("base/slab", there_are_no_more_than_allowed)
#else
enum { THING = 192, MANY = 1000 };

static struct slab_pool pool;
static void *things[MANY];

static void
take_many(int count)
{
	for (int i = 0; i < count; i++) {
		things[i] = slab_take(&pool);
		ck_assert_ptr_nonnull(things[i]);
		ck_assert_uint_eq((uintptr_t)things[i] % 64, 0);
		for (int word = 0; word < THING / (int)sizeof(int); word++)
			((int *)things[i])[word] = i;
	}
}

static void
give_many(int count)
{
	for (int i = 0; i < count; i++)
		slab_give(&pool, things[i]);
}

static size_t
open_slabs(void)
{
	size_t count = 0;

	list_for_each(pos, &pool.open)
		count++;
	return count;
}

START_TEST(things_do_not_overlap)
{
	slab_pool_init(&pool, THING, MANY);
	take_many(MANY);
	for (int i = 0; i < MANY; i++) {
		for (int word = 0; word < THING / (int)sizeof(int); word++)
			ck_assert_int_eq(((int *)things[i])[word], i);
	}
	ck_assert_uint_eq(pool.slabs, (MANY + pool.per_slab - 1) / pool.per_slab);
	give_many(MANY);
	slab_pool_finish(&pool);
	ck_assert_uint_eq(pool.slabs, 0);
}
END_TEST

START_TEST(the_latest_given_back_is_taken_first)
{
	slab_pool_init(&pool, THING, MANY);
	take_many(3);
	give_many(3);
	ck_assert_ptr_eq(slab_take(&pool), things[2]);
	ck_assert_ptr_eq(slab_take(&pool), things[1]);
	ck_assert_ptr_eq(slab_take(&pool), things[0]);
	give_many(3);
	slab_pool_finish(&pool);
}
END_TEST

START_TEST(what_is_given_back_is_used_again)
{
	slab_pool_init(&pool, THING, MANY);
	for (int round = 0; round < 10; round++) {
		take_many(MANY);
		give_many(MANY);
	}
	ck_assert_uint_le(pool.slabs, MANY / pool.per_slab + 1);
	/* One that is full, and others with room at one place each. */
	take_many(MANY);
	for (int i = 0; i < MANY; i += (int)pool.per_slab)
		slab_give(&pool, things[i]);
	for (int i = 0; i < MANY; i += (int)pool.per_slab) {
		things[i] = slab_take(&pool);
		memset(things[i], 0, THING);
	}
	ck_assert_uint_le(pool.slabs, MANY / pool.per_slab + 1);
	give_many(MANY);
	slab_pool_finish(&pool);
	ck_assert_uint_eq(pool.slabs, 0);
}
END_TEST

START_TEST(spare_slabs_beyond_the_reserve_go_back)
{
	void **burst;
	size_t count;

	slab_pool_init(&pool, THING, (size_t)1 << 20);
	count = (size_t)pool.per_slab * (SLAB_RESERVE + 50);
	burst = calloc(count, sizeof *burst);
	ck_assert_ptr_nonnull(burst);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < count; i++)
			burst[i] = slab_take(&pool);
		ck_assert_uint_eq(pool.slabs, SLAB_RESERVE + 50);
		ck_assert_uint_eq(pool.spare, 0);
		for (size_t i = 0; i < count; i++)
			slab_give(&pool, burst[i]);
		ck_assert_uint_le(pool.slabs, SLAB_RESERVE + 2);
		ck_assert_uint_eq(pool.spare, SLAB_RESERVE);
		ck_assert_uint_eq(open_slabs(), pool.slabs);
	}
	free(burst);
	slab_pool_finish(&pool);
	ck_assert_uint_eq(pool.slabs, 0);
}
END_TEST

START_TEST(there_are_no_more_than_allowed)
{
	size_t count = 0;

	slab_pool_init(&pool, 4096, 4);
	while (count < MANY && (things[count] = slab_take(&pool)) != NULL)
		count++;
	ck_assert_uint_eq(count, pool.max_slabs * pool.per_slab);
	ck_assert_uint_ge(count, 4);
	slab_give(&pool, things[0]);
	ck_assert_ptr_eq(slab_take(&pool), things[0]);
	ck_assert_ptr_null(slab_take(&pool));
	give_many((int)count);
	slab_pool_finish(&pool);
}
END_TEST

CHECK_MAIN("base/slab",
	things_do_not_overlap,
	the_latest_given_back_is_taken_first,
	what_is_given_back_is_used_again,
	spare_slabs_beyond_the_reserve_go_back,
	there_are_no_more_than_allowed)
#endif
