/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "support/check_main.h"

#if defined(BAY_TSAN)
enum { ROUNDS = 5000 };
#else
enum { ROUNDS = 100000 };
#endif

struct counted {
	struct inbox_item item;
	int runs;
};

static void
counted_run(struct inbox_item *item)
{
	container_of(item, struct counted, item)->runs++;
}

START_TEST(what_is_posted_runs_when_the_inbox_is_drained)
{
	struct counted a = {.item.run = counted_run}, b = {.item.run = counted_run};
	struct loop loop;

	ck_assert(loop_init(&loop, "test"));
	ck_assert(!loop_drain_inbox(&loop));
	loop_post(&loop, &a.item);
	loop_post(&loop, &b.item);
	/* With something in the inbox there is nothing to wait for. */
	loop_wait(&loop, INT64_MAX);
	ck_assert_int_eq(a.runs, 0);
	ck_assert(loop_drain_inbox(&loop));
	ck_assert_int_eq(a.runs, 1);
	ck_assert_int_eq(b.runs, 1);
	ck_assert(!loop_drain_inbox(&loop));
	loop_finish(&loop);
}
END_TEST

START_TEST(a_wait_ends_at_its_time_and_not_before)
{
	struct loop loop;

	ck_assert(loop_init(&loop, "test"));
	for (int64_t span_ns = 1000; span_ns < 50 * CLOCK_NS_PER_MS; span_ns *= 3) {
		int64_t until_ns = loop_now(&loop) + span_ns;

		/* It may return for no reason, but not for ever. */
		for (int returns = 0; loop_now(&loop) < until_ns; returns++) {
			loop_wait(&loop, until_ns);
			ck_assert_int_lt(returns, 10);
		}
	}
	loop_wait(&loop, 0);
	loop_wait(&loop, loop_now(&loop) - 1);
	loop_finish(&loop);
}
END_TEST

struct tick {
	struct timer timer;
	struct loop *loop;
	int64_t fired_ns;
};

static void
tick_fired(struct timer *timer)
{
	struct tick *tick = container_of(timer, struct tick, timer);

	tick->fired_ns = tick->loop->now_ns;
	ck_assert_int_ge(tick->fired_ns, timer->when_ns);
}

START_TEST(a_wait_ends_for_a_timer_of_the_wheel)
{
	struct loop loop;
	struct tick tick = {.loop = &loop};

	ck_assert(loop_init(&loop, "test"));
	timer_init(&tick.timer, tick_fired);
	for (int i = 0; i < 20; i++) {
		int64_t when_ns = loop_now(&loop) + (i % 5) * 3 * CLOCK_NS_PER_MS / 2;

		tick.fired_ns = 0;
		wheel_add(&loop.wheel, &tick.timer, when_ns);
		while (tick.fired_ns == 0)
			loop_wait(&loop, INT64_MAX);
		ck_assert_int_ge(tick.fired_ns, when_ns);
	}
	loop_finish(&loop);
}
END_TEST

START_TEST(polling_fires_timers_and_does_not_wait)
{
	struct loop loop;
	struct tick soon = {.loop = &loop}, later = {.loop = &loop};

	ck_assert(loop_init(&loop, "test"));
	timer_init(&soon.timer, tick_fired);
	timer_init(&later.timer, tick_fired);
	wheel_add(&loop.wheel, &soon.timer, loop_now(&loop));
	wheel_add(&loop.wheel, &later.timer, loop.now_ns + INT64_C(3600) * CLOCK_NS_PER_S);
	while (soon.fired_ns == 0)
		loop_poll(&loop);
	ck_assert(timer_armed(&later.timer));
	ck_assert_uint_gt(loop.polls, 0);
	loop_finish(&loop);
}
END_TEST

static void
on_readable(evutil_socket_t fd, short events, void *arg)
{
	char byte;

	(void)events;
	if (read(fd, &byte, 1) == 1)
		++*(int *)arg;
}

