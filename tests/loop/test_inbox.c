/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/inbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "support/check_main.h"

enum { PRODUCERS = 4, ITEMS = 50000 };

struct numbered {
	struct inbox_item item;
	int producer;
	int number;
};

static struct inbox inbox;

START_TEST(items_come_out_in_the_order_they_went_in)
{
	struct numbered items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
	struct inbox_item *item;

	inbox_init(&inbox);
	ck_assert(inbox_empty(&inbox));
	ck_assert_ptr_null(inbox_take_all(&inbox));
	ck_assert(inbox_push(&inbox, &items[0].item));
	ck_assert(!inbox_push(&inbox, &items[1].item));
	ck_assert(!inbox_push(&inbox, &items[2].item));
	ck_assert(!inbox_empty(&inbox));
	item = inbox_take_all(&inbox);
	ck_assert(inbox_empty(&inbox));
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(item, &items[i].item);
		item = item->next;
	}
	ck_assert_ptr_null(item);
	ck_assert(inbox_push(&inbox, &items[1].item));
}
END_TEST

static void *
produce(void *arg)
{
	struct numbered *items = arg;

	for (int i = 0; i < ITEMS; i++)
		(void)inbox_push(&inbox, &items[i].item);
	return NULL;
}

START_TEST(nothing_is_lost_or_overtaken_with_four_producers)
{
	struct numbered *items = xcalloc(PRODUCERS * ITEMS, sizeof(*items));
	int next[PRODUCERS] = {0};
	pthread_t threads[PRODUCERS];
	int left = PRODUCERS * ITEMS;

	inbox_init(&inbox);
	for (int p = 0; p < PRODUCERS; p++) {
		for (int i = 0; i < ITEMS; i++) {
			items[p * ITEMS + i].producer = p;
			items[p * ITEMS + i].number = i;
		}
		ck_assert_int_eq(pthread_create(&threads[p], NULL, produce, &items[p * ITEMS]), 0);
	}
	while (left > 0) {
		struct inbox_item *item = inbox_take_all(&inbox);

		for (; item != NULL; item = item->next) {
			struct numbered *got = container_of(item, struct numbered, item);

			ck_assert_int_eq(got->number, next[got->producer]);
			next[got->producer]++;
			left--;
		}
	}
	for (int p = 0; p < PRODUCERS; p++)
		pthread_join(threads[p], NULL);
	ck_assert(inbox_empty(&inbox));
	free(items);
}
END_TEST

CHECK_MAIN("loop/inbox",
	items_come_out_in_the_order_they_went_in,
	nothing_is_lost_or_overtaken_with_four_producers)
