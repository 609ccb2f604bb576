/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bay/event.h>
#include <bay/instance.h>
#include <bay/log.h>
#include <bay/memory.h>
#include <bay/process.h>
#include <bay/semaphore.h>
#include <bay/task.h>
#include <bay/time.h>

#include "exec.h"
#include "worker.h"

/* Before the start after the first failure; doubled with each one more, up to the other. */
#define POOL_DELAY_NS (100 * BAY_MS)
enum { POOL_DOUBLINGS = 8 };

/* --- failures ------------------------------------------------------------------------ */

/* One that could not be started, or ended before it had answered. If it had a request, that may be to
 * blame: once. */
static void
pool_fails(struct pool *pool, const char *why, bool had_request)
{
	int64_t delay_ns = POOL_DELAY_NS << (pool->failures < POOL_DOUBLINGS ? pool->failures : POOL_DOUBLINGS);

	if (pool->failures++ == 0 && had_request) {
		bay_log_warn("%s before it answered anything", why);
		return;
	}
	pool->retry_ns = bay_after(delay_ns);
	snprintf(pool->failure, sizeof pool->failure, "%s", why);
	bay_log_warn("%s; the next start in %" PRId64 " ms", why, delay_ns / BAY_MS);
}

static int
pool_refuses(struct pool *pool)
{
	snprintf(pool->why, sizeof pool->why, "%s; the next start in %" PRId64 " ms", pool->failure,
		(pool->retry_ns - bay_now()) / BAY_MS + 1);
	return BAY_PEER_DIED;
}

/* --- workers -------------------------------------------------------------------------- */

static bool
pool_adopt(struct pool *pool, struct worker *worker)
{
	if (!worker_attend(worker))
		return false;
	worker->counted = true;
	pool->present++;
	return true;
}

/* What init has started. */
static void
pool_adopt_first(struct pool *pool)
{
	struct worker *first = pool->first;

	pool->first = NULL;
	if (first == NULL)
		return;
	if (pool_adopt(pool, first))
		pool->idle[pool->idle_count++] = first;
	else
		pool->alive--;
}

/* Starts one more, for which there is room. */
static int
pool_start(struct pool *pool, struct worker **worker_r, int64_t deadline)
{
	const char *why;
	int status;

	pool->alive++;
	status = worker_start(pool->exec, worker_r, deadline);
	if (status == BAY_OK && pool_adopt(pool, *worker_r))
		return BAY_OK;
	pool->alive--;
	why = status == BAY_OK || status == BAY_NO_MEMORY ? "no memory for a worker" : bay_process_error();
	snprintf(pool->why, sizeof pool->why, "%s", why);
	if (status != BAY_TIMEOUT && status != BAY_CANCELED)
		pool_fails(pool, why, false);
	return status == BAY_OK ? BAY_NO_MEMORY : status;
}

void
pool_forget(struct pool *pool, struct worker *worker)
{
	size_t i;

	if (!worker->counted)
		return;
	worker->counted = false;
	pool->alive--;
	for (i = 0; i < pool->idle_count && pool->idle[i] != worker; i++)
		;
	if (i < pool->idle_count) {
		memmove(pool->idle + i, pool->idle + i + 1, (pool->idle_count - i - 1) * sizeof pool->idle[0]);
		pool->idle_count--;
	}
}

/* Whether there are fewer than there should be. */
static bool
pool_may_grow(const struct pool *pool)
{
	return pool->alive < (size_t)pool->exec->set->pool.min_workers;
}

bool
pool_may_shrink(const struct pool *pool)
{
	return pool->alive > (size_t)pool->exec->set->pool.min_workers;
}

void
pool_remove(struct pool *pool, struct worker *worker)
{
	char text[PROGRAM_END_SIZE], why[POOL_WHY_SIZE];

	snprintf(why, sizeof why, "worker %d %s%s", (int)worker->pid, program_end_text(&worker->end, text),
		errors_last(&worker->errors));
	pool_forget(pool, worker);
	pool->present--;
	if (!worker->dismissed && !pool->stopping && worker->served == 0)
		pool_fails(pool, why, worker->state == WORKER_BUSY);
	else if (!worker->dismissed && worker->end.code != 0)
		bay_log_warn("%s after %" PRIu64 " requests", why, worker->served);
	else
		bay_log_debug("%s after %" PRIu64 " requests", why, worker->served);
	bay_event_set(pool->changed);
}

/* --- requests ------------------------------------------------------------------------- */

/* Whether an idle one is good for a request. */
static bool
pool_is_good(struct pool *pool, struct worker *worker)
{
	if (!worker_babbles(worker))
		return true;
	/* Of its end the attendant is about to hear. */
	if (bay_process_poll(worker->process, NULL) != BAY_BUSY) {
		pool_forget(pool, worker);
		return false;
	}
	bay_log_warn("worker %d has written something, or closed its output, without a request: it is killed",
		(int)worker->pid);
	worker_kill(worker);
	return false;
}

