/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/thread_watch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "service/registry.h"
#include "support/check_main.h"

/* How long what ends is given to be gone. */
#define FAREWELL_NS (500 * (int64_t)CLOCK_NS_PER_MS)

static struct loop control;
static struct thread_watch *watch;
static const struct bay_service *a, *b;

static struct {
	int times;
	const struct bay_service *service;
	size_t count;
} left;

/* --- threads ----------------------------------------------------------------------------------- */

struct thread {
	pthread_t thread;
	atomic_int id; /* 0: it has not begun */
	atomic_bool end;
};

static void *
thread_main(void *arg)
{
	struct thread *thread = arg;

	atomic_store(&thread->id, (int)syscall(SYS_gettid));
	while (!atomic_load(&thread->end))
		sched_yield();
	return NULL;
}

static void
thread_start(struct thread *thread)
{
	atomic_store(&thread->id, 0);
	atomic_store(&thread->end, false);
	ck_assert_int_eq(pthread_create(&thread->thread, NULL, thread_main, thread), 0);
	while (atomic_load(&thread->id) == 0)
		sched_yield();
}

/* It is joined a moment before it leaves the list of the process. */
static void
thread_end(struct thread *thread)
{
	char path[64];

	atomic_store(&thread->end, true);
	ck_assert_int_eq(pthread_join(thread->thread, NULL), 0);
	snprintf(path, sizeof path, "/proc/self/task/%d", atomic_load(&thread->id));
	while (access(path, F_OK) == 0)
		sched_yield();
}

static void
threads_start(struct thread *threads, int count)
{
	for (int i = 0; i < count; i++)
		thread_start(&threads[i]);
}

static void
threads_end_all(struct thread *threads, int count)
{
	for (int i = 0; i < count; i++)
		thread_end(&threads[i]);
}

/* --- the control thread --------------------------------------------------------------------------- */

static void
on_left(const struct bay_service *service, size_t count, void *arg)
{
	ck_assert_ptr_eq(arg, &control);
	left.times++;
	left.service = service;
	left.count = count;
}

static void
begin(void)
{
	struct thread first;

	/* A sanitizer has a thread of its own from the first one on. */
	thread_start(&first);
	thread_end(&first);
	clock_stand_still(CLOCK_NS_PER_S, 0);
	registry_init(64);
	a = registry_get("a");
	b = registry_get("b");
	ck_assert(loop_init(&control, "control"));
	watch = thread_watch_create(&control, on_left, &control);
}

static void
end(void)
{
	ck_assert_int_eq(wheel_next_ns(&control.wheel), INT64_MAX);
	thread_watch_destroy(watch);
	loop_finish(&control);
	registry_finish();
	clock_go_on();
}

static void
later(int64_t ns)
{
	clock_move_to(clock_monotonic_ns() + ns);
	loop_poll(&control);
}

static void
expect_left(int times, const struct bay_service *service, size_t count)
{
	ck_assert_int_eq(left.times, times);
	ck_assert_ptr_eq(left.service, service);
	ck_assert_uint_eq(left.count, count);
}

/* --- tests ------------------------------------------------------------------------------------------- */

START_TEST(threads_that_run_on_after_the_end_of_their_code_are_told_after_a_moment)
{
	struct thread threads[3];
	struct thread_ids before;

	begin();
	threads_find_foreign(&before);
	threads_start(threads, 3);
	thread_watch_ended(watch, a, &before, NULL);
	later(FAREWELL_NS - CLOCK_NS_PER_MS);
	expect_left(0, NULL, 0);
	later(2 * CLOCK_NS_PER_MS);
	expect_left(1, a, 3);
	later(100 * FAREWELL_NS);
	expect_left(1, a, 3);
	threads_end_all(threads, 3);
	end();
}
END_TEST

START_TEST(those_that_end_meanwhile_are_not)
{
	/* Three run on; so many of them end. */
	static const struct {
		int ends;
		size_t left;
	} rows[] = {{1, 2}, {2, 1}, {3, 0}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct thread threads[3];
		struct thread_ids before;

		left.times = 0;
		begin();
		threads_find_foreign(&before);
		threads_start(threads, 3);
		thread_watch_ended(watch, a, &before, NULL);
		threads_end_all(threads, rows[i].ends);
		later(2 * FAREWELL_NS);
		ck_assert_int_eq(left.times, rows[i].left > 0);
		ck_assert(rows[i].left == 0 || left.count == rows[i].left);
		threads_end_all(&threads[rows[i].ends], 3 - rows[i].ends);
		end();
	}
}
END_TEST

