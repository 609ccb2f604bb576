/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host_guard.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "cell/executor.h"
#include "cell/hosted.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "runtime/scheduler.h"
#include "service/instance.h"
#include "service/service.h"

struct host_guard;

/* To one loop and back. */
struct host_guard_step {
	struct inbox_item item;
	struct host_guard *guard;
	struct scheduler *scheduler;
};

struct host_guard {
	struct bay_service *service;
	struct loop *control;
	unsigned pending;                 /* steps that have not come back */
	host_done_fn *done;
	void *arg;
	int64_t id;
	struct host_guard_step steps[];
};

static void
host_guard_on_answer(struct inbox_item *item)
{
	struct host_guard *guard = container_of(item, struct host_guard_step, item)->guard;

	if (--guard->pending > 0)
		return;
	guard->done(BAY_OK, NULL, guard->id, guard->arg);
	free(guard);
}

/* On the loop. One that is still to take the route sees it then. */
static void
host_guard_on_loop(struct inbox_item *item)
{
	struct host_guard_step *step = container_of(item, struct host_guard_step, item);
	struct bay_instance *instance = step->guard->service->instances[step->scheduler->index];

	if (instance != NULL)
		instance_see_guard(instance);
	step->item.run = host_guard_on_answer;
	loop_post(step->guard->control, &step->item);
}

void
host_guard_begin(const struct hosting *hosting, const struct status_page *page,
	struct bay_service *service, const struct cell_guard *wanted, call_guard_changed_fn *changed,
	host_done_fn *done, int64_t id)
{
	const struct call_guard_limits limits = {
		.breaker = {
			.percent = (unsigned)wanted->breaker,
			.calls = (unsigned)wanted->breaker_calls,
			.window_ns = wanted->breaker_window_ns,
			.delay_ns = wanted->breaker_delay_ns,
			.trials = (unsigned)wanted->breaker_trials,
		},
		.retry_percent = (unsigned)wanted->retry_budget,
		.retry_min_per_s = (unsigned)wanted->retry_budget_min,
	};
	unsigned i, loops = executor_count(hosting->executor);
	struct host_guard *guard = xcalloc(1, sizeof *guard + loops * sizeof guard->steps[0]);

	call_guard_set(service, &limits, page, (uint32_t)wanted->slot, changed);
	if (wanted->reset)
		call_guard_reset(service);
	*guard = (struct host_guard){.service = service, .control = hosting->control, .pending = loops,
		.done = done, .arg = hosting->arg, .id = id};
	for (i = 0; i < loops; i++) {
		struct host_guard_step *step = &guard->steps[i];

		step->item.run = host_guard_on_loop;
		step->guard = guard;
		step->scheduler = executor_scheduler(hosting->executor, i);
		loop_post(&step->scheduler->loop, &step->item);
	}
}
