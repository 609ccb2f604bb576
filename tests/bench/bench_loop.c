/* SPDX-License-Identifier: BSD-2-Clause */
/* The wheel, the inbox, and the way from one loop to another. */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench/bench.h"
#include "loop/loop.h"

enum { MS = CLOCK_NS_PER_MS };

/* --- timers ----------------------------------------------------------------- */

struct timers {
	struct wheel wheel;
	struct timer *timers;
	int64_t count;
	int64_t now_ns;
	uint64_t seed;
};

static void
timer_fired(struct timer *timer)
{
	(void)timer;
}

static int64_t
timers_random_span(struct timers *timers)
{
	timers->seed ^= timers->seed << 13;
	timers->seed ^= timers->seed >> 7;
	timers->seed ^= timers->seed << 17;
	return (int64_t)(timers->seed % 1000) * MS;
}

static void
timers_init(struct timers *timers, int64_t count)
{
	timers->count = count;
	timers->now_ns = clock_monotonic_ns();
	timers->seed = 88172645463325252U;
	timers->timers = xcalloc((size_t)count, sizeof(*timers->timers));
	for (int64_t i = 0; i < count; i++)
		timer_init(&timers->timers[i], timer_fired);
	wheel_init(&timers->wheel, timers->now_ns);
}

/* Timeouts as most are: added, and removed before their time. */
static void
timers_add_and_remove(void *arg, int64_t count)
{
	struct timers *timers = arg;

	for (int64_t i = 0; i < count; i++) {
		struct timer *timer = &timers->timers[i % timers->count];

		wheel_add(&timers->wheel, timer, timers->now_ns + 5000 * (int64_t)MS);
		wheel_remove(&timers->wheel, timer);
	}
}

/* All within a second, fired as time goes by in steps of 50 us. */
static void
timers_add_and_fire(void *arg, int64_t count)
{
	struct timers *timers = arg;

	for (int64_t done = 0; done < count; done += timers->count) {
		for (int64_t i = 0; i < timers->count; i++)
			wheel_add(&timers->wheel, &timers->timers[i],
				timers->now_ns + timers_random_span(timers));
		while (wheel_next_ns(&timers->wheel) != INT64_MAX) {
			timers->now_ns += 50 * CLOCK_NS_PER_US;
			wheel_advance(&timers->wheel, timers->now_ns);
		}
	}
}

/* Short sleeps of few tasks. */
static void
timers_add_and_fire_soon(void *arg, int64_t count)
{
	struct timers *timers = arg;

	for (int64_t i = 0; i < count; i++) {
		wheel_add(&timers->wheel, &timers->timers[i % timers->count],
			timers->now_ns + MS);
		timers->now_ns += 10 * CLOCK_NS_PER_US;
		wheel_advance(&timers->wheel, timers->now_ns);
	}
}

static void
bench_timers(void)
{
	static struct timers timers;

	timers_init(&timers, 1000);
	bench_run("timer_add_and_remove", timers_add_and_remove, &timers, 5000000);
	bench_run("timer_add_and_fire", timers_add_and_fire_soon, &timers, 2000000);
	free(timers.timers);
	timers_init(&timers, 100000);
	bench_run("timer_add_and_fire_100k", timers_add_and_fire, &timers, 1000000);
	free(timers.timers);
	timers_init(&timers, 1000000);
	bench_run("timer_add_and_fire_1m", timers_add_and_fire, &timers, 1000000);
	free(timers.timers);
}

/* --- one thread -------------------------------------------------------------- */

static void
nothing(struct inbox_item *item)
{
	(void)item;
}

static void
post_and_drain(void *arg, int64_t count)
{
	struct inbox_item item = {.run = nothing};
	struct loop *loop = arg;

	for (int64_t i = 0; i < count; i++) {
		loop_post(loop, &item);
		loop_drain_inbox(loop);
	}
}

static void
drain_nothing(void *arg, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		loop_drain_inbox(arg);
}

static void
poll_nothing(void *arg, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		loop_poll(arg);
}

/* --- two threads ------------------------------------------------------------- */

struct side {
	struct loop loop;
	struct inbox_item ball;
	struct side *other;
	int64_t left;
	int64_t hold_ns;
	bool stop;
};

static void
side_got_ball(struct inbox_item *item)
{
	struct side *side = container_of(item, struct side, ball);

	if (side->hold_ns > 0) {
		int64_t until_ns = clock_monotonic_ns() + side->hold_ns;

		while (clock_monotonic_ns() < until_ns)
			continue;
	}
	if (--side->left <= 0)
		side->stop = true;
	if (side->left >= 0)
		loop_post(&side->other->loop, &side->other->ball);
}

static void *
side_play(void *arg)
{
	struct side *side = arg;

	while (!side->stop) {
		if (!loop_drain_inbox(&side->loop))
			loop_wait(&side->loop, INT64_MAX);
	}
	return NULL;
}

/* How long a message is on the way, there and back being two. */
static double
ping_pong(int64_t rounds, int64_t hold_ns, bool may_spin)
{
	static struct side sides[2];
	int64_t start_ns, ns;
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		sides[i] = (struct side){.ball.run = side_got_ball, .other = &sides[1 - i],
			.left = rounds, .hold_ns = hold_ns};
		if (!loop_init(&sides[i].loop, "bench"))
			exit(1);
		sides[i].loop._may_spin &= may_spin;
	}
	if (pthread_create(&thread, NULL, side_play, &sides[1]) != 0)
		exit(1);
	start_ns = clock_monotonic_ns();
	loop_post(&sides[0].loop, &sides[0].ball);
	side_play(&sides[0]);
	pthread_join(thread, NULL);
	ns = clock_monotonic_ns() - start_ns;
	for (int i = 0; i < 2; i++)
		loop_finish(&sides[i].loop);
	return (double)ns / (double)rounds / 2 - (double)hold_ns;
}

static void
bench_ping_pong(const char *scenario, int64_t rounds, int64_t hold_ns, bool may_spin)
{
	double each_ns[BENCH_RUNS_MAX];

	if (!bench_wanted(scenario))
		return;
	for (int run = 0; run < bench_runs(); run++)
		each_ns[run] = ping_pong(rounds, hold_ns, may_spin);
	bench_print(scenario, each_ns, bench_runs(), "ns");
}

int
main(void)
{
	static struct loop loop;

	bench_timers();
	if (!loop_init(&loop, "bench"))
		return 1;
	bench_run("inbox_look", drain_nothing, &loop, 10000000);
	bench_run("inbox_post_and_run", post_and_drain, &loop, 5000000);
	bench_run("loop_poll", poll_nothing, &loop, 200000);
	loop_finish(&loop);
	bench_ping_pong("loop_post_spinning", 200000, 0, true);
	bench_ping_pong("loop_post_held_10us", 10000, 10 * CLOCK_NS_PER_US, true);
	bench_ping_pong("loop_post_held_40us", 5000, 40 * CLOCK_NS_PER_US, true);
	bench_ping_pong("loop_post_held_200us", 2000, 200 * CLOCK_NS_PER_US, true);
	bench_ping_pong("loop_post_asleep", 20000, 0, false);
	bench_ping_pong("loop_post_asleep_held_200us", 2000,
		200 * CLOCK_NS_PER_US, false);
	return 0;
}
