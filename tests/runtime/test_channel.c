/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/channel.h>

#include <stdlib.h>

#include <bay/task.h>

#include "support/run_tasks.h"

/* One who puts or gets once. */
struct party {
	struct bay_channel *channel;
	void *item;
	int64_t deadline;
	int status;
	int place;      /* the number of those that came back before, plus one */
	int *clock;
};

static int
put(void *arg)
{
	struct party *party = arg;

	party->status = bay_channel_put(party->channel, party->item, party->deadline);
	if (party->clock != NULL)
		party->place = ++*party->clock;
	return BAY_OK;
}

static int
get(void *arg)
{
	struct party *party = arg;

	party->item = NULL;
	party->status = bay_channel_get(party->channel, &party->item, party->deadline);
	if (party->clock != NULL)
		party->place = ++*party->clock;
	return BAY_OK;
}

static struct bay_task *
start(bay_task_fn *fn, struct party *party)
{
	struct bay_task *task = bay_spawn("party", fn, party);

	ck_assert_ptr_nonnull(task);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static int letters[64];

TASK_TEST(items_come_out_in_their_order)
{
	struct bay_channel *channel = bay_channel_create(3);
	int i, round;
	void *item;

	/* The ring goes round, full and empty. */
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 3; i++)
			ck_assert_int_eq(bay_channel_put(channel, &letters[i], BAY_INHERIT), BAY_OK);
		ck_assert_uint_eq(bay_channel_size(channel), 3);
		ck_assert_int_eq(bay_channel_try_put(channel, &letters[3]), BAY_FULL);
		for (i = 0; i < 3; i++) {
			ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_OK);
			ck_assert_ptr_eq(item, &letters[i]);
		}
		ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_BUSY);
		ck_assert_int_eq(bay_channel_try_put(channel, NULL), BAY_OK);
		ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_OK);
		ck_assert_ptr_null(item);
	}
	bay_channel_destroy(channel);
	bay_channel_destroy(NULL);
	return BAY_OK;
}

TASK_TEST(an_overlong_channel_is_refused)
{
	ck_assert_ptr_null(bay_channel_create(SIZE_MAX));
	ck_assert_ptr_null(bay_channel_create(SIZE_MAX / 2));
	return BAY_OK;
}

