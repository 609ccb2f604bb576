/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels with more than a capacity: another order, a bound in bytes, done and join, names. */
#include "config.h"

#include <bay/channel.h>

#include <stdlib.h>
#include <string.h>

#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"

/* One who puts or joins once. */
struct party {
	struct bay_channel *channel;
	void *item;
	int64_t priority;
	size_t bytes;
	int status;
};

static int letters[64];
static int discarded[64];

static void
discard(void *item)
{
	discarded[(int *)item - letters]++;
}

static int
put(void *arg)
{
	struct party *party = arg;

	party->status = bay_channel_put_with(party->channel, party->item, party->priority, party->bytes,
		BAY_INHERIT);
	return BAY_OK;
}

static int
join(void *arg)
{
	struct party *party = arg;

	party->status = bay_channel_join(party->channel, BAY_INHERIT);
	return BAY_OK;
}

static struct bay_task *
start(bay_task_fn *fn, struct party *party)
{
	struct bay_task *task = bay_spawn("party", fn, party);

	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static struct bay_channel *
channel_with(struct bay_channel_options options)
{
	struct bay_channel *channel;

	options.length = sizeof options;
	channel = bay_channel_create_with(&options);
	ck_assert_ptr_nonnull(channel);
	return channel;
}

static int
next(struct bay_channel *channel)
{
	void *item;
	int status = bay_channel_try_get(channel, &item);

	return status == BAY_OK ? (int)((int *)item - letters) : -status;
}

/* --- options ------------------------------------------------------------------------------- */

TASK_TEST(options_without_sense_are_refused)
{
	struct bay_channel_options options = {.capacity = 1};

	ck_assert_ptr_null(bay_channel_create_with(&options));
	options.length = sizeof options - 8;
	ck_assert_ptr_null(bay_channel_create_with(&options));
	options.length = sizeof options;
	options.order = (enum bay_channel_order)3;
	ck_assert_ptr_null(bay_channel_create_with(&options));
	options.order = BAY_PRIORITY;
	options.capacity = SIZE_MAX;
	ck_assert_ptr_null(bay_channel_create_with(&options));
	options.order = BAY_FIFO;
	options.capacity = SIZE_MAX / 2;
	ck_assert_ptr_null(bay_channel_create_with(&options));
	return BAY_OK;
}

TASK_TEST(a_channel_has_its_name)
{
	char name[] = "jobs";
	struct bay_channel *channel = channel_with((struct bay_channel_options){.name = name});
	struct party party = {.channel = channel, .item = &letters[0]};
	struct bay_task *task;

	name[0] = 'X';
	ck_assert_str_eq(bay_channel_name(channel), "jobs");
	task = start(put, &party);
	ck_assert_str_eq(task_of_handle(task)->waiter->on, "jobs");
	bay_channel_close(channel);
	end(task);
	ck_assert(bay_channel_closed(channel));
	bay_channel_destroy(channel);
	channel = bay_channel_create(1);
	ck_assert_str_eq(bay_channel_name(channel), "");
	ck_assert(!bay_channel_closed(channel));
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* --- order --------------------------------------------------------------------------------- */

TASK_TEST(the_last_in_comes_out_first)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 3,
		.order = BAY_LIFO});
	struct party party = {.channel = channel, .item = &letters[3]};
	struct bay_task *task;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(bay_channel_put(channel, &letters[i], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[9]), BAY_FULL);
	task = start(put, &party);
	ck_assert_int_eq(next(channel), 2);
	/* Who waited is inside now, and is the latest. */
	ck_assert_int_eq(next(channel), 3);
	end(task);
	ck_assert_int_eq(party.status, BAY_OK);
	ck_assert_int_eq(next(channel), 1);
	ck_assert_int_eq(next(channel), 0);
	ck_assert_int_eq(next(channel), -BAY_BUSY);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(the_lowest_priority_comes_out_first_and_of_equal_ones_the_oldest)
{
	static const int64_t priorities[] = {5, 1, 5, -3, 1, 5};
	static const int order[] = {3, 1, 4, 0, 2, 5};
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 6,
		.order = BAY_PRIORITY});

	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(bay_channel_put_with(channel, &letters[i], priorities[i], 0, BAY_INHERIT),
			BAY_OK);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[9], -9, 0), BAY_FULL);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(next(channel), order[i]);
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* --- bytes ---------------------------------------------------------------------------------- */

