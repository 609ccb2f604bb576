/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/timer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/check_main.h"

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)

/* A time as after some days of uptime, and not at the beginning of a tick. */
#define START (INT64_C(1234567) * SECOND + 12345)

static struct wheel wheel;
static int64_t now;

/* What the wheel shall do, in the simplest way: each timer knows when it is wanted. */
struct probe {
	struct timer timer;
	bool wanted;
	unsigned fired;
	int64_t fired_ns;
	unsigned order;
	void (*then)(struct probe *);
};

static unsigned order;

static void
probe_fired(struct timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	if (timer_armed(timer) || !probe->wanted)
		ck_abort_msg("fires though it is not to");
	if (now < timer->when_ns)
		ck_abort_msg("%" PRId64 " ns early", timer->when_ns - now);
	probe->wanted = false;
	probe->fired++;
	probe->fired_ns = now;
	probe->order = ++order;
	if (probe->then != NULL)
		probe->then(probe);
}

static void
probe_init(struct probe *probe)
{
	memset(probe, 0, sizeof(*probe));
	timer_init(&probe->timer, probe_fired);
}

static void
probe_add(struct probe *probe, int64_t when_ns)
{
	wheel_add(&wheel, &probe->timer, when_ns);
	probe->wanted = true;
}

static unsigned
advance(int64_t to)
{
	now = to;
	return wheel_advance(&wheel, now);
}

static void
setup(void)
{
	now = START;
	order = 0;
	wheel_init(&wheel, now);
}

START_TEST(an_empty_wheel_has_no_next_time)
{
	setup();
	ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
	ck_assert_uint_eq(advance(START + DAY), 0);
	ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
}
END_TEST

/* From a fraction of a tick to a century. */
START_TEST(a_timer_fires_in_its_tick_and_never_before)
{
	static const int64_t spans[] = {1, 1000, 65536, 65537, MS, 16 * MS, 17 * MS, 100 * MS,
		SECOND, 5 * SECOND, 3600 * SECOND, DAY, 100 * DAY, 1000 * DAY, 36500 * DAY};

	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		struct probe probe;
		int64_t when_ns;
		int wakes = 0;

		setup();
		probe_init(&probe);
		when_ns = START + spans[i];
		probe_add(&probe, when_ns);
		ck_assert(timer_armed(&probe.timer));
		ck_assert_uint_eq(advance(when_ns - 1), 0);
		/* Sleeping until wheel_next_ns gets there in a few steps. */
		while (probe.fired == 0) {
			int64_t next_ns = wheel_next_ns(&wheel);

			ck_assert_int_lt(next_ns, when_ns + WHEEL_TICK_NS);
			advance(next_ns > now ? next_ns : now);
			ck_assert_int_le(++wakes, WHEEL_LEVELS + 1);
		}
		ck_assert_int_ge(probe.fired_ns, when_ns);
		ck_assert_int_lt(probe.fired_ns, when_ns + WHEEL_TICK_NS);
		ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
	}
}
END_TEST

START_TEST(a_tick_that_has_passed_fires_at_the_next_advance)
{
	static const int64_t times[] = {START - WHEEL_TICK_NS, START - SECOND, 1, 0, -1, INT64_MIN};
	struct probe probe;

	setup();
	probe_init(&probe);
	for (unsigned i = 0; i < sizeof(times) / sizeof(*times); i++) {
		probe_add(&probe, times[i]);
		ck_assert(timer_armed(&probe.timer));
		ck_assert_uint_eq(probe.fired, i);
		ck_assert_int_le(wheel_next_ns(&wheel), now);
		advance(now);
		ck_assert_uint_eq(probe.fired, i + 1);
	}
}
END_TEST

START_TEST(the_end_of_time_is_never)
{
	struct probe probe;

	setup();
	probe_init(&probe);
	probe_add(&probe, INT64_MAX);
	ck_assert_int_ge(wheel_next_ns(&wheel), START + 100 * DAY);
	advance(START + 36500 * DAY);
	ck_assert_uint_eq(probe.fired, 0);
	wheel_remove(&wheel, &probe.timer);
	ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
}
END_TEST

START_TEST(removing_is_idempotent_and_leaves_nothing_to_wake_for)
{
	struct probe a, b;

	setup();
	probe_init(&a);
	probe_init(&b);
	wheel_remove(&wheel, &a.timer);
	probe_add(&a, START + SECOND);
	probe_add(&b, START + SECOND);
	wheel_remove(&wheel, &a.timer);
	wheel_remove(&wheel, &a.timer);
	ck_assert(!timer_armed(&a.timer));
	ck_assert_int_lt(wheel_next_ns(&wheel), INT64_MAX);
	wheel_remove(&wheel, &b.timer);
	ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
	ck_assert_uint_eq(advance(START + 2 * SECOND), 0);
}
END_TEST

