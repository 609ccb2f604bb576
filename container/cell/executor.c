/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/executor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cell/crash.h"
#include "runtime/scheduler.h"
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
	bool released;        /* under lock: all loops may run */
	unsigned stopped;     /* under lock: have come back from running */
	struct executor_loop *loops;
	struct scheduler **schedulers;
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

static void *
executor_main(void *arg)
{
	struct executor_loop *loop = arg;
	struct scheduler *scheduler = &loop->scheduler;
	bool ok = scheduler_init(scheduler, loop->index, loop->name);

	pthread_setname_np(pthread_self(), loop->name);
	if (ok) {
		scheduler_set_status(scheduler, status_page_loop(loop->executor->page, loop->index));
		scheduler->status->slot = STATUS_NO_SLOT;
		scheduler->find_work = dispatch_find_work;
		scheduler->subject = instance_subject;
		scheduler->leaf_deadline = request_deadline;
		crash_use_thread();
	} else {
		log_error_errno("cell", "start %s", loop->name);
	}
	if (executor_meet(loop->executor, ok))
		scheduler_run(scheduler);
	executor_part(loop->executor);
	if (ok)
		scheduler_finish(scheduler);
	request_clear_cache();
	message_clear_cache();
	crash_leave_thread();
	return NULL;
}

static bool
executor_start_threads(struct executor *executor)
{
	unsigned i, started = 0;
	bool ok;

	for (i = 0; i < executor->count; i++) {
		struct executor_loop *loop = &executor->loops[i];

		loop->executor = executor;
		loop->index = i;
		snprintf(loop->name, sizeof loop->name, "loop %u", i);
		executor->schedulers[i] = &loop->scheduler;
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

struct executor *
executor_create(unsigned count, const struct status_page *page)
{
	struct executor *executor = xcalloc(1, sizeof *executor);

	executor->count = count;
	executor->page = page;
	if (posix_memalign((void **)&executor->loops, 64, count * sizeof executor->loops[0]) != 0) {
		free(executor);
		return NULL;
	}
	executor->schedulers = xcalloc(count, sizeof executor->schedulers[0]);
	pthread_mutex_init(&executor->lock, NULL);
	pthread_cond_init(&executor->changed, NULL);
	ready_sets_init(executor->schedulers, count);
	if (executor_start_threads(executor))
		return executor;
	executor_destroy(executor);
	return NULL;
}

void
executor_destroy(struct executor *executor)
{
	unsigned i;

	if (executor == NULL)
		return;
	/* Under the lock none of them gets past executor_part() while it may still be woken here. */
	pthread_mutex_lock(&executor->lock);
	for (i = 0; i < executor->count && !executor->failed; i++)
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