TASK_TEST(waiting_putters_are_served_in_the_order_of_their_coming)
{
	struct bay_channel *channel = bay_channel_create(2);
	struct bay_task *tasks[10];
	struct party parties[10];
	int i, clock = 0;
	void *item;

	for (i = 0; i < 10; i++) {
		parties[i] = (struct party){channel, &letters[i], BAY_INHERIT, -1, 0, &clock};
		tasks[i] = start(put, &parties[i]);
	}
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(channel), 2);
	ck_assert_int_eq(clock, 2);
	for (i = 0; i < 10; i++) {
		ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_OK);
		ck_assert_ptr_eq(item, &letters[i]);
	}
	for (i = 0; i < 10; i++) {
		end(tasks[i]);
		ck_assert_int_eq(parties[i].status, BAY_OK);
		ck_assert_int_eq(parties[i].place, i + 1);
	}
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* Not only when all that lies before its item has been taken. */
TASK_TEST(a_waiting_putter_comes_in_as_soon_as_there_is_room)
{
	struct bay_channel *channel = bay_channel_create(2);
	struct party party = {channel, &letters[2], BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task;
	void *item;

	ck_assert_int_eq(bay_channel_try_put(channel, &letters[0]), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[1]), BAY_OK);
	task = start(put, &party);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_task_done(task));
	ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(channel), 2);
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(waiting_getters_are_served_in_the_order_of_their_coming)
{
	struct bay_channel *channel = bay_channel_create(2);
	struct bay_task *tasks[10];
	struct party parties[10];
	int i, clock = 0;

	for (i = 0; i < 10; i++) {
		parties[i] = (struct party){channel, NULL, BAY_INHERIT, -1, 0, &clock};
		tasks[i] = start(get, &parties[i]);
	}
	ck_assert_int_eq(bay_yield(), BAY_OK);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(bay_channel_put(channel, &letters[i], BAY_INHERIT), BAY_OK);
	for (i = 0; i < 10; i++) {
		end(tasks[i]);
		ck_assert_int_eq(parties[i].status, BAY_OK);
		ck_assert_ptr_eq(parties[i].item, &letters[i]);
		ck_assert_int_eq(parties[i].place, i + 1);
	}
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* Who has come first has been promised the item, even if somebody else asks before it runs. */
TASK_TEST(nobody_overtakes_a_getter_that_has_been_woken)
{
	struct bay_channel *channel = bay_channel_create(1);
	struct party party = {channel, NULL, BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task = start(get, &party);
	void *item;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_channel_put(channel, &letters[1], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_BUSY);
	end(task);
	ck_assert_ptr_eq(party.item, &letters[1]);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(without_capacity_a_put_waits_for_its_get)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {channel, &letters[1], BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task = start(put, &party);
	void *item;

	ck_assert_int_eq(bay_channel_try_put(channel, &letters[0]), BAY_FULL);
	ck_assert_int_eq(bay_channel_put(channel, &letters[0], bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert(!bay_task_done(task));
	ck_assert_uint_eq(bay_channel_size(channel), 0);
	ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(item, &letters[1]);
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_BUSY);
	task = start(get, &party);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[2]), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[3]), BAY_FULL);
	end(task);
	ck_assert_ptr_eq(party.item, &letters[2]);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(a_closed_channel_gives_what_it_has_and_takes_no_more)
{
	struct bay_channel *channel = bay_channel_create(1);
	struct party party = {channel, &letters[1], BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task;
	void *item;

	ck_assert_int_eq(bay_channel_put(channel, &letters[0], BAY_INHERIT), BAY_OK);
	task = start(put, &party);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_channel_close(channel);
	bay_channel_close(channel);
	end(task);
	ck_assert_int_eq(party.status, BAY_CLOSED);
	ck_assert_int_eq(bay_channel_put(channel, &letters[2], BAY_INHERIT), BAY_CLOSED);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[2]), BAY_CLOSED);
	ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(item, &letters[0]);
	ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_CLOSED);
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_CLOSED);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(waiting_getters_see_the_close)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {channel, NULL, BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task = start(get, &party);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_channel_close(channel);
	end(task);
	ck_assert_int_eq(party.status, BAY_CLOSED);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party getter = {channel, NULL, BAY_INHERIT, -1, 0, NULL}, second = getter;
	struct bay_task *one = start(get, &getter), *two = start(get, &second);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_channel_destroy(channel);
	end(one);
	end(two);
	ck_assert_int_eq(getter.status, BAY_CLOSED);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	return BAY_OK;
}

TASK_TEST(deadlines_end_the_waits_and_keep_the_items)
{
	struct bay_channel *channel = bay_channel_create(1);
	int64_t deadline = bay_after(2 * BAY_MS);
	void *item = &letters[9];

	ck_assert_int_eq(bay_channel_get(channel, &item, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_ptr_eq(item, &letters[9]);
	ck_assert_int_eq(bay_channel_put(channel, &letters[0], BAY_INHERIT), BAY_OK);
	deadline = bay_after(2 * BAY_MS);
	ck_assert_int_eq(bay_channel_put(channel, &letters[1], deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	/* Nobody stands in it any more. */
	ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(item, &letters[0]);
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_BUSY);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[2]), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(channel), 1);
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* Handed over first, cancelled before it ran: it has the item. */
TASK_TEST(a_getter_cancelled_after_the_hand_over_has_the_item)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {channel, NULL, BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task = start(get, &party);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[1]), BAY_OK);
	bay_task_cancel(task, "enough");
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	ck_assert_ptr_eq(party.item, &letters[1]);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(a_getter_cancelled_before_the_hand_over_leaves_the_item)
{
	struct bay_channel *channel = bay_channel_create(1);
	struct party first = {channel, NULL, BAY_INHERIT, -1, 0, NULL}, second = first;
	struct bay_task *one = start(get, &first), *two = start(get, &second);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(one, "enough");
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[1]), BAY_OK);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_CANCELED);
	ck_assert_ptr_null(first.item);
	ck_assert_int_eq(second.status, BAY_OK);
	ck_assert_ptr_eq(second.item, &letters[1]);
	ck_assert_uint_eq(bay_channel_size(channel), 0);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(a_putter_cancelled_after_its_item_was_taken_has_put_it)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {channel, &letters[1], BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task = start(put, &party);
	void *item;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_OK);
	bay_task_cancel(task, "enough");
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(a_putter_cancelled_before_keeps_its_item)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {channel, &letters[1], BAY_INHERIT, -1, 0, NULL};
	struct bay_task *task = start(put, &party);
	void *item;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_BUSY);
	end(task);
	ck_assert_int_eq(party.status, BAY_CANCELED);
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* --- many, with cancellations at random --------------------------------------------------- */