START_TEST(adding_an_armed_timer_moves_it)
{
	struct probe probe;

	setup();
	probe_init(&probe);
	probe_add(&probe, START + MS);
	probe_add(&probe, START + SECOND);
	ck_assert_uint_eq(advance(START + 10 * MS), 0);
	probe_add(&probe, START + 20 * MS);
	ck_assert_uint_eq(advance(START + 2 * SECOND), 1);
	ck_assert_uint_eq(probe.fired, 1);
}
END_TEST

START_TEST(timers_of_one_tick_fire_in_the_order_of_adding)
{
	struct probe probes[50];

	setup();
	for (int i = 0; i < 50; i++) {
		probe_init(&probes[i]);
		probe_add(&probes[i], START + SECOND);
	}
	advance(START + 2 * SECOND);
	for (unsigned i = 0; i < 50; i++)
		ck_assert_uint_eq(probes[i].order, i + 1);
}
END_TEST

static void
again_now(struct probe *probe)
{
	probe_add(probe, now);
}

START_TEST(a_timer_that_adds_itself_for_now_does_not_hold_up_the_wheel)
{
	struct probe probe;

	setup();
	probe_init(&probe);
	probe.then = again_now;
	probe_add(&probe, START + MS);
	for (unsigned i = 1; i < 10; i++) {
		advance(START + i * 10 * MS);
		ck_assert_uint_eq(probe.fired, i);
		ck_assert(timer_armed(&probe.timer));
	}
}
END_TEST

static struct probe victims[3];

static void
remove_the_others(struct probe *probe)
{
	for (int i = 0; i < 3; i++) {
		if (&victims[i] != probe) {
			wheel_remove(&wheel, &victims[i].timer);
			victims[i].wanted = false;
		}
	}
}

START_TEST(a_timer_may_remove_others_that_are_about_to_fire)
{
	setup();
	for (int i = 0; i < 3; i++) {
		probe_init(&victims[i]);
		victims[i].then = remove_the_others;
		probe_add(&victims[i], START + 3 * MS);
	}
	ck_assert_uint_eq(advance(START + 10 * MS), 1);
	ck_assert_uint_eq(victims[0].fired, 1);
	ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
}
END_TEST

/* --- against a plain list, with random operations --------------------------- */

static uint64_t seed;

static uint64_t
random_below(uint64_t bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % bound;
}

/* Mostly near, sometimes far, sometimes on the edges of ticks and levels. */
static int64_t
random_span(void)
{
	int64_t edge;

	switch (random_below(5)) {
	case 0:
		return (int64_t)random_below(200 * 1000);
	case 1:
		return (int64_t)random_below(50 * (uint64_t)MS);
	case 2:
		return (int64_t)random_below(20 * (uint64_t)SECOND);
	case 3:
		return (int64_t)random_below(3 * (uint64_t)DAY);
	default:
		edge = INT64_C(1) << (WHEEL_TICK_SHIFT + 8 * random_below(4));
		edge = (now / edge + 1) * edge + (int64_t)random_below(3) - 1;
		return edge - now;
	}
}

static void
maybe_add_again(struct probe *probe)
{
	if (random_below(2) == 0)
		probe_add(probe, now + random_span());
}

enum { PROBES = 300 };

/* Nothing is overdue, and nobody needs to wake before wheel_next_ns. */
static void
check_against_list(struct probe *probes, int64_t slept_until)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < PROBES; i++) {
		/* Plain tests: each ck_assert is a system call. */
		if (timer_armed(&probes[i].timer) != probes[i].wanted)
			ck_abort_msg("probe %d: armed is wrong", i);
		if (!probes[i].wanted)
			continue;
		if (probes[i].timer.when_ns + WHEEL_TICK_NS <= slept_until)
			ck_abort_msg("probe %d: overdue", i);
		if (probes[i].timer.when_ns < first)
			first = probes[i].timer.when_ns;
	}
	if (first == INT64_MAX)
		ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
	else
		ck_assert_int_lt(wheel_next_ns(&wheel), first + WHEEL_TICK_NS);
}

static void
random_operation(struct probe *probes)
{
	struct probe *probe = &probes[random_below(PROBES)];
	int64_t next_ns;

	switch (random_below(6)) {
	case 0:
		wheel_remove(&wheel, &probe->timer);
		probe->wanted = false;
		break;
	case 1:
		advance(now + random_span());
		check_against_list(probes, now);
		break;
	case 2:
		/* As a loop sleeps: when it wakes by the wheel, nothing may have been missed. */
		next_ns = wheel_next_ns(&wheel);
		if (next_ns != INT64_MAX && next_ns > now) {
			ck_assert_uint_eq(advance(next_ns - 1), 0);
			advance(next_ns);
			check_against_list(probes, now);
		}
		break;
	default:
		probe_add(probe, now + random_span());
		break;
	}
}

