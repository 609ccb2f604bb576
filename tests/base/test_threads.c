/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/check_main.h"

/* A thread that says, if it is to, that it is the container's, and later that it ends. */
struct thread {
	pthread_t thread;
	bool own;
	atomic_int id;    /* 0: it has not begun */
	atomic_int steps; /* that it may take */
	atomic_int taken;
};

static void *
thread_main(void *arg)
{
	struct thread *thread = arg;

	if (thread->own)
		threads_begin("a test");
	atomic_store(&thread->id, (int)syscall(SYS_gettid));
	while (atomic_load(&thread->steps) < 1)
		sched_yield();
	if (thread->own)
		threads_end();
	atomic_store(&thread->taken, 1);
	while (atomic_load(&thread->steps) < 2)
		sched_yield();
	return NULL;
}

static void
thread_start(struct thread *thread, bool own)
{
	thread->own = own;
	atomic_store(&thread->id, 0);
	atomic_store(&thread->steps, 0);
	atomic_store(&thread->taken, 0);
	ck_assert_int_eq(pthread_create(&thread->thread, NULL, thread_main, thread), 0);
	while (atomic_load(&thread->id) == 0)
		sched_yield();
}

static void
thread_step(struct thread *thread)
{
	atomic_fetch_add(&thread->steps, 1);
	while (atomic_load(&thread->taken) == 0)
		sched_yield();
}

/* It is joined a moment before it leaves the list of the process. */
static void
thread_end(struct thread *thread)
{
	char path[64];

	atomic_store(&thread->steps, 2);
	ck_assert_int_eq(pthread_join(thread->thread, NULL), 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d", atomic_load(&thread->id));
	while (access(path, F_OK) == 0)
		sched_yield();
}

/* Whether the list of foreign ones has it. */
static bool
is_foreign(const struct thread *thread)
{
	struct thread_ids ids;
	bool has;

	threads_find_foreign(&ids);
	has = thread_ids_has(&ids, atomic_load(&thread->id));
	thread_ids_finish(&ids);
	return has;
}

START_TEST(threads_that_do_not_say_that_they_are_the_containers_are_foreign)
{
	struct thread own, foreign;

	thread_start(&own, true);
	thread_start(&foreign, false);
	ck_assert(!is_foreign(&own));
	ck_assert(is_foreign(&foreign));
	thread_end(&own);
	thread_end(&foreign);
	ck_assert(!is_foreign(&foreign));
}
END_TEST

START_TEST(one_that_has_said_that_it_ends_is_not_known_any_more)
{
	struct thread threads[3];

	for (int i = 0; i < 3; i++)
		thread_start(&threads[i], true);
	/* The one in the middle; ids are used again by whoever comes. */
	thread_step(&threads[1]);
	ck_assert(!is_foreign(&threads[0]));
	ck_assert(is_foreign(&threads[1]));
	ck_assert(!is_foreign(&threads[2]));
	for (int i = 0; i < 3; i++)
		thread_end(&threads[i]);
}
END_TEST

START_TEST(the_first_thread_is_never_foreign)
{
	struct thread_ids ids;

	threads_find_foreign(&ids);
	ck_assert(!thread_ids_has(&ids, getpid()));
	thread_ids_finish(&ids);
	/* One that never began may say that it ends. */
	threads_end();
}
END_TEST

START_TEST(ids_are_told_in_their_order)
{
	struct thread threads[8];
	struct thread_ids ids;

	for (int i = 0; i < 8; i++)
		thread_start(&threads[i], false);
	threads_find_foreign(&ids);
	ck_assert_uint_ge(ids.count, 8);
	for (size_t i = 1; i < ids.count; i++)
		ck_assert_int_lt(ids.ids[i - 1], ids.ids[i]);
	thread_ids_finish(&ids);
	ck_assert_ptr_null(ids.ids);
	ck_assert_uint_eq(ids.count, 0);
	thread_ids_finish(&ids);
	for (int i = 0; i < 8; i++)
		thread_end(&threads[i]);
}
END_TEST

START_TEST(no_ids_hold_none)
{
	const struct thread_ids none = {0};

	ck_assert(!thread_ids_has(&none, 1));
	ck_assert(!thread_ids_has(NULL, 1));
}
END_TEST

static void *
read_name(void *arg)
{
	threads_begin("fifteen letters");
	ck_assert_int_eq(pthread_getname_np(pthread_self(), arg, 16), 0);
	threads_end();
	return NULL;
}

START_TEST(a_thread_has_its_name_for_those_who_look_at_the_process)
{
	pthread_t thread;
	char name[16];

	ck_assert_int_eq(pthread_create(&thread, NULL, read_name, name), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_str_eq(name, "fifteen letters");
}
END_TEST

CHECK_MAIN("base/threads",
	threads_that_do_not_say_that_they_are_the_containers_are_foreign,
	one_that_has_said_that_it_ends_is_not_known_any_more,
	the_first_thread_is_never_foreign,
	ids_are_told_in_their_order,
	no_ids_hold_none,
	a_thread_has_its_name_for_those_who_look_at_the_process)
