/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is served when there is more to do than time: one loop, whose clock stands still unless a
 * handler moves it, so that all goes the same way each time. */
#include "config.h"

#include "service/dispatch.h"

#include <inttypes.h>

#include "base/clock.h"
#include "service/instance.h"
#include "service/service_queue.h"
#include "support/services.h"

enum { FLOOD = 1000, BATCH = 64 };

static struct bay_service *flood, *second, *victim;

/* The services in the order in which their handlers began. */
static const struct bay_service *order[4 * FLOOD];
static size_t begun;
static size_t victim_sent;
/* How many had, when both had messages. */
static size_t both_from;
static int64_t cost_ns;

static int
note(struct bay_request *request)
{
	order[begun++] = request->service;
	if (cost_ns > 0)
		clock_move_to(clock_monotonic_ns() + cost_ns);
	/* In the middle of the flood. */
	if (begun == victim_sent)
		ck_assert_int_eq(bay_send(victim, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static const struct bay_plugin *const plugin = PLUGIN(.handle = note);

static void
begin(int64_t cost)
{
	clock_stand_still(INT64_C(1000) * CLOCK_NS_PER_S, 0);
	services_begin(0);
	begun = victim_sent = 0;
	cost_ns = cost;
	flood = services_start(&(struct service_options){.name = "flood", .plugin = plugin, .queue = FLOOD});
	second = services_start(&(struct service_options){.name = "second", .plugin = plugin, .queue = FLOOD});
	victim = services_start(&(struct service_options){.name = "victim", .plugin = plugin, .queue = FLOOD});
}

static void
end(void)
{
	services_end();
	clock_go_on();
}

static void
send_many(struct bay_service *service, int count)
{
	while (count-- > 0)
		ck_assert_int_eq(bay_send(service, NULL, BAY_INHERIT), BAY_OK);
}

/* Not in sleep: a clock that stands still creeps, when it has been looked at a million times. */
static void
wait_for(size_t count)
{
	while (begun < count)
		ck_assert_int_eq(bay_yield(), BAY_OK);
}

static size_t
begun_of(const struct bay_service *service, size_t from, size_t until)
{
	size_t n = 0;

	for (size_t i = from; i < until; i++)
		n += order[i] == service;
	return n;
}

static int
flood_both(void *arg)
{
	(void)arg;
	send_many(flood, FLOOD);
	send_many(second, FLOOD);
	both_from = begun;
	wait_for(2 * FLOOD + (victim_sent != 0));
	return BAY_OK;
}

static size_t
place_of_victim(void)
{
	size_t i = 0;

	while (order[i] != victim)
		i++;
	return i;
}

START_TEST(who_comes_anew_waits_for_one_turn_of_a_flood)
{
	begin(0);
	victim_sent = 1200;
	ck_assert_int_eq(services_run(flood_both, NULL), BAY_OK);
	/* The rest of the turn in which it came. */
	ck_assert_uint_lt(place_of_victim() - victim_sent, BATCH);
	end();
}
END_TEST

/* A handler of a millisecond has the turn for itself: who comes waits for one of them, not for 64. */
START_TEST(a_turn_is_as_long_however_long_a_message_takes)
{
	begin(CLOCK_NS_PER_MS);
	victim_sent = 500;
	ck_assert_int_eq(services_run(flood_both, NULL), BAY_OK);
	ck_assert_uint_le(place_of_victim() - victim_sent, 1);
	end();
}
END_TEST

/* Both always have messages: of so many, which are whole rounds, each has had its share. */
static void
expect_shares(int64_t cost, unsigned weight, unsigned other_weight)
{
	size_t first = 4 * 2 * BATCH, from, of_flood;

	begin(cost);
	flood->instances[0]->weight = weight;
	second->instances[0]->weight = other_weight;
	ck_assert_int_eq(services_run(flood_both, NULL), BAY_OK);
	/* What a message costs has to be learned first. */
	from = both_from + 3 * BATCH;
	of_flood = begun_of(flood, from, from + first);
	ck_assert_msg(of_flood * (weight + other_weight) >= first * weight * 17 / 20 &&
		of_flood * (weight + other_weight) <= first * weight * 23 / 20, "%zu of %zu of %" PRId64 " ns with weights %u and %u",
		of_flood, first, cost, weight, other_weight);
	end();
}

START_TEST(weights_are_shares)
{
	expect_shares(0, 100, 100);
	expect_shares(0, 50, 150);
	expect_shares(0, 150, 50);
	expect_shares(100 * CLOCK_NS_PER_US, 50, 150);
	expect_shares(CLOCK_NS_PER_MS, 50, 150);
	expect_shares(CLOCK_NS_PER_MS, 100, 100);
}
END_TEST

START_TEST(one_alone_waits_for_nobody)
{
	begin(CLOCK_NS_PER_MS);
	flood->instances[0]->weight = 1;
	second->instances[0]->weight = 1;
	ck_assert_int_eq(services_run(flood_both, NULL), BAY_OK);
	ck_assert_uint_eq(begun_of(flood, 0, 2 * FLOOD), FLOOD);
	end();
}
END_TEST

CHECK_MAIN("service/fairness",
	who_comes_anew_waits_for_one_turn_of_a_flood,
	a_turn_is_as_long_however_long_a_message_takes,
	weights_are_shares,
	one_alone_waits_for_nobody)
