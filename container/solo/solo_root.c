/* SPDX-License-Identifier: BSD-2-Clause */
/* The task that the caller of a container by itself runs, and all other waiting for its work. */
#include "config.h"

#include <stdlib.h>

#include <bay/status.h>
#include <bay/time.h>

#include "runtime/scheduler.h"
#include "runtime/spawn.h"
#include "runtime/task.h"
#include "service/dispatch.h"
#include "service/instance.h"
#include "service/registry.h"
#include "service/service.h"
#include "solo/solo_inside.h"

/* Whole frameworks run on it. */
enum { SOLO_STACK_BYTES = 1024 * 1024 };

void
solo_go_on(struct solo *solo)
{
	scheduler_run(solo->scheduler);
	scheduler_rearm(solo->scheduler);
}

bool
solo_may_wait(const struct solo *solo, const char *function)
{
	if (solo->scheduler->current == NULL)
		return true;
	solo_set_error("%s was called inside a task: only the function that began the container may", function);
	return false;
}

/* --- waiting for the end of one --------------------------------------------------- */

/* A pass is over: so may be what is waited for. */
static void
solo_look_at_awaited(struct solo *solo)
{
	const struct bay_instance *instance;

	if (solo->awaited == NULL || solo->awaited_over)
		return;
	instance = solo->awaited->instances[solo->scheduler->index];
	if (instance != NULL && instance->scope.live > 0)
		return;
	solo->awaited_over = true;
	scheduler_stop(solo->scheduler);
}

void
solo_await_end(struct solo *solo, const char *name)
{
	solo->awaited = registry_get(name);
	solo->awaited_over = false;
	while (!solo->awaited_over)
		solo_go_on(solo);
	solo->awaited = NULL;
}

/* --- running -------------------------------------------------------------------- */

static int
solo_root_main(void *arg)
{
	struct solo *solo = arg;
	int status;

	solo->waits_before = task_current()->waits;
	status = solo->fn(solo->arg);
	if (status != BAY_OK && task_current()->call_error != NULL)
		solo_set_error("%s", task_current()->call_error);
	return status;
}

static void
solo_root_ended(struct task *task, int status)
{
	struct solo *solo = task->arg;

	solo->root = NULL;
	solo->result = status;
	scheduler_stop(solo->scheduler);
}

int
solo_run(struct solo *solo, const char *name, bay_task_fn *fn, void *arg)
{
	struct scheduler *scheduler = solo->scheduler;
	struct task_spec spec = {
		.name = name,
		.fn = solo_root_main,
		.arg = solo,
		.ended = solo_root_ended,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.phase = task_phase(scheduler, STATUS_PHASE_RUN, name),
		.class = scheduler_stack_class(scheduler, SOLO_STACK_BYTES),
	};

	if (!solo_may_wait(solo, "running a task"))
		return BAY_INVALID;
	solo_set_error("%s", "");
	solo->fn = fn;
	solo->arg = arg;
	solo->stuck_told = false;
	solo->cut = false;
	solo->cut_in = 0;
	solo->root = spec.class != NULL ? task_create(scheduler, &spec) : NULL;
	if (solo->root == NULL) {
		solo_set_error("no stack for a task");
		return BAY_NO_MEMORY;
	}
	solo->root->handle->detached = true;
	task_start(solo->root);
	while (solo->root != NULL)
		solo_go_on(solo);
	return solo->result;
}

void
solo_interrupt(struct solo *solo, const char *reason)
{
	solo->awaited_over = true;
	if (solo->root != NULL)
		task_cancel(solo->root, reason);
	else if (solo->awaited != NULL)
		scheduler_stop(solo->scheduler);
}

void
solo_expect_line(struct solo *solo, bool expect)
{
	solo->expects_line = expect;
}

/* What the caller of the last solo_run() gave up may still be at work. */
static bool
solo_is_settled(const struct solo *solo)
{
	const struct spawn *spawn = NULL;

	list_for_each(pos, &solo->scheduler->tasks) {
		const struct task *task = container_of(pos, struct task, in_scheduler);

		if (task != solo->root && task->state != TASK_DONE &&
			(task->instance == NULL || task->request != NULL))
			return false;
	}
	while ((spawn = spawn_next(solo->scheduler, spawn)) != NULL) {
		if (spawn->instance == NULL || spawn->request != NULL)
			return false;
	}
	return true;
}

static int
solo_settle_main(void *arg)
{
	int64_t last_ns = bay_after(BAY_SECOND);

	while (!solo_is_settled(arg) && bay_now() < last_ns)
		(void)bay_sleep(BAY_MS);
	return BAY_OK;
}

void
solo_settle(struct solo *solo)
{
	unsigned cut_at = solo->cut_at;

	solo->cut_at = 0;
	(void)solo_run(solo, "settle", solo_settle_main, solo);
	solo->cut_at = cut_at;
}

/* --- cutting it short ----------------------------------------------------------- */

void
solo_cut_at(struct solo *solo, unsigned nth, bool after_the_others)
{
	solo->cut_at = nth;
	solo->cut_after = after_the_others;
}

bool
solo_was_cut(const struct solo *solo)
{
	return solo->cut;
}

static size_t
solo_count_ready(const struct solo *solo)
{
	const struct ready *ready = solo->scheduler->ready_head;
	size_t count = 0;

	for (; ready != NULL; ready = ready->next)
		count++;
	return count;
}

/* A task has run, one pass has one: the root may have come to the await in question. */
static void
solo_look_at_root(struct solo *solo)
{
	struct task *root = solo->root;

	if (root == NULL || solo->cut_at == 0 || solo->cut)
		return;
	if (solo->cut_in == 0) {
		if (root->state != TASK_WAITING || root->waits - solo->waits_before < solo->cut_at)
			return;
		solo->cut_in = 1 + (solo->cut_after ? solo_count_ready(solo) : 0);
	}
	if (--solo->cut_in > 0)
		return;
	solo->cut = true;
	task_cancel(root, "cancelled at an await");
}

bool
solo_find_work(struct scheduler *scheduler, void *arg)
{
	solo_look_at_root(arg);
	solo_look_at_awaited(arg);
	return dispatch_find_work(scheduler, NULL);
}
