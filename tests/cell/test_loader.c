/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "support/check_main.h"
#include "support/log_lines.h"

/* --- threads that cannot be had ------------------------------------------------------------ */

static atomic_bool no_threads;

/* In front of the real one. */
int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
	static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (atomic_load(&no_threads))
		return EAGAIN;
	if (create == NULL)
		create = (__typeof__(create))dlsym(RTLD_NEXT, "pthread_create");
	return create(thread, attributes, fn, arg);
}

/* --- items ------------------------------------------------------------------------------------ */

struct numbered {
	struct inbox_item item;
	int number;
	struct loader *loader;
};

static int seen[3000], seen_count;
static char seen_on[16];
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void
note(struct inbox_item *item)
{
	struct numbered *numbered = container_of(item, struct numbered, item);

	seen[seen_count++] = numbered->number;
	pthread_getname_np(pthread_self(), seen_on, sizeof seen_on);
	free(numbered);
}

static struct numbered *
make(int number, inbox_fn *run)
{
	struct numbered *numbered = calloc(1, sizeof *numbered);

	numbered->number = number;
	numbered->item.run = run;
	return numbered;
}

static void
wait_until_let(struct inbox_item *item)
{
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
	note(item);
}

START_TEST(what_it_is_given_runs_on_its_thread_in_order)
{
	struct loader *loader = loader_create();
	int i;

	ck_assert_ptr_nonnull(loader);
	for (i = 0; i < 1000; i++)
		loader_post(loader, &make(i, note)->item);
	loader_destroy(loader);
	ck_assert_int_eq(seen_count, 1000);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(seen[i], i);
	ck_assert_str_eq(seen_on, "loader");
}
END_TEST

START_TEST(who_posts_does_not_wait)
{
	struct loader *loader = loader_create();

	pthread_mutex_lock(&held);
	loader_post(loader, &make(1, wait_until_let)->item);
	loader_post(loader, &make(2, note)->item);
	ck_assert_int_eq(seen_count, 0);
	pthread_mutex_unlock(&held);
	loader_destroy(loader);
	ck_assert_int_eq(seen_count, 2);
	ck_assert(seen[0] == 1 && seen[1] == 2);
}
END_TEST

static void
post_another(struct inbox_item *item)
{
	struct numbered *numbered = container_of(item, struct numbered, item);

	item->run = note;
	loader_post(numbered->loader, item);
}

/* The very item may go on to its next step from there. */
START_TEST(an_item_may_be_posted_again_from_the_thread)
{
	struct loader *loader = loader_create();
	struct numbered *numbered = make(7, post_another);

	numbered->loader = loader;
	loader_post(loader, &numbered->item);
	loader_destroy(loader);
	ck_assert(seen_count == 1 && seen[0] == 7);
}
END_TEST

static void *
post_many(void *arg)
{
	struct loader *loader = arg;
	int i;

	for (i = 0; i < 500; i++)
		loader_post(loader, &make(i, note)->item);
	return NULL;
}

START_TEST(many_threads_may_post)
{
	struct loader *loader = loader_create();
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, loader), 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	loader_destroy(loader);
	ck_assert_int_eq(seen_count, 2000);
}
END_TEST

START_TEST(without_a_thread_there_is_no_loader)
{
	log_lines_keep();
	atomic_store(&no_threads, true);
	ck_assert_ptr_null(loader_create());
	ck_assert_int_eq(log_lines_with("start the loader thread"), 1);
	loader_destroy(NULL);
}
END_TEST

CHECK_MAIN("cell/loader",
	what_it_is_given_runs_on_its_thread_in_order,
	who_posts_does_not_wait,
	an_item_may_be_posted_again_from_the_thread,
	many_threads_may_post,
	without_a_thread_there_is_no_loader)