START_TEST(a_wait_ends_for_a_descriptor)
{
	struct loop loop;
	struct event *event;
	int reads = 0;
	int fds[2];

	ck_assert(loop_init(&loop, "test"));
	ck_assert_int_eq(pipe(fds), 0);
	event = event_new(loop.base, fds[0], EV_READ | EV_PERSIST, on_readable, &reads);
	ck_assert_int_eq(event_add(event, NULL), 0);
	for (int i = 1; i <= 50; i++) {
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
		while (reads < i)
			loop_wait(&loop, INT64_MAX);
	}
	event_free(event);
	loop_finish(&loop);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* --- two threads ------------------------------------------------------------ */

/* A ball that is lost on the way (a wake that is lost) is a test that never ends. */
struct side {
	struct loop loop;
	struct inbox_item ball;
	struct side *other;
	int received;
	int rounds;
	int64_t hold_ns; /* at most this long, by chance */
	unsigned seed;
	bool ends;
};

static void
side_hold_ball(struct side *side)
{
	int64_t until_ns = clock_monotonic_ns() + rand_r(&side->seed) % (side->hold_ns + 1);

	while (clock_monotonic_ns() < until_ns)
		continue;
}

static void
ball_arrived(struct inbox_item *item)
{
	struct side *side = container_of(item, struct side, ball);

	side->received++;
	if (side->hold_ns > 0)
		side_hold_ball(side);
	if (!side->ends || side->received < side->rounds)
		loop_post(&side->other->loop, &side->other->ball);
}

static void *
side_play(void *arg)
{
	struct side *side = arg;

	while (side->received < side->rounds) {
		if (!loop_drain_inbox(&side->loop))
			loop_wait(&side->loop, INT64_MAX);
	}
	return NULL;
}

static struct side sides[2];

static void
play(int rounds, int64_t hold_ns, bool may_spin)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		sides[i] = (struct side){.ball.run = ball_arrived, .other = &sides[1 - i],
			.rounds = rounds, .hold_ns = hold_ns, .seed = (unsigned)i, .ends = i == 1};
		ck_assert(loop_init(&sides[i].loop, "test"));
		sides[i].loop._may_spin &= may_spin;
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, side_play, &sides[i]), 0);
	loop_post(&sides[0].loop, &sides[0].ball);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(sides[i].received, rounds);
		loop_finish(&sides[i].loop);
	}
}

START_TEST(no_wake_is_lost_between_loops_that_look_before_they_sleep)
{
	play(ROUNDS, 0, true);
}
END_TEST

START_TEST(no_wake_is_lost_between_loops_that_sleep_at_once)
{
	play(ROUNDS / 10, 0, false);
	ck_assert_uint_gt(sides[0].loop.sleeps, 0);
	ck_assert_uint_eq(sides[0].loop.spins, 0);
}
END_TEST

START_TEST(no_wake_is_lost_around_the_moment_of_falling_asleep)
{
	play(ROUNDS / 20, 120 * CLOCK_NS_PER_US, true);
}
END_TEST

/* --- work that comes another way --------------------------------------------- */

static atomic_int shared_work;
static atomic_int shared_done;

static bool
has_shared_work(void *arg)
{
	(void)arg;
	return atomic_load_explicit(&shared_work, memory_order_relaxed) > 0;
}

static void *
shared_worker(void *arg)
{
	struct loop *loop = arg;

	while (atomic_load(&shared_done) < ROUNDS / 10) {
		if (has_shared_work(NULL)) {
			atomic_fetch_sub(&shared_work, 1);
			atomic_fetch_add(&shared_done, 1);
		} else {
			loop_wait(loop, INT64_MAX);
		}
	}
	return NULL;
}

START_TEST(a_queue_of_ones_own_loses_no_wake_either)
{
	struct loop loop;
	pthread_t thread;
	unsigned woken = 0;

	ck_assert(loop_init(&loop, "test"));
	loop_set_has_work(&loop, has_shared_work, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, shared_worker, &loop), 0);
	for (int i = 0; i < ROUNDS / 10; i++) {
		atomic_fetch_add_explicit(&shared_work, 1, memory_order_relaxed);
		woken += loop_wake(&loop);
		while (i % 7 == 0 && atomic_load(&shared_done) <= i)
			sched_yield();
	}
	pthread_join(thread, NULL);
	ck_assert_uint_le(woken, ROUNDS / 10);
	ck_assert(!loop_wake(&loop));
	ck_assert(!loop_sleeping(&loop));
	loop_finish(&loop);
}
END_TEST

static bool
event_has_come(void *arg)
{
	return *(int *)arg > 0;
}

/* While it looks for work, too, and not only when it sleeps. */
START_TEST(events_are_seen_while_looking_for_work)
{
	struct loop loop;
	struct event *event;
	int reads = 0;
	int fds[2];

	ck_assert(loop_init(&loop, "test"));
	loop_set_has_work(&loop, event_has_come, &reads);
	ck_assert_int_eq(pipe(fds), 0);
	event = event_new(loop.base, fds[0], EV_READ | EV_PERSIST, on_readable, &reads);
	ck_assert_int_eq(event_add(event, NULL), 0);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
		while (reads == 0)
			loop_wait(&loop, INT64_MAX);
		reads = 0;
	}
	if (loop._may_spin)
		ck_assert_uint_gt(loop.spins, 0);
	event_free(event);
	loop_finish(&loop);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* How often it asked for work until an event had come. */
