/* SPDX-License-Identifier: BSD-2-Clause */
/* The process that is looked at is the test itself. */
#include "config.h"

#include "master/cell_limits.h"

#include <event2/event.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check_main.h"

struct told {
	struct event_base *base;
	struct cell_limits *limits;
	unsigned near;
	unsigned far;
	unsigned memory;
	char what[128];
};

static void
on_over(const char *what, bool memory, bool far, void *arg)
{
	struct told *told = arg;

	told->near += !far;
	told->far += far;
	told->memory += memory;
	ck_assert_uint_lt(strlen(what), sizeof(told->what));
	memcpy(told->what, what, strlen(what) + 1);
	event_base_loopbreak(told->base);
}

static void
told_init(struct told *told)
{
	memset(told, 0, sizeof(*told));
	told->base = event_base_new();
	told->limits = cell_limits_create(told->base, on_over, told);
}

static void
told_finish(struct told *told)
{
	cell_limits_destroy(told->limits);
	event_base_free(told->base);
}

/* A dozen looks. */
static void
look_on(struct told *told)
{
	const struct timeval while_away = {.tv_usec = 600 * 1000};

	event_base_loopexit(told->base, &while_away);
	event_base_dispatch(told->base);
}

static void *
stand_still(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	return NULL;
}

START_TEST(what_a_process_has_is_read)
{
	uint64_t memory, more;
	uint32_t threads, before;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t first, second;
	pid_t gone = fork();

	if (gone == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(gone, NULL, 0), gone);
	ck_assert(!cell_limits_read(gone, &memory, &threads));
	pthread_mutex_lock(&mutex);
	/* With the first thread a sanitizer may start one of its own. */
	ck_assert_int_eq(pthread_create(&first, NULL, stand_still, &mutex), 0);
	ck_assert(cell_limits_read(getpid(), &memory, &before));
	ck_assert_uint_gt(memory, 100000);
	ck_assert_int_eq(pthread_create(&second, NULL, stand_still, &mutex), 0);
	ck_assert(cell_limits_read(getpid(), &more, &threads));
	ck_assert_uint_eq(threads, before + 1);
	pthread_mutex_unlock(&mutex);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
}
END_TEST

START_TEST(far_too_much_is_told_once)
{
	struct told told;

	told_init(&told);
	cell_limits_set(told.limits, 4096, 0);
	cell_limits_begin(told.limits, getpid(), NULL);
	event_base_dispatch(told.base);
	ck_assert_uint_eq(told.far, 1);
	ck_assert_ptr_nonnull(strstr(told.what, "memory_max = 4k"));
	look_on(&told);
	ck_assert_uint_eq(told.far, 1);
	ck_assert_uint_eq(told.near, 0);
	ck_assert_uint_eq(told.memory, 1);
	told_finish(&told);
}
END_TEST

/* Threads of ours are few and do not change by themselves, which memory does. */
START_TEST(a_bit_too_much_is_told_once_and_not_of_the_next_process_at_once)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[9];
	struct told told;
	uint64_t memory;
	uint32_t count;

	pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < 9; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, stand_still, &mutex), 0);
	ck_assert(cell_limits_read(getpid(), &memory, &count));
	told_init(&told);
	cell_limits_set(told.limits, 0, count - 1);
	cell_limits_begin(told.limits, getpid(), NULL);
	event_base_dispatch(told.base);
	look_on(&told);
	ck_assert_uint_eq(told.near, 1);
	ck_assert_uint_eq(told.memory, 0);
	cell_limits_end(told.limits);
	cell_limits_begin(told.limits, getpid(), NULL);
	look_on(&told);
	ck_assert_uint_eq(told.near, 1);
	/* Far beyond it is told at any time. */
	cell_limits_set(told.limits, 0, 1);
	look_on(&told);
	ck_assert_uint_eq(told.far, 1);
	told_finish(&told);
	pthread_mutex_unlock(&mutex);
	for (size_t i = 0; i < 9; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

START_TEST(nothing_is_told_without_limits_or_without_a_process)
{
	struct told told;

	told_init(&told);
	cell_limits_set(told.limits, 4096, 1);
	look_on(&told);
	cell_limits_begin(told.limits, getpid(), NULL);
	cell_limits_end(told.limits);
	look_on(&told);
	cell_limits_set(told.limits, 0, 0);
	cell_limits_begin(told.limits, getpid(), NULL);
	look_on(&told);
	ck_assert_uint_eq(told.near + told.far, 0);
	told_finish(&told);
}
END_TEST

CHECK_MAIN("master/cell_limits",
	what_a_process_has_is_read,
	far_too_much_is_told_once,
	a_bit_too_much_is_told_once_and_not_of_the_next_process_at_once,
	nothing_is_told_without_limits_or_without_a_process)