START_TEST(threads_that_ran_before_it_was_loaded_are_not_its)
{
	struct thread other, its;
	struct thread_ids before;

	begin();
	thread_start(&other);
	threads_find_foreign(&before);
	thread_start(&its);
	ck_assert_ptr_nonnull(before.ids);
	thread_watch_ended(watch, a, &before, NULL);
	/* It has taken them. */
	ck_assert_ptr_null(before.ids);
	ck_assert_uint_eq(before.count, 0);
	later(2 * FAREWELL_NS);
	expect_left(1, a, 1);
	thread_end(&its);
	thread_end(&other);
	end();
}
END_TEST

START_TEST(threads_of_what_replaced_it_are_not_its)
{
	struct thread its[2], new[3];
	struct thread_ids before, after;

	begin();
	threads_find_foreign(&before);
	threads_start(its, 2);
	threads_find_foreign(&after);
	threads_start(new, 3);
	thread_watch_ended(watch, a, &before, &after);
	/* Borrowed. */
	ck_assert_ptr_nonnull(after.ids);
	later(2 * FAREWELL_NS);
	expect_left(1, a, 2);
	thread_ids_finish(&after);
	threads_end_all(its, 2);
	threads_end_all(new, 3);
	end();
}
END_TEST

START_TEST(threads_that_begin_after_its_end_are_not_its)
{
	struct thread its, next[2];
	struct thread_ids before;

	begin();
	threads_find_foreign(&before);
	thread_start(&its);
	thread_watch_ended(watch, a, &before, NULL);
	threads_start(next, 2);
	later(2 * FAREWELL_NS);
	expect_left(1, a, 1);
	thread_end(&its);
	threads_end_all(next, 2);
	end();
}
END_TEST

START_TEST(who_leaves_none_is_not_waited_for)
{
	struct thread other;
	struct thread_ids before;

	begin();
	thread_start(&other);
	threads_find_foreign(&before);
	thread_watch_ended(watch, a, &before, NULL);
	ck_assert_int_eq(wheel_next_ns(&control.wheel), INT64_MAX);
	thread_end(&other);
	later(2 * FAREWELL_NS);
	expect_left(0, NULL, 0);
	end();
}
END_TEST

START_TEST(services_that_end_one_after_the_other_are_looked_at_each)
{
	struct thread of_a[2], of_b;
	struct thread_ids before_a, before_b, after;

	begin();
	threads_find_foreign(&before_a);
	threads_start(of_a, 2);
	threads_find_foreign(&before_b);
	threads_find_foreign(&after);
	thread_start(&of_b);
	thread_watch_ended(watch, a, &before_a, &after);
	later(FAREWELL_NS / 2);
	thread_watch_ended(watch, b, &before_b, NULL);
	later(FAREWELL_NS / 2 + CLOCK_NS_PER_MS);
	expect_left(1, a, 2);
	later(FAREWELL_NS / 2 + CLOCK_NS_PER_MS);
	expect_left(2, b, 1);
	thread_ids_finish(&after);
	threads_end_all(of_a, 2);
	thread_end(&of_b);
	end();
}
END_TEST

START_TEST(what_was_to_be_looked_at_yet_is_forgotten_with_the_watch)
{
	struct thread threads[2];
	struct thread_ids before;

	begin();
	for (int i = 0; i < 2; i++) {
		threads_find_foreign(&before);
		thread_start(&threads[i]);
		thread_watch_ended(watch, a, &before, NULL);
	}
	thread_watch_destroy(watch);
	ck_assert_int_eq(wheel_next_ns(&control.wheel), INT64_MAX);
	watch = NULL;
	later(2 * FAREWELL_NS);
	expect_left(0, NULL, 0);
	threads_end_all(threads, 2);
	end();
}
END_TEST

CHECK_MAIN("cell/thread_watch",
	threads_that_run_on_after_the_end_of_their_code_are_told_after_a_moment,
	those_that_end_meanwhile_are_not,
	threads_that_ran_before_it_was_loaded_are_not_its,
	threads_of_what_replaced_it_are_not_its,
	threads_that_begin_after_its_end_are_not_its,
	who_leaves_none_is_not_waited_for,
	services_that_end_one_after_the_other_are_looked_at_each,
	what_was_to_be_looked_at_yet_is_forgotten_with_the_watch)