struct glances {
	int reads;
	int asked;
	int asked_before_event;
	int work_after;     /* there is work when it has asked so often; 0: never */
};

static bool
glance(void *arg)
{
	struct glances *glances = arg;

	glances->asked++;
	if (glances->reads == 0)
		glances->asked_before_event = glances->asked;
	return glances->reads > 0 || (glances->work_after > 0 && glances->asked >= glances->work_after);
}

static void
on_readable_for_glances(evutil_socket_t fd, short what, void *arg)
{
	on_readable(fd, what, &((struct glances *)arg)->reads);
}

/* As one that mostly waits for short. */
static int
glances_of_wait(struct loop *loop, struct glances *glances, int work_after)
{
	*glances = (struct glances){.work_after = work_after};
	loop->_may_spin = true;
	loop->_idle_ns = 0;
	loop_wait(loop, INT64_MAX);
	return glances->asked_before_event;
}

START_TEST(a_loop_that_lives_by_events_looks_at_them_first)
{
	struct glances glances = {.reads = 0};
	struct loop loop;
	struct event *event;
	int fds[2];

	ck_assert(loop_init(&loop, "test"));
	loop_set_has_work(&loop, glance, &glances);
	ck_assert_int_eq(pipe(fds), 0);
	event = event_new(loop.base, fds[0], EV_READ | EV_PERSIST, on_readable_for_glances, &glances);
	ck_assert_int_eq(event_add(event, NULL), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_gt(glances_of_wait(&loop, &glances, 0), 16);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(write(fds[1], "x", 1), 1);
		ck_assert_int_eq(glances_of_wait(&loop, &glances, 0), 1);
		ck_assert_int_eq(glances.reads, 1);
	}
	/* Work that did not come from events turns that around. */
	ck_assert_int_eq(glances_of_wait(&loop, &glances, 1), 1);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_gt(glances_of_wait(&loop, &glances, 0), 16);
	event_free(event);
	loop_finish(&loop);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* A loop that has nothing to do for long uses no processor time. */
START_TEST(an_idle_loop_sleeps)
{
	struct loop loop;
	struct rusage before, after;
	int64_t used_us;
	int64_t until_ns;

	ck_assert(loop_init(&loop, "test"));
	getrusage(RUSAGE_THREAD, &before);
	until_ns = loop_now(&loop) + 300 * CLOCK_NS_PER_MS;
	while (loop_now(&loop) < until_ns)
		loop_wait(&loop, until_ns);
	getrusage(RUSAGE_THREAD, &after);
	used_us = (after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
			  before.ru_stime.tv_sec) * 1000000 +
		after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
		before.ru_stime.tv_usec;
	ck_assert_int_lt(used_us, 100 * 1000);
	ck_assert_uint_lt(loop.sleeps, 10);
	loop_finish(&loop);
}
END_TEST

START_TEST(loops_leave_no_descriptor_behind)
{
	int before = dup(0);

	close(before);
	for (int i = 0; i < 10; i++) {
		struct loop loop;

		ck_assert(loop_init(&loop, "test"));
		loop_finish(&loop);
	}
	ck_assert_int_eq(dup(0), before);
}
END_TEST

START_TEST(a_loop_without_descriptors_is_refused)
{
	struct rlimit before, limit;
	struct loop loop;
	int next = dup(0);

	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)next;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(!loop_init(&loop, "test"));
	ck_assert_int_eq(errno, EMFILE);
	/* Sanitizers want descriptors at the end. */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* --- a clock that stands still --------------------------------------------------------- */

struct idle {
	int64_t patience_ns; /* to answer */
	int64_t until_ns;    /* what was told last */
	int times;
};

static int64_t
on_idle(struct loop *loop, int64_t until_ns, void *arg)
{
	struct idle *idle = arg;

	(void)loop;
	idle->until_ns = until_ns;
	idle->times++;
	return idle->patience_ns;
}

static int64_t fired_at_ns;

static void
note_time(struct timer *timer)
{
	(void)timer;
	fired_at_ns = clock_monotonic_ns();
}

START_TEST(a_clock_that_stands_still_is_moved_to_the_next_timer)
{
	struct idle idle = {.times = 0};
	struct timer timer;
	struct loop loop;
	int64_t begin_ns;

	clock_stand_still(CLOCK_NS_PER_S, 0);
	ck_assert(loop_init(&loop, "test"));
	loop_set_idle(&loop, on_idle, &idle);
	begin_ns = clock_kernel_ns();
	timer_init(&timer, note_time);
	wheel_add(&loop.wheel, &timer, INT64_C(3601) * CLOCK_NS_PER_S + 7);
	loop_wait(&loop, INT64_MAX);
	ck_assert_int_eq(fired_at_ns, INT64_C(3601) * CLOCK_NS_PER_S + 7);
	ck_assert_int_eq(idle.until_ns, fired_at_ns);
	ck_assert_int_eq(idle.times, 1);
	ck_assert_int_lt(clock_kernel_ns() - begin_ns, INT64_C(1800) * CLOCK_NS_PER_S);
	loop_finish(&loop);
	clock_go_on();
}
END_TEST

START_TEST(before_that_the_world_outside_has_the_time_that_it_is_given)
{
	struct idle idle = {.patience_ns = 20 * CLOCK_NS_PER_MS};
	struct timer timer;
	struct loop loop;
	int64_t begin_ns;

	clock_stand_still(CLOCK_NS_PER_S, 0);
	ck_assert(loop_init(&loop, "test"));
	loop_set_idle(&loop, on_idle, &idle);
	timer_init(&timer, note_time);
	wheel_add(&loop.wheel, &timer, INT64_C(3600) * CLOCK_NS_PER_S);
	begin_ns = clock_kernel_ns();
	while (timer_armed(&timer))
		loop_wait(&loop, INT64_MAX);
	ck_assert_int_ge(clock_kernel_ns() - begin_ns, idle.patience_ns);
	/* Never longer than the wait itself. */
	idle.patience_ns = INT64_MAX;
	wheel_add(&loop.wheel, &timer, clock_monotonic_ns() + 5 * CLOCK_NS_PER_MS);
	begin_ns = clock_kernel_ns();
	while (timer_armed(&timer))
		loop_wait(&loop, INT64_MAX);
	ck_assert_int_ge(clock_kernel_ns() - begin_ns, 5 * CLOCK_NS_PER_MS);
	loop_finish(&loop);
	clock_go_on();
}
END_TEST

START_TEST(what_comes_meanwhile_leaves_the_clock_where_it_is)
{
	struct idle idle = {.patience_ns = INT64_MAX};
	struct counted posted = {.item.run = counted_run};
	struct timer timer;
	struct loop loop;

	clock_stand_still(CLOCK_NS_PER_S, 0);
	ck_assert(loop_init(&loop, "test"));
	loop_set_idle(&loop, on_idle, &idle);
	timer_init(&timer, note_time);
	wheel_add(&loop.wheel, &timer, INT64_C(3600) * CLOCK_NS_PER_S);
	loop_post(&loop, &posted.item);
	loop_wait(&loop, INT64_MAX);
	ck_assert(loop_drain_inbox(&loop));
	ck_assert_int_eq(posted.runs, 1);
	ck_assert_int_eq(clock_monotonic_ns(), CLOCK_NS_PER_S);
	ck_assert(timer_armed(&timer));
	wheel_remove(&loop.wheel, &timer);
	loop_finish(&loop);
	clock_go_on();
}
END_TEST

CHECK_MAIN("loop/loop",
	a_clock_that_stands_still_is_moved_to_the_next_timer,
	before_that_the_world_outside_has_the_time_that_it_is_given,
	what_comes_meanwhile_leaves_the_clock_where_it_is,
	what_is_posted_runs_when_the_inbox_is_drained,
	a_wait_ends_at_its_time_and_not_before,
	a_wait_ends_for_a_timer_of_the_wheel,
	polling_fires_timers_and_does_not_wait,
	a_wait_ends_for_a_descriptor,
	no_wake_is_lost_between_loops_that_look_before_they_sleep,
	no_wake_is_lost_between_loops_that_sleep_at_once,
	no_wake_is_lost_around_the_moment_of_falling_asleep,
	a_queue_of_ones_own_loses_no_wake_either,
	events_are_seen_while_looking_for_work,
	a_loop_that_lives_by_events_looks_at_them_first,
	an_idle_loop_sleeps,
	loops_leave_no_descriptor_behind,
	a_loop_without_descriptors_is_refused)
