/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/blocking_pool.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <bay/status.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/threads.h"
#include "loop/loop.h"

struct blocking_pool {
	pthread_mutex_t lock;
	pthread_once_t once;
	pthread_cond_t work;    /* there is a job for an idle thread, or all are to end */
	pthread_cond_t ended;   /* a thread has ended */
	struct list ready;      /* struct blocking_lane.in_ready, whose turn it is first */
	unsigned limit;
	unsigned threads;
	unsigned idle;          /* of them: those that run no job, new ones included */
	int64_t idle_ns;
	bool ending;
	bool has_last;
	pthread_t last;         /* has ended, or is about to, and nobody has joined it */
};

/* One a process, like its threads. */
static struct blocking_pool pool = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.once = PTHREAD_ONCE_INIT,
	.ready = LIST_INIT(pool.ready),
	.limit = BLOCKING_THREADS,
	.idle_ns = (int64_t)10 * CLOCK_NS_PER_S,
};

static void
blocking_pool_prepare(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool.work, &monotonic);
	pthread_cond_init(&pool.ended, NULL);
	pthread_condattr_destroy(&monotonic);
}

void
blocking_pool_set_limits(unsigned threads, int64_t idle_ns)
{
	pthread_mutex_lock(&pool.lock);
	pool.limit = threads != 0 ? threads : pool.limit;
	pool.idle_ns = idle_ns != 0 ? idle_ns : pool.idle_ns;
	pthread_mutex_unlock(&pool.lock);
}

unsigned
blocking_pool_threads(void)
{
	unsigned threads;

	pthread_mutex_lock(&pool.lock);
	threads = pool.threads;
	pthread_mutex_unlock(&pool.lock);
	return threads;
}

/* --- lanes: under the lock, but for the first ---------------------------------------- */

void
blocking_lane_init(struct blocking_lane *lane)
{
	list_init(&lane->in_ready);
	list_init(&lane->queue);
	lane->queued = 0;
	lane->running = 0;
	lane->limit = BLOCKING_LANE_THREADS;
}

/* Puts the lane at the end of those that are ready, or takes it out. */
static void
blocking_lane_settle(struct blocking_lane *lane)
{
	bool ready = lane->queued > 0 && lane->running < lane->limit;

	if (ready && list_empty(&lane->in_ready))
		list_push_back(&pool.ready, &lane->in_ready);
	else if (!ready && !list_empty(&lane->in_ready))
		list_remove(&lane->in_ready);
}

void
blocking_lane_set_limit(struct blocking_lane *lane, unsigned limit)
{
	pthread_mutex_lock(&pool.lock);
	lane->limit = limit != 0 ? limit : BLOCKING_LANE_THREADS;
	blocking_lane_settle(lane);
	pthread_mutex_unlock(&pool.lock);
}

static void
blocking_lane_unqueue(struct blocking_lane *lane, struct blocking_job *job)
{
	list_remove(&job->_link);
	lane->queued--;
}

/* The next job, which begins; NULL: there is none. */
static struct blocking_job *
blocking_take(void)
{
	struct blocking_lane *lane;
	struct blocking_job *job;

	if (list_empty(&pool.ready))
		return NULL;
	lane = container_of(list_first(&pool.ready), struct blocking_lane, in_ready);
	job = container_of(list_first(&lane->queue), struct blocking_job, _link);
	blocking_lane_unqueue(lane, job);
	lane->running++;
	/* Behind the others. */
	list_remove(&lane->in_ready);
	blocking_lane_settle(lane);
	return job;
}

/* Whether more jobs could begin than threads are idle. */
static bool
blocking_wants_thread(void)
{
	size_t jobs = 0;

	list_for_each(pos, &pool.ready) {
		const struct blocking_lane *lane = container_of(pos, struct blocking_lane, in_ready);
		size_t room = lane->limit - lane->running;

		jobs += lane->queued < room ? lane->queued : room;
		if (jobs > pool.idle)
			return true;
	}
	return false;
}

/* --- threads ------------------------------------------------------------------------- */