static int
pool_hold(struct worker *worker, struct worker **worker_r)
{
	worker->state = WORKER_BUSY;
	worker->held = true;
	bay_event_clear(worker->let_go);
	*worker_r = worker;
	return BAY_OK;
}

int
pool_take(struct pool *pool, struct worker **worker_r, int64_t deadline)
{
	struct worker *worker;
	int status;

	pool_adopt_first(pool);
	while (pool->idle_count > 0) {
		worker = pool->idle[pool->idle_count - 1];
		if (pool_is_good(pool, worker)) {
			pool->idle_count--;
			return pool_hold(worker, worker_r);
		}
	}
	if (bay_now() < pool->retry_ns)
		return pool_refuses(pool);
	status = pool_start(pool, &worker, deadline);
	return status == BAY_OK ? pool_hold(worker, worker_r) : status;
}

/* It has answered. */
static void
pool_keep(struct pool *pool, struct worker *worker)
{
	const struct pool_settings *set = &pool->exec->set->pool;

	pool->failures = 0;
	pool->retry_ns = 0;
	worker->served++;
	if (worker->state != WORKER_BUSY)
		return;
	worker->state = WORKER_IDLE;
	worker->idle_since_ns = bay_now();
	pool->idle[pool->idle_count++] = worker;
	if (set->max_requests != 0 && worker->served >= (uint64_t)set->max_requests)
		worker_dismiss(worker);
}

void
pool_give_back(struct pool *pool, struct worker *worker, bool answered)
{
	if (answered)
		pool_keep(pool, worker);
	else if (worker->state != WORKER_ENDING)
		worker_kill(worker);
	worker_let_go(worker);
}

/* --- the life of the pool -------------------------------------------------------------- */

int
pool_init(struct pool *pool, struct exec *exec)
{
	const struct pool_settings *set = &exec->set->pool;
	int status;

	*pool = (struct pool){.exec = exec};
	if (set->min_workers > set->max_workers)
		return bay_instance_fail(exec->instance, BAY_INVALID, "min_workers = %" PRId64 " is more than max_workers = %"
			PRId64, set->min_workers, set->max_workers);
	pool->idle = bay_alloc((size_t)set->max_workers * sizeof pool->idle[0]);
	pool->changed = bay_event_create("change of workers");
	if (pool->idle == NULL || pool->changed == NULL)
		return BAY_NO_MEMORY;
	if (set->min_workers == 0)
		return BAY_OK;
	status = worker_start(exec, &pool->first, BAY_INHERIT);
	if (status != BAY_OK)
		return bay_instance_fail(exec->instance, status, "%s", bay_process_error());
	pool->alive = 1;
	return BAY_OK;
}

void
pool_finish(struct pool *pool)
{
	worker_discard(pool->first);
	bay_event_destroy(pool->changed);
	bay_free(pool->idle);
}

/* Starts one that is missing, or waits until one may be started. */
static int
pool_refill(struct pool *pool)
{
	struct worker *worker;
	int status;

	if (bay_now() < pool->retry_ns)
		return bay_sleep_until(pool->retry_ns);
	status = bay_semaphore_acquire(pool->exec->slots, 1, BAY_INHERIT);
	if (status != BAY_OK)
		return status;
	/* Requests may have started some meanwhile. */
	if (!pool->stopping && pool_may_grow(pool) && pool_start(pool, &worker, BAY_INHERIT) == BAY_OK) {
		pool->idle[pool->idle_count++] = worker;
		/* The end may have come while it was started, and found nobody to dismiss. */
		if (pool->stopping)
			worker_dismiss(worker);
	}
	return bay_semaphore_release(pool->exec->slots, 1);
}

int
pool_run(struct pool *pool)
{
	int status = BAY_OK;

	pool_adopt_first(pool);
	while (status == BAY_OK && !pool->stopping) {
		if (pool_may_grow(pool)) {
			status = pool_refill(pool);
		} else {
			bay_event_clear(pool->changed);
			status = bay_event_wait(pool->changed, BAY_INHERIT);
		}
	}
	return status;
}

void
pool_stop(struct pool *pool)
{
	int status = BAY_OK;

	pool->stopping = true;
	pool_adopt_first(pool);
	while (pool->idle_count > 0)
		worker_dismiss(pool->idle[pool->idle_count - 1]);
	bay_event_set(pool->changed);
	while (status == BAY_OK && pool->present > 0) {
		bay_event_clear(pool->changed);
		status = bay_event_wait(pool->changed, BAY_INHERIT);
	}
}