enum { ITEMS = 2000, PARTIES = 8 };

struct traffic {
	struct bay_channel *channel;
	unsigned char came[ITEMS];   /* how often it was got */
	int next;                    /* the next item to put */
	int left_over;               /* items whose putter was cancelled */
	unsigned seed;
};

static int
put_many(void *arg)
{
	struct traffic *traffic = arg;

	while (traffic->next < ITEMS) {
		int i = traffic->next++;

		/* The put failed: the item is still ours, so say that it did not go. */
		if (bay_channel_put(traffic->channel, &traffic->came[i], BAY_INHERIT) != BAY_OK) {
			traffic->came[i]++;
			traffic->left_over++;
			return BAY_OK;
		}
	}
	return BAY_OK;
}

static int
get_many(void *arg)
{
	struct traffic *traffic = arg;
	void *item;

	while (bay_channel_get(traffic->channel, &item, BAY_INHERIT) == BAY_OK)
		++*(unsigned char *)item;
	return BAY_OK;
}

static void
let_traffic_flow(size_t capacity, unsigned seed)
{
	struct traffic traffic = {.channel = bay_channel_create(capacity), .seed = seed};
	struct bay_task *tasks[2 * PARTIES] = {NULL};
	void *item;
	int i;

	while (traffic.next < ITEMS) {
		i = rand_r(&traffic.seed) % (2 * PARTIES);
		if (tasks[i] == NULL) {
			tasks[i] = bay_spawn("traffic", i < PARTIES ? put_many : get_many, &traffic);
		} else {
			bay_task_cancel(tasks[i], "at random");
			bay_task_free(tasks[i]);
			tasks[i] = NULL;
		}
		if (rand_r(&traffic.seed) % 4 == 0)
			ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	bay_channel_close(traffic.channel);
	ck_assert_int_eq(bay_gather(tasks, 0, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 2 * PARTIES; i++) {
		if (tasks[i] != NULL)
			ck_assert_int_eq(bay_join(tasks[i], BAY_INHERIT), BAY_OK);
	}
	while (run_tasks_scheduler.task_count > 1)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	while (bay_channel_try_get(traffic.channel, &item) == BAY_OK)
		++*(unsigned char *)item;
	for (i = 0; i < ITEMS; i++)
		ck_assert_msg(traffic.came[i] == 1, "item %d came %d times (seed %u, capacity %zu)", i,
			traffic.came[i], seed, capacity);
	bay_channel_destroy(traffic.channel);
}

TASK_TEST(nothing_is_lost_or_doubled_whoever_is_cancelled)
{
	size_t capacity;
	unsigned seed;

	for (capacity = 0; capacity < 4; capacity++) {
		for (seed = 1; seed < 10; seed++)
			let_traffic_flow(capacity, seed);
	}
	return BAY_OK;
}

CHECK_MAIN("runtime/channel",
	items_come_out_in_their_order,
	an_overlong_channel_is_refused,
	waiting_putters_are_served_in_the_order_of_their_coming,
	a_waiting_putter_comes_in_as_soon_as_there_is_room,
	waiting_getters_are_served_in_the_order_of_their_coming,
	nobody_overtakes_a_getter_that_has_been_woken,
	without_capacity_a_put_waits_for_its_get,
	a_closed_channel_gives_what_it_has_and_takes_no_more,
	waiting_getters_see_the_close,
	destroying_ends_the_waits,
	deadlines_end_the_waits_and_keep_the_items,
	a_getter_cancelled_after_the_hand_over_has_the_item,
	a_getter_cancelled_before_the_hand_over_leaves_the_item,
	a_putter_cancelled_after_its_item_was_taken_has_put_it,
	a_putter_cancelled_before_keeps_its_item,
	nothing_is_lost_or_doubled_whoever_is_cancelled)
