/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/channel_store.h"

#include <stdlib.h>

#include "support/check_main.h"

enum { ITEMS = 1000 };

static int letters[ITEMS];

/* Adds and takes at random, and lets take() say what should have come out. */
static void
go_through(enum bay_channel_order order, int (*expected)(int *inside, int count), unsigned seed)
{
	struct channel_store store;
	int inside[ITEMS], count = 0, next = 0;

	channel_store_init(&store, order);
	while (next < ITEMS || count > 0) {
		if (next < ITEMS && (count == 0 || rand_r(&seed) % 5 < 3)) {
			ck_assert(channel_store_add(&store, &letters[next], next % 7, (size_t)next));
			inside[count++] = next++;
		} else {
			int place = expected(inside, count), i = inside[place];
			struct channel_entry entry = channel_store_take(&store);

			ck_assert_ptr_eq(entry.item, &letters[i]);
			ck_assert_uint_eq(entry.bytes, (size_t)i);
			for (count--; place < count; place++)
				inside[place] = inside[place + 1];
		}
		ck_assert_uint_eq(store.size, (size_t)count);
	}
	channel_store_finish(&store);
}

static int
the_oldest(int *inside, int count)
{
	(void)inside;
	(void)count;
	return 0;
}

static int
the_latest(int *inside, int count)
{
	(void)inside;
	return count - 1;
}

static int
the_oldest_of_the_lowest(int *inside, int count)
{
	int best = 0, i;

	for (i = 1; i < count; i++) {
		if (inside[i] % 7 < inside[best] % 7)
			best = i;
	}
	return best;
}

START_TEST(first_in_is_first_out)
{
	for (unsigned seed = 1; seed < 20; seed++)
		go_through(BAY_FIFO, the_oldest, seed);
}
END_TEST

START_TEST(last_in_is_first_out)
{
	for (unsigned seed = 1; seed < 20; seed++)
		go_through(BAY_LIFO, the_latest, seed);
}
END_TEST

START_TEST(of_equal_priorities_the_oldest_comes_out)
{
	for (unsigned seed = 1; seed < 20; seed++)
		go_through(BAY_PRIORITY, the_oldest_of_the_lowest, seed);
}
END_TEST

START_TEST(priorities_may_be_anything)
{
	static const int64_t priorities[] = {0, INT64_MAX, -1, INT64_MIN, 1};
	static const int order[] = {3, 2, 0, 4, 1};
	struct channel_store store;

	channel_store_init(&store, BAY_PRIORITY);
	for (int i = 0; i < 5; i++)
		ck_assert(channel_store_add(&store, &letters[i], priorities[i], 0));
	for (int i = 0; i < 5; i++)
		ck_assert_ptr_eq(channel_store_take(&store).item, &letters[order[i]]);
	channel_store_finish(&store);
	channel_store_finish(&store);
}
END_TEST

CHECK_MAIN("runtime/channel_store",
	first_in_is_first_out,
	last_in_is_first_out,
	of_equal_priorities_the_oldest_comes_out,
	priorities_may_be_anything)
