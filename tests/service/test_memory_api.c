/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/memory.h>

#include "support/services.h"

static struct bay_service *keeper, *other;

static bool
is_zero(const char *bytes, size_t size)
{
	while (size > 0 && bytes[size - 1] == 0)
		size--;
	return size == 0;
}

START_TEST(memory_is_zero_and_aligned)
{
	char *piece = bay_alloc(1000);

	ck_assert(is_zero(piece, 1000));
	ck_assert_uint_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
	memset(piece, 'x', 1000);
	piece = bay_resize(piece, 3000);
	ck_assert_int_eq(piece[999], 'x');
	ck_assert(is_zero(piece + 1000, 2000));
	memset(piece, 'y', 3000);
	piece = bay_resize(piece, 10);
	piece = bay_resize(piece, 1000);
	ck_assert_int_eq(piece[9], 'y');
	ck_assert(is_zero(piece + 10, 990));
	bay_free(piece);
	bay_free(NULL);
	piece = bay_resize(NULL, 5);
	ck_assert(is_zero(piece, 5));
	bay_free(piece);
	piece = bay_alloc(0);
	ck_assert_ptr_nonnull(piece);
	bay_free(piece);
}
END_TEST

START_TEST(what_is_too_big_is_refused_and_nothing_lost)
{
	char *piece = bay_alloc(10);

	ck_assert_ptr_null(bay_alloc(SIZE_MAX));
	ck_assert_ptr_null(bay_alloc(SIZE_MAX - 16));
	ck_assert_ptr_null(bay_resize(piece, SIZE_MAX));
	ck_assert_ptr_null(bay_resize(piece, SIZE_MAX / 2));
	piece[9] = 'x';
	bay_free(piece);
}
END_TEST

/* --- counted ------------------------------------------------------------------------ */

/* "a N" allocates, "r N" resizes, "f" frees. The piece is everybody's. */
static char *piece;

static int
keep(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	size_t size = (size_t)atol(text + 1);

	switch (text[0]) {
	case 'a':
		piece = bay_alloc(size);
		break;
	case 'r':
		piece = bay_resize(piece, size);
		break;
	default:
		bay_free(piece);
		piece = NULL;
		break;
	}
	return bay_reply_text(request, "done");
}

static int
count_memory(void *arg)
{
	(void)arg;
	services_expect_text(keeper, "a 1000", BAY_OK, NULL);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 1000);
	services_expect_text(keeper, "r 5000", BAY_OK, NULL);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 5000);
	/* Whoever resizes or frees it, it stays the one's who asked for it. */
	services_expect_text(other, "r 300", BAY_OK, NULL);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 300);
	ck_assert_uint_eq(services_figures(other).memory_bytes, 0);
	services_expect_text(other, "f", BAY_OK, NULL);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 0);
	ck_assert_uint_eq(services_figures(other).memory_bytes, 0);
	/* Nobody's. */
	bay_free(bay_alloc(100));
	return BAY_OK;
}

START_TEST(memory_is_counted_on_who_asked_for_it)
{
	services_begin(0);
	keeper = services_start(&(struct service_options){.name = "keeper", .plugin = PLUGIN(.handle = keep)});
	/* A leaf runs in its caller's task, and is itself all the same. */
	other = services_start(&(struct service_options){.name = "other",
		.plugin = PLUGIN(.handle = keep, .flags = BAY_LEAF)});
	ck_assert_int_eq(services_run(count_memory, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
ask(void *arg)
{
	services_expect_text(keeper, arg, BAY_OK, NULL);
	return BAY_OK;
}

static void *
free_elsewhere(void *arg)
{
	(void)arg;
	bay_free(piece);
	return NULL;
}

START_TEST(memory_may_be_freed_on_another_thread)
{
	pthread_t thread;

	services_begin(2);
	keeper = services_start(&(struct service_options){.name = "keeper", .plugin = PLUGIN(.handle = keep),
		.loops = 3});
	ck_assert_int_eq(services_run_on(0, ask, (void *)"a 1000"), BAY_OK);
	ck_assert_int_eq(services_run_on(1, ask, (void *)"f"), BAY_OK);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 0);
	ck_assert_int_eq(services_run_on(1, ask, (void *)"a 77"), BAY_OK);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 77);
	ck_assert_int_eq(pthread_create(&thread, NULL, free_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 0);
	services_end();
}
END_TEST

/* --- misuse ---------------------------------------------------------------------------- */

#if !defined(BAY_ASAN)
static void
free_what_is_not_ours(void)
{
	char buffer[64] __attribute__((aligned(16))) = {0};

	bay_free(buffer + 32);
}

static void
overwrite_and_free(void)
{
	char *memory = bay_alloc(100);

	memset(memory - 16, 'x', 16);
	bay_free(memory);
}

static void
resize_what_is_not_ours(void)
{
	char buffer[64] __attribute__((aligned(16))) = {0};

	(void)!bay_resize(buffer + 32, 5);
}

/* In a way that the heap does not notice by itself: in between others are freed. */
static void
free_twice(void)
{
	char *pieces[10];
	int i;

	for (i = 0; i < 10; i++)
		pieces[i] = bay_alloc(40);
	for (i = 0; i < 10; i++)
		bay_free(pieces[i]);
	bay_free(pieces[8]);
}

static int
end_of(void (*misuse)(void))
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		misuse();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(a_broken_heap_ends_the_process)
{
	ck_assert_int_eq(end_of(free_what_is_not_ours), SIGABRT);
	ck_assert_int_eq(end_of(overwrite_and_free), SIGABRT);
	ck_assert_int_eq(end_of(resize_what_is_not_ours), SIGABRT);
	ck_assert_int_eq(end_of(free_twice), SIGABRT);
}
END_TEST
#else
START_TEST(a_broken_heap_ends_the_process)
{
	CHECK_SKIP("the sanitizer is first");
}
END_TEST
#endif

CHECK_MAIN("service/memory_api",
	memory_is_zero_and_aligned,
	what_is_too_big_is_refused_and_nothing_lost,
	memory_is_counted_on_who_asked_for_it,
	memory_may_be_freed_on_another_thread,
	a_broken_heap_ends_the_process)