/* Runs it and sends it home. Without the lock. */
static void
blocking_run(struct blocking_job *job)
{
	struct blocking_lane *lane = job->_lane;

	await_elsewhere = &job->elsewhere;
	job->run(job);
	await_elsewhere = NULL;
	/* First, so that who hears of the end finds lane and thread free. */
	pthread_mutex_lock(&pool.lock);
	pool.idle++;
	lane->running--;
	blocking_lane_settle(lane);
	pthread_mutex_unlock(&pool.lock);
	loop_post(job->loop, &job->home);
}

/* Waits for a job under the lock, for as long as a thread is kept idle. NULL: none came. */
static struct blocking_job *
blocking_await_job(void)
{
	int64_t until_ns = clock_kernel_ns() + pool.idle_ns;
	struct timespec until = {.tv_sec = until_ns / CLOCK_NS_PER_S, .tv_nsec = until_ns % CLOCK_NS_PER_S};
	struct blocking_job *job;
	int waited = 0;

	while ((job = blocking_take()) == NULL && !pool.ending && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&pool.work, &pool.lock, &until);
	return job;
}

/* Each thread that ends joins the one that did before it: so one is left at the most. */
static void
blocking_end_thread(void)
{
	pthread_t last = pool.last;
	bool has_last = pool.has_last;

	pool.last = pthread_self();
	pool.has_last = true;
	pool.idle--;
	pool.threads--;
	pthread_cond_signal(&pool.ended);
	pthread_mutex_unlock(&pool.lock);
	if (has_last)
		pthread_join(last, NULL);
}

static void *
blocking_main(void *arg)
{
	struct blocking_job *job;

	(void)arg;
	threads_begin("blocking");
	pthread_mutex_lock(&pool.lock);
	while ((job = blocking_await_job()) != NULL) {
		pool.idle--;
		pthread_mutex_unlock(&pool.lock);
		blocking_run(job);
		pthread_mutex_lock(&pool.lock);
	}
	threads_end();
	blocking_end_thread();
	return NULL;
}

/* Sees to a thread for a job that has come. False: there is none and never will be. */
static bool
blocking_rouse(void)
{
	pthread_t thread;

	pthread_cond_signal(&pool.work);
	if (pool.threads >= pool.limit || !blocking_wants_thread())
		return true;
	if (pthread_create(&thread, NULL, blocking_main, NULL) != 0)
		return pool.threads > 0;
	pool.threads++;
	pool.idle++;
	return true;
}

void
blocking_pool_finish(void)
{
	pthread_once(&pool.once, blocking_pool_prepare);
	pthread_mutex_lock(&pool.lock);
	pool.ending = true;
	pthread_cond_broadcast(&pool.work);
	while (pool.threads > 0)
		pthread_cond_wait(&pool.ended, &pool.lock);
	if (pool.has_last)
		pthread_join(pool.last, NULL);
	pool.has_last = false;
	pool.ending = false;
	pthread_mutex_unlock(&pool.lock);
}

/* --- jobs ---------------------------------------------------------------------------- */

int
blocking_submit(struct blocking_lane *lane, struct blocking_job *job)
{
	int status = BAY_OK;

	pthread_once(&pool.once, blocking_pool_prepare);
	job->_lane = lane;
	pthread_mutex_lock(&pool.lock);
	if (lane->queued >= BLOCKING_LANE_QUEUE) {
		pthread_mutex_unlock(&pool.lock);
		return BAY_FULL;
	}
	list_push_back(&lane->queue, &job->_link);
	lane->queued++;
	blocking_lane_settle(lane);
	if (!blocking_rouse()) {
		blocking_lane_unqueue(lane, job);
		blocking_lane_settle(lane);
		status = BAY_NO_MEMORY;
	}
	pthread_mutex_unlock(&pool.lock);
	return status;
}

bool
blocking_withdraw(struct blocking_job *job)
{
	bool waits;

	pthread_mutex_lock(&pool.lock);
	waits = !list_empty(&job->_link);
	if (waits) {
		blocking_lane_unqueue(job->_lane, job);
		blocking_lane_settle(job->_lane);
	}
	pthread_mutex_unlock(&pool.lock);
	return waits;
}
