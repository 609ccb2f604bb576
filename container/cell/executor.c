/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/executor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/threads.h"
#include "cell/cpu_meter.h"
#include "cell/crash.h"
#include "runtime/scheduler.h"
#include "service/bounds.h"
#include "service/dispatch.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/ready_set.h"
#include "service/request.h"

struct executor_loop {
	struct scheduler scheduler;
	struct executor *executor;
	unsigned index;
	char name[16];
	pthread_t thread;
	bool started;   /* the thread exists */
};

struct executor {
	unsigned count;
	const struct status_page *page;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned running;     /* under lock: have told how their start went */
	bool failed;          /* under lock */
	bool is_here;         /* the creating thread is its only loop */
	bool released;        /* under lock: all loops may run */
	unsigned stopped;     /* under lock: have come back from running */
	struct executor_loop *loops;
	struct scheduler **schedulers;
	struct cpu_meter *cpu_meter; /* or NULL */
};

/* Tells how the start of a loop went, and waits until all have. */
static bool
executor_meet(struct executor *executor, bool ok)
{
	bool go;

	pthread_mutex_lock(&executor->lock);
	executor->running++;
	executor->failed |= !ok;
	pthread_cond_broadcast(&executor->changed);
	while (!executor->released)
		pthread_cond_wait(&executor->changed, &executor->lock);
	go = !executor->failed;
	pthread_mutex_unlock(&executor->lock);
	return go;
}

/* Waits until all loops have come back: until then they may post to each other. */
static void
executor_part(struct executor *executor)
{
	pthread_mutex_lock(&executor->lock);
	executor->stopped++;
	pthread_cond_broadcast(&executor->changed);
	while (executor->stopped < executor->running)
		pthread_cond_wait(&executor->changed, &executor->lock);
	pthread_mutex_unlock(&executor->lock);
}

/* Makes the calling thread the loop. */
static bool
executor_settle_in(struct executor_loop *loop)
{
	struct scheduler *scheduler = &loop->scheduler;

	if (!scheduler_init(scheduler, loop->index, loop->name)) {
		log_error_errno("cell", "start %s", loop->name);
		return false;
	}
	scheduler_set_status(scheduler, status_page_loop(loop->executor->page, loop->index));
	scheduler->status->slot = STATUS_NO_SLOT;
	scheduler_set_figures(scheduler, loop->executor->page);
	scheduler->find_work = dispatch_find_work;
	scheduler->subject = instance_subject;
	scheduler->held_back = instance_is_held_back;
	scheduler->may_spawn = bounds_let_spawn;
	scheduler->leaf_deadline = request_deadline;
	crash_use_thread();
	crash_use_loop(loop->index);
	return true;
}

/* ok: it was the loop. */
static void
executor_move_out(struct executor_loop *loop, bool ok)
{
	if (ok)
		scheduler_finish(&loop->scheduler);
	dispatch_forget();
	request_clear_cache();
	message_clear_cache();
	crash_leave_thread();
}

static void *
executor_main(void *arg)
{
	struct executor_loop *loop = arg;
	bool ok;

	threads_begin(loop->name);
	ok = executor_settle_in(loop);
	if (executor_meet(loop->executor, ok))
		scheduler_run(&loop->scheduler);
	executor_part(loop->executor);
	executor_move_out(loop, ok);
	threads_end();
	return NULL;
}

static void
executor_name_loop(struct executor *executor, unsigned index)
{
	struct executor_loop *loop = &executor->loops[index];

	loop->executor = executor;
	loop->index = index;
	snprintf(loop->name, sizeof loop->name, "loop %u", index);
	executor->schedulers[index] = &loop->scheduler;
}

static bool
executor_start_threads(struct executor *executor)
{
	unsigned i, started = 0;
	bool ok;

	for (i = 0; i < executor->count; i++) {
		struct executor_loop *loop = &executor->loops[i];

		executor_name_loop(executor, i);
		loop->started = pthread_create(&loop->thread, NULL, executor_main, loop) == 0;
		started += loop->started;
	}
	pthread_mutex_lock(&executor->lock);
	while (executor->running < started)
		pthread_cond_wait(&executor->changed, &executor->lock);
	executor->failed |= started < executor->count;
	ok = !executor->failed;
	executor->released = true;
	pthread_cond_broadcast(&executor->changed);
	pthread_mutex_unlock(&executor->lock);
	return ok;
}

/* Without it all goes on, but for the figures. */
static void
executor_begin_to_measure(struct executor *executor)
{
	pthread_t threads[STATUS_PAGE_LOOPS_MAX];
	unsigned i;

	for (i = 0; i < executor->count; i++)
		threads[i] = executor->loops[i].thread;
	executor->cpu_meter = cpu_meter_start(executor->page, executor->schedulers, threads, executor->count);
	if (executor->cpu_meter == NULL)
		log_warn("cell", "there is no thread to measure the time of the loops: services are shown without it");
}

static struct executor *
executor_make(unsigned count, const struct status_page *page)
{
	struct executor *executor = xcalloc(1, sizeof *executor);

	executor->count = count;
	executor->page = page;
	if (posix_memalign((void **)&executor->loops, 64, count * sizeof executor->loops[0]) != 0) {
		free(executor);
		return NULL;
	}
	memset(executor->loops, 0, count * sizeof executor->loops[0]);
	executor->schedulers = xcalloc(count, sizeof executor->schedulers[0]);
	pthread_mutex_init(&executor->lock, NULL);
	pthread_cond_init(&executor->changed, NULL);
	ready_sets_init(executor->schedulers, count);
	return executor;
}

struct executor *
executor_create(unsigned count, const struct status_page *page)
{
	struct executor *executor = executor_make(count, page);

	if (executor == NULL)
		return NULL;
	if (!executor_start_threads(executor)) {
		executor_destroy(executor);
		return NULL;
	}
	executor_begin_to_measure(executor);
	return executor;
}

struct executor *
executor_create_here(const struct status_page *page)
{
	struct executor *executor = executor_make(1, page);

	if (executor == NULL)
		return NULL;
	executor_name_loop(executor, 0);
	executor->is_here = executor_settle_in(&executor->loops[0]);
	if (executor->is_here)
		return executor;
	executor->failed = true;
	executor_destroy(executor);
	return NULL;
}

void
executor_destroy(struct executor *executor)
{
	unsigned i;

	if (executor == NULL)
		return;
	cpu_meter_stop(executor->cpu_meter);
	if (executor->is_here)
		executor_move_out(&executor->loops[0], true);
	/* Under the lock none of them gets past executor_part() while it may still be woken here. */
	pthread_mutex_lock(&executor->lock);
	for (i = 0; i < executor->count && !executor->failed && !executor->is_here; i++)
		scheduler_stop(executor->schedulers[i]);
	pthread_mutex_unlock(&executor->lock);
	for (i = 0; i < executor->count; i++) {
		if (executor->loops[i].started)
			pthread_join(executor->loops[i].thread, NULL);
	}
	pthread_cond_destroy(&executor->changed);
	pthread_mutex_destroy(&executor->lock);
	free(executor->schedulers);
	free(executor->loops);
	free(executor);
}

unsigned
executor_count(const struct executor *executor)
{
	return executor->count;
}

struct scheduler *
executor_scheduler(struct executor *executor, unsigned i)
{
	return executor->schedulers[i];
}