TASK_TEST(bytes_are_a_bound_too)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = SIZE_MAX,
		.capacity_bytes = 100});

	ck_assert_int_eq(bay_channel_put_with(channel, &letters[0], 0, 101, BAY_INHERIT), BAY_TOO_BIG);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[0], 0, SIZE_MAX), BAY_TOO_BIG);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[0], 0, 60), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[1], 0, 41), BAY_FULL);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[1], 0, 39), BAY_OK);
	ck_assert_uint_eq(bay_channel_bytes(channel), 99);
	ck_assert(!bay_channel_full(channel));
	/* Without a size it counts 1: else the channel would have no bound. */
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[2]), BAY_OK);
	ck_assert(bay_channel_full(channel));
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[3]), BAY_FULL);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(next(channel), i);
	ck_assert_uint_eq(bay_channel_bytes(channel), 0);
	ck_assert(bay_channel_empty(channel));
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(items_are_a_bound_beside_bytes)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 1,
		.capacity_bytes = 100});

	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[0], 0, 1), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[1], 0, 1), BAY_FULL);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(nobody_overtakes_a_big_item_and_all_that_fit_go_in_at_once)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 10,
		.capacity_bytes = 100});
	struct party big = {channel, &letters[1], 0, 90, -1}, one = {channel, &letters[2], 0, 5, -1},
		two = {channel, &letters[3], 0, 5, -1}, late = {channel, &letters[4], 0, 90, -1};
	struct bay_task *tasks[4];

	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[0], 0, 50), BAY_OK);
	tasks[0] = start(put, &big);
	tasks[1] = start(put, &one);
	tasks[2] = start(put, &two);
	tasks[3] = start(put, &late);
	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[9], 0, 1), BAY_FULL);
	ck_assert(bay_channel_full(channel));
	ck_assert_uint_eq(bay_channel_size(channel), 1);
	ck_assert_int_eq(next(channel), 0);
	ck_assert_uint_eq(bay_channel_size(channel), 3);
	ck_assert_uint_eq(bay_channel_bytes(channel), 100);
	for (int i = 1; i < 5; i++)
		ck_assert_int_eq(next(channel), i);
	for (int i = 0; i < 4; i++)
		end(tasks[i]);
	ck_assert_int_eq(big.status | one.status | two.status | late.status, BAY_OK);
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* Else those behind would wait for a room that is there. */
TASK_TEST(when_a_big_item_gives_up_those_behind_it_go_in)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 10,
		.capacity_bytes = 100});
	struct party big = {channel, &letters[1], 0, 90, -1}, one = {channel, &letters[2], 0, 5, -1};
	struct bay_task *tasks[2];

	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[0], 0, 50), BAY_OK);
	tasks[0] = start(put, &big);
	tasks[1] = start(put, &one);
	bay_task_cancel(tasks[0], "enough");
	ck_assert_uint_eq(bay_channel_size(channel), 2);
	end(tasks[0]);
	end(tasks[1]);
	ck_assert_int_eq(big.status, BAY_CANCELED);
	ck_assert_int_eq(one.status, BAY_OK);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(destroying_a_channel_after_a_putter_gave_up_is_safe)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 1,
		.capacity_bytes = 100});
	struct party party = {channel, &letters[1], 0, 90, -1};
	struct bay_task *task;

	ck_assert_int_eq(bay_channel_try_put_with(channel, &letters[0], 0, 50), BAY_OK);
	task = start(put, &party);
	bay_task_cancel(task, "enough");
	bay_channel_destroy(channel);
	end(task);
	ck_assert_int_eq(party.status, BAY_CANCELED);
	return BAY_OK;
}

/* --- close now ------------------------------------------------------------------------------- */