START_TEST(any_sequence_of_operations_fires_what_is_due)
{
	struct probe *probes = xcalloc(PROBES, sizeof(*probes));

	for (unsigned round = 1; round <= 40; round++) {
		setup();
		seed = round * UINT64_C(0x9e3779b97f4a7c15);
		for (int i = 0; i < PROBES; i++) {
			probe_init(&probes[i]);
			probes[i].then = maybe_add_again;
		}
		for (int i = 0; i < 2500; i++)
			random_operation(probes);
		for (int i = 0; i < PROBES; i++)
			probes[i].then = NULL;
		advance(now + 10 * DAY);
		for (int i = 0; i < PROBES; i++)
			ck_assert(!probes[i].wanted);
		ck_assert_int_eq(wheel_next_ns(&wheel), INT64_MAX);
	}
	free(probes);
}
END_TEST

/* Goes from timer to timer as a clock that is moved does. */
static unsigned
advance_to_the_first(void)
{
	now = wheel_first_ns(&wheel);
	return wheel_advance_exactly(&wheel, now);
}

START_TEST(moved_from_timer_to_timer_each_fires_at_its_time_exactly)
{
	static const int64_t spans[] = {1, 2, 1000, 65536, 65537, 65538, MS, 16 * MS, 17 * MS, SECOND,
		3600 * SECOND, DAY, 36500 * DAY};
	struct probe probes[sizeof(spans) / sizeof(*spans)];
	size_t i, count = sizeof(spans) / sizeof(*spans);

	setup();
	for (i = count; i-- > 0;) {
		probe_init(&probes[i]);
		probe_add(&probes[i], START + spans[i]);
	}
	for (i = 0; i < count; i++) {
		ck_assert_int_eq(wheel_first_ns(&wheel), START + spans[i]);
		ck_assert_uint_eq(wheel_advance_exactly(&wheel, START + spans[i] - 1), 0);
		ck_assert_uint_eq(advance_to_the_first(), 1);
		ck_assert_int_eq(probes[i].fired_ns, START + spans[i]);
	}
	ck_assert_int_eq(wheel_first_ns(&wheel), INT64_MAX);
}
END_TEST

/* Adds itself for a little later, within the tick that has begun. */
static void
add_again_soon(struct probe *probe)
{
	if (probe->fired < 100)
		probe_add(probe, now + 7);
}

START_TEST(within_a_tick_too_time_goes_on_exactly)
{
	struct probe probe, later;

	setup();
	probe_init(&probe);
	probe_init(&later);
	probe.then = add_again_soon;
	probe_add(&probe, START);
	probe_add(&later, START + 95 * 7 + 1);
	for (int i = 0; i < 100; i++) {
		if (later.wanted && wheel_first_ns(&wheel) == START + 95 * 7 + 1)
			ck_assert_uint_eq(advance_to_the_first(), 1);
		ck_assert_uint_eq(advance_to_the_first(), 1);
		ck_assert_int_eq(probe.fired_ns, START + i * 7);
	}
	ck_assert_uint_eq(later.fired, 1);
	ck_assert_int_eq(later.fired_ns, START + 95 * 7 + 1);
	ck_assert_int_eq(wheel_first_ns(&wheel), INT64_MAX);
}
END_TEST

START_TEST(any_timers_fire_in_the_order_of_their_times)
{
	enum { MANY = 500 };
	struct probe *many = xcalloc(MANY, sizeof(*many));
	unsigned fired = 0;
	int64_t last_ns = 0;

	srand(1);
	setup();
	for (int i = 0; i < MANY; i++) {
		probe_init(&many[i]);
		probe_add(&many[i], START + ((int64_t)rand() << (rand() % 28)));
	}
	while (fired < MANY) {
		fired += advance_to_the_first();
		ck_assert_int_gt(now, last_ns);
		last_ns = now;
	}
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(many[i].fired_ns, many[i].timer.when_ns);
	free(many);
}
END_TEST

CHECK_MAIN("loop/timer",
	moved_from_timer_to_timer_each_fires_at_its_time_exactly,
	within_a_tick_too_time_goes_on_exactly,
	any_timers_fire_in_the_order_of_their_times,
	an_empty_wheel_has_no_next_time,
	a_timer_fires_in_its_tick_and_never_before,
	a_tick_that_has_passed_fires_at_the_next_advance,
	the_end_of_time_is_never,
	removing_is_idempotent_and_leaves_nothing_to_wake_for,
	adding_an_armed_timer_moves_it,
	timers_of_one_tick_fire_in_the_order_of_adding,
	a_timer_that_adds_itself_for_now_does_not_hold_up_the_wheel,
	a_timer_may_remove_others_that_are_about_to_fire,
	any_sequence_of_operations_fires_what_is_due)
