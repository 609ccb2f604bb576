/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host_change.h"

#include <stdlib.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/list.h"
#include "cell/executor.h"
#include "cell/hosted.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "service/instance_change.h"
#include "service/plugin.h"
#include "service/service_queue.h"
#include "service/settings.h"

struct host_change;

/* For one instance: to its loop and back. */
struct host_change_step {
	struct inbox_item item;
	struct host_change *change;
	struct scheduler *scheduler;
};

struct host_change {
	struct bay_service *service;
	struct loop *control;
	struct settings *settings;        /* a reference; NULL: as before */
	unsigned pending;                 /* steps that have not come back */
	host_done_fn *done;
	void *arg;
	int64_t id;
	struct host_change_step steps[];
};

/* --- settings ---------------------------------------------------------------------- */

/* What the plugin says to the new ones. False: it refuses them, for the reason in *why_r. */
static bool
host_change_read_settings(const struct hosted *hosted, const struct cell_change *change,
	struct settings **settings_r, char **why_r)
{
	struct setting_value *values = xcalloc(change->setting_count + 1, sizeof values[0]);
	struct settings_report report = {0};
	bool done;
	size_t i;

	for (i = 0; i < change->setting_count; i++)
		values[i] = (struct setting_value){change->settings[i].key, change->settings[i].value};
	done = settings_create(hosted->current->code.plugin->descriptor.settings, values, change->setting_count,
		settings_r, &report);
	if (!done)
		*why_r = host_code_complaint(&report);
	settings_report_finish(&report);
	free(values);
	return done;
}

/* --- bounds ------------------------------------------------------------------------- */

enum overflow_policy
host_change_overflow(enum cell_overflow overflow)
{
	static const enum overflow_policy policies[] = {
		[CELL_OVERFLOW_WAIT] = OVERFLOW_WAIT,
		[CELL_OVERFLOW_REJECT] = OVERFLOW_REJECT,
		[CELL_OVERFLOW_DROP_OLDEST] = OVERFLOW_DROP_OLDEST,
		[CELL_OVERFLOW_DROP_NEWEST] = OVERFLOW_DROP_NEWEST,
	};

	return policies[overflow];
}

static void
host_change_set_limits(struct bay_service *service, const struct cell_change *change)
{
	/* Nobody but this thread changes them. */
	struct service_limits limits = service->limits;

	limits.concurrency = (unsigned)change->concurrency;
	limits.queue = (size_t)change->queue;
	limits.queue_bytes = (size_t)change->queue_bytes;
	limits.weight = (unsigned)change->weight;
	limits.max_inflight = (size_t)change->max_inflight;
	limits.tasks_max = (uint64_t)change->tasks_max;
	limits.memory_max = (uint64_t)change->memory_max;
	limits.rate_count = (uint64_t)change->rate_count;
	limits.rate_period_ns = change->rate_period_ns;
	limits.overflow = host_change_overflow(change->overflow);
	limits.timeout_ns = change->timeout_ns;
	limits.blocking_threads = (unsigned)change->blocking_threads;
	service_change_limits(service, &limits);
}

/* --- there and back ------------------------------------------------------------------ */

static void
host_change_on_answer(struct inbox_item *item)
{
	struct host_change *change = container_of(item, struct host_change_step, item)->change;

	if (--change->pending > 0)
		return;
	service_queue_resettle(change->service);
	settings_unref(change->settings);
	change->done(BAY_OK, NULL, change->id, change->arg);
	free(change);
}

/* On the loop. */
static void
host_change_on_loop(struct inbox_item *item)
{
	struct host_change_step *step = container_of(item, struct host_change_step, item);
	struct bay_instance *instance = step->change->service->instances[step->scheduler->index];

	/* It may have begun to stop meanwhile, and have ended. */
	if (instance != NULL)
		instance_change(instance, step->change->settings);
	step->item.run = host_change_on_answer;
	loop_post(step->change->control, &step->item);
}

void
host_change_begin(struct hosted *hosted, const struct cell_change *wanted, host_done_fn *done,
	int64_t id)
{
	const struct hosting *hosting = hosted->hosting;
	unsigned i, loops = executor_count(hosting->executor);
	struct settings *settings = NULL;
	struct host_change *change;
	char *why;

	if (wanted->has_settings && !host_change_read_settings(hosted, wanted, &settings, &why)) {
		done(BAY_INVALID, why, id, hosting->arg);
		free(why);
		return;
	}
	host_change_set_limits(hosted->service, wanted);
	change = xcalloc(1, sizeof *change + loops * sizeof change->steps[0]);
	*change = (struct host_change){.service = hosted->service, .control = hosting->control,
		.settings = settings, .pending = hosted->current->instance_count, .done = done, .arg = hosting->arg,
		.id = id};
	for (i = 0; i < loops; i++) {
		struct host_change_step *step = &change->steps[i];

		if ((hosted->mask >> i & 1) == 0)
			continue;
		step->item.run = host_change_on_loop;
		step->change = change;
		step->scheduler = executor_scheduler(hosting->executor, i);
		loop_post(&step->scheduler->loop, &step->item);
	}
}
