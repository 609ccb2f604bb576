/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/thread_watch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "loop/loop.h"

/* What has been asked to end, and not been waited for. */
#define THREAD_FAREWELL_NS (500 * CLOCK_NS_PER_MS)

struct thread_look {
	struct list link;
	struct timer timer;
	struct thread_watch *watch;
	const struct bay_service *service;
	struct thread_ids suspects;
};

struct thread_watch {
	struct loop *loop;
	thread_left_fn *left;
	void *arg;
	struct list looks; /* struct thread_look.link */
};

static void
thread_look_end(struct thread_look *look)
{
	wheel_remove(&look->watch->loop->wheel, &look->timer);
	list_remove(&look->link);
	thread_ids_finish(&look->suspects);
	free(look);
}

static void
thread_look_on_time(struct timer *timer)
{
	struct thread_look *look = container_of(timer, struct thread_look, timer);
	struct thread_watch *watch = look->watch;
	struct thread_ids now;
	size_t i, left = 0;

	threads_find_foreign(&now);
	for (i = 0; i < look->suspects.count; i++)
		left += thread_ids_has(&now, look->suspects.ids[i]);
	thread_ids_finish(&now);
	if (left > 0)
		watch->left(look->service, left, watch->arg);
	thread_look_end(look);
}

void
thread_watch_ended(struct thread_watch *watch, const struct bay_service *service,
	struct thread_ids *before, const struct thread_ids *after)
{
	struct thread_look *look = xcalloc(1, sizeof *look);
	size_t i, kept = 0;

	look->watch = watch;
	look->service = service;
	threads_find_foreign(&look->suspects);
	for (i = 0; i < look->suspects.count; i++) {
		pid_t id = look->suspects.ids[i];

		if (!thread_ids_has(before, id) && (after == NULL || thread_ids_has(after, id)))
			look->suspects.ids[kept++] = id;
	}
	look->suspects.count = kept;
	thread_ids_finish(before);
	timer_init(&look->timer, thread_look_on_time);
	wheel_add(&watch->loop->wheel, &look->timer, loop_now(watch->loop) + THREAD_FAREWELL_NS);
	list_push_back(&watch->looks, &look->link);
	if (kept == 0)
		thread_look_end(look);
}

struct thread_watch *
thread_watch_create(struct loop *loop, thread_left_fn *left, void *arg)
{
	struct thread_watch *watch = xcalloc(1, sizeof *watch);

	watch->loop = loop;
	watch->left = left;
	watch->arg = arg;
	list_init(&watch->looks);
	return watch;
}

void
thread_watch_destroy(struct thread_watch *watch)
{
	if (watch == NULL)
		return;
	while (!list_empty(&watch->looks))
		thread_look_end(container_of(list_first(&watch->looks), struct thread_look, link));
	free(watch);
}