TASK_TEST(close_now_discards_what_is_left)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 2,
		.order = BAY_LIFO, .discard = discard});
	struct party party = {.channel = channel, .item = &letters[2]}, joiner = {.channel = channel};
	struct bay_task *task, *joins;
	void *item;

	ck_assert_int_eq(bay_channel_try_put(channel, &letters[0]), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[1]), BAY_OK);
	task = start(put, &party);
	joins = start(join, &joiner);
	ck_assert_uint_eq(bay_channel_close_now(channel), 2);
	ck_assert_int_eq(discarded[0], 1);
	ck_assert_int_eq(discarded[1], 1);
	end(task);
	end(joins);
	/* What has not been put is still its putter's; what was discarded is done. */
	ck_assert_int_eq(party.status, BAY_CLOSED);
	ck_assert_int_eq(discarded[2], 0);
	ck_assert_int_eq(joiner.status, BAY_OK);
	ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_CLOSED);
	ck_assert_uint_eq(bay_channel_close_now(channel), 0);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(close_now_without_a_discard_forgets)
{
	struct bay_channel *channel = bay_channel_create(2);

	ck_assert_int_eq(bay_channel_try_put(channel, &letters[0]), BAY_OK);
	ck_assert_uint_eq(bay_channel_close_now(channel), 1);
	ck_assert_uint_eq(bay_channel_size(channel), 0);
	ck_assert_uint_eq(bay_channel_unfinished(channel), 0);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(destroying_discards_what_is_left)
{
	struct bay_channel *channel = channel_with((struct bay_channel_options){.capacity = 2,
		.discard = discard});

	ck_assert_int_eq(bay_channel_try_put(channel, &letters[5]), BAY_OK);
	bay_channel_destroy(channel);
	ck_assert_int_eq(discarded[5], 1);
	return BAY_OK;
}

/* --- done and join ----------------------------------------------------------------------------- */

TASK_TEST(join_waits_until_all_is_done)
{
	struct bay_channel *channel = bay_channel_create(1);
	struct party party = {.channel = channel, .item = &letters[1]}, joiner = {.channel = channel};
	struct bay_task *task, *joins;

	ck_assert_int_eq(bay_channel_join(channel, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_channel_done(channel), BAY_INVALID);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[0]), BAY_OK);
	/* What nobody has got cannot be done. */
	ck_assert_int_eq(bay_channel_done(channel), BAY_INVALID);
	task = start(put, &party);
	ck_assert_uint_eq(bay_channel_unfinished(channel), 1);
	joins = start(join, &joiner);
	ck_assert_int_eq(next(channel), 0);
	ck_assert_int_eq(next(channel), 1);
	ck_assert_uint_eq(bay_channel_unfinished(channel), 2);
	ck_assert_int_eq(bay_channel_join(channel, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_channel_done(channel), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_task_done(joins));
	ck_assert_int_eq(bay_channel_done(channel), BAY_OK);
	end(joins);
	ck_assert_int_eq(joiner.status, BAY_OK);
	ck_assert_int_eq(bay_channel_done(channel), BAY_INVALID);
	end(task);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(what_is_handed_over_directly_has_to_be_done_too)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {.channel = channel, .item = &letters[1]};
	struct bay_task *task = start(put, &party);

	ck_assert_uint_eq(bay_channel_unfinished(channel), 0);
	ck_assert_int_eq(next(channel), 1);
	ck_assert_uint_eq(bay_channel_unfinished(channel), 1);
	ck_assert_int_eq(bay_channel_done(channel), BAY_OK);
	end(task);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(a_join_can_be_cancelled_and_sees_the_end_of_the_channel)
{
	struct bay_channel *channel = bay_channel_create(1);
	struct party one = {.channel = channel}, two = one;
	struct bay_task *tasks[2];

	ck_assert_int_eq(bay_channel_try_put(channel, &letters[0]), BAY_OK);
	tasks[0] = start(join, &one);
	tasks[1] = start(join, &two);
	bay_task_cancel(tasks[0], "enough");
	bay_channel_destroy(channel);
	end(tasks[0]);
	end(tasks[1]);
	ck_assert_int_eq(one.status, BAY_CANCELED);
	ck_assert_int_eq(two.status, BAY_CLOSED);
	return BAY_OK;
}

/* --- questions ----------------------------------------------------------------------------------- */

TASK_TEST(a_rendezvous_is_full_unless_somebody_waits_for_an_item)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct party party = {.channel = channel, .item = &letters[0]};
	struct bay_task *task;

	ck_assert(bay_channel_full(channel));
	ck_assert(bay_channel_empty(channel));
	task = start(put, &party);
	ck_assert(!bay_channel_empty(channel));
	ck_assert_int_eq(next(channel), 0);
	ck_assert(bay_channel_empty(channel));
	end(task);
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* --- whoever is cancelled, at whatever moment ------------------------------------------------------ */

enum { SENT = 12 };

struct flow {
	struct bay_channel *channel;
	int put, got, refused;   /* items */
};

static int
put_some(void *arg)
{
	struct flow *flow = arg;

	for (int i = 0; i < SENT; i++) {
		if (bay_channel_put_with(flow->channel, &letters[i], i % 3, (size_t)i % 5, BAY_INHERIT) != BAY_OK) {
			flow->refused++;
			return BAY_OK;
		}
		flow->put++;
	}
	return BAY_OK;
}

static int
get_some(void *arg)
{
	struct flow *flow = arg;
	void *item;

	while (bay_channel_get(flow->channel, &item, BAY_INHERIT) == BAY_OK) {
		flow->got++;
		ck_assert_int_eq(bay_channel_done(flow->channel), BAY_OK);
	}
	return BAY_OK;
}

/* Two put and one gets; the victim is cancelled after that many turns of the others. */
static void
cancel_after(int turns, int victim, size_t capacity, enum bay_channel_order order)
{
	struct flow flow = {.channel = channel_with((struct bay_channel_options){.capacity = capacity,
		.capacity_bytes = 6, .order = order})};
	struct bay_task *tasks[] = {bay_spawn("put", put_some, &flow), bay_spawn("get", get_some, &flow),
		bay_spawn("put", put_some, &flow)};

	for (int i = 0; i < turns; i++)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(tasks[victim], "in its turn");
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq((size_t)(flow.put - flow.got), bay_channel_size(flow.channel));
	ck_assert_uint_eq(bay_channel_unfinished(flow.channel), bay_channel_size(flow.channel));
	if (victim != 1)
		ck_assert_int_eq(bay_channel_join(flow.channel, BAY_INHERIT), BAY_OK);
	(void)bay_channel_close_now(flow.channel);
	for (int i = 0; i < 3; i++)
		end(tasks[i]);
	ck_assert_int_ge(flow.put + flow.refused, victim == 1 ? 0 : SENT);
	bay_channel_destroy(flow.channel);
}

TASK_TEST(nothing_is_lost_at_whatever_turn_somebody_is_cancelled)
{
	for (int turns = 0; turns < 40; turns++)
		for (int victim = 0; victim < 3; victim++)
			for (size_t capacity = 1; capacity < 4; capacity++) {
				cancel_after(turns, victim, capacity, BAY_FIFO);
				cancel_after(turns, victim, capacity, BAY_LIFO);
				cancel_after(turns, victim, capacity, BAY_PRIORITY);
			}
	return BAY_OK;
}

CHECK_MAIN("runtime/channel, with options",
	options_without_sense_are_refused,
	a_channel_has_its_name,
	the_last_in_comes_out_first,
	the_lowest_priority_comes_out_first_and_of_equal_ones_the_oldest,
	bytes_are_a_bound_too,
	items_are_a_bound_beside_bytes,
	nobody_overtakes_a_big_item_and_all_that_fit_go_in_at_once,
	when_a_big_item_gives_up_those_behind_it_go_in,
	destroying_a_channel_after_a_putter_gave_up_is_safe,
	close_now_discards_what_is_left,
	close_now_without_a_discard_forgets,
	destroying_discards_what_is_left,
	join_waits_until_all_is_done,
	what_is_handed_over_directly_has_to_be_done_too,
	a_join_can_be_cancelled_and_sees_the_end_of_the_channel,
	a_rendezvous_is_full_unless_somebody_waits_for_an_item,
	nothing_is_lost_at_whatever_turn_somebody_is_cancelled)
