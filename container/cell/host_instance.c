/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host_instance.h"

#include <stdlib.h>
#include <string.h>

#include <bay/message.h>
#include <bay/plugin.h>
#include <bay/time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/status.h"
#include "base/text.h"
#include "cell/generation.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/canary.h"
#include "service/instance.h"
#include "service/service.h"

void
host_instance_init(struct host_instance *instance, struct bay_service *service,
	struct scheduler *scheduler, struct loop *control, unsigned index, struct generation *owner)
{
	memset(instance, 0, sizeof *instance);
	instance->service = service;
	instance->scheduler = scheduler;
	instance->control = control;
	instance->index = index;
	instance->owner = owner;
}

void
host_instance_finish(struct host_instance *instance)
{
	bay_message_free(instance->state);
	free(instance->message);
	free(instance->unwell);
}

/* --- the two directions ---------------------------------------------------------------- */

static void
host_instance_on_answer(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	instance->done(instance);
}

/* On the loop: the step is done. Takes message. */
static void
host_instance_answer(struct host_instance *instance, int status, char *message)
{
	instance->status = status;
	instance->message = message;
	instance->item.run = host_instance_on_answer;
	loop_post(instance->control, &instance->item);
}

static void
host_instance_send(struct host_instance *instance, inbox_fn *step)
{
	instance->item.run = step;
	loop_post(&instance->scheduler->loop, &instance->item);
}

/* A task of the container for a step that may suspend, or NULL without a stack. */
static struct task *
host_instance_spawn(struct host_instance *instance, const char *name, bay_task_fn *fn,
	task_ended_fn *ended, struct stack_class *class, int64_t deadline)
{
	struct task_spec spec = {
		.name = name,
		.fn = fn,
		.arg = instance,
		.ended = ended,
		.instance = instance->instance,
		.deadline = deadline,
		.slot = instance->service->slot,
		.phase = task_phase(instance->scheduler, STATUS_PHASE_INIT, name),
		.counted = true,
		.class = class,
	};
	struct task *task = class != NULL ? task_create(instance->scheduler, &spec) : NULL;

	if (task == NULL)
		return NULL;
	task->handle->detached = true;
	task_start(task);
	return task;
}

/* --- functions of the plugin that have a time limit ------------------------------------- */

/* Why it has failed, malloc'd. */
static char *
host_instance_failure_text(const struct host_instance *instance, const struct task *task, int status)
{
	const char *name = instance->busy_with;
	char span[CLOCK_TEXT_SIZE], room[STATUS_ROOM];

	if (instance->instance->error != NULL)
		return xasprintf("%s failed: %s [service-init]", name, instance->instance->error);
	if (status == BAY_TIMEOUT && task->deadline <= clock_monotonic_ns())
		return xasprintf("%s did not end within start_timeout = %s [service-init-timeout]", name,
			clock_format_duration(span, sizeof span, instance->start_timeout_ns));
	return xasprintf("%s failed: %s [service-init]", name, status_text(status, room));
}

static void
host_instance_busy_ended(struct task *task, int status)
{
	struct host_instance *instance = task->arg;
	char *message = NULL;

	instance->busy = NULL;
	if (!timer_armed(&instance->timer))
		return; /* too late: it was answered for */
	wheel_remove(&instance->scheduler->loop.wheel, &instance->timer);
	if (status != BAY_OK)
		message = host_instance_failure_text(instance, task, status);
	host_instance_answer(instance, status, message);
}

/* It waits for nothing that a deadline could cut. */
static void
host_instance_on_stuck(struct timer *timer)
{
	struct host_instance *instance = container_of(timer, struct host_instance, timer);
	char limit[CLOCK_TEXT_SIZE], grace[CLOCK_TEXT_SIZE];

	host_instance_answer(instance, BAY_TIMEOUT, xasprintf("%s did not end within start_timeout = %s, "
		"nor within %s more [service-init-timeout]", instance->busy_with,
		clock_format_duration(limit, sizeof limit, instance->start_timeout_ns),
		clock_format_duration(grace, sizeof grace, instance->grace_ns)));
}

/* Runs a function of the plugin by this name, and answers. */
static void
host_instance_run(struct host_instance *instance, const char *name, bay_task_fn *main)
{
	struct loop *loop = &instance->scheduler->loop;
	int64_t deadline = bay_after(instance->start_timeout_ns);

	if (instance->busy != NULL) {
		host_instance_answer(instance, BAY_BUSY, xasprintf("its function %s has not come back (bayctl tasks %s)",
			instance->busy_with, instance->service->name));
		return;
	}
	instance->busy_with = name;
	if (instance->instance != NULL) {
		free(instance->instance->error);
		instance->instance->error = NULL;
		instance->busy = host_instance_spawn(instance, name, main, host_instance_busy_ended,
			instance->instance->stacks, deadline);
	}
	if (instance->busy == NULL) {
		host_instance_answer(instance, BAY_NO_MEMORY, xstrdup("no memory or stack for an instance"));
		return;
	}
	timer_init(&instance->timer, host_instance_on_stuck);
	wheel_add(&loop->wheel, &instance->timer,
		deadline < BAY_INHERIT - instance->grace_ns ? deadline + instance->grace_ns : BAY_INHERIT);
}

/* --- start -------------------------------------------------------------------------------- */

static int
host_instance_init_main(void *arg)
{
	struct host_instance *instance = arg;

	return instance_init(instance->instance);
}

static void
host_instance_on_start(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	instance->instance = generation_make_instance(instance->owner, instance->scheduler, instance->index);
	host_instance_run(instance, "init", host_instance_init_main);
}

void
host_instance_start(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_start);
}

/* --- the state -------------------------------------------------------------------------------- */

static int
host_instance_hold_main(void *arg)
{
	struct host_instance *instance = arg;
	struct bay_instance *held = instance->instance;
	char span[CLOCK_TEXT_SIZE];

	if (instance_await_quiet(held, bay_after(instance->drain_ns)))
		return BAY_OK;
	instance->message = xasprintf("its state cannot go over: %u %s not end within drain_timeout = %s "
		"(bayctl tasks %s)", held->in_flight, text_number(held->in_flight, "request does", "requests do"),
		clock_format_duration(span, sizeof span, instance->drain_ns), instance->service->name);
	return BAY_BUSY;
}

static void
host_instance_hold_ended(struct task *task, int status)
{
	struct host_instance *instance = task->arg;

	host_instance_answer(instance, status, instance->message);
}

static void
host_instance_on_hold(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	instance_hold(instance->instance);
	instance->message = NULL;
	if (!host_instance_spawn(instance, "hold", host_instance_hold_main, host_instance_hold_ended,
			instance->instance->stacks, BAY_INHERIT))
		host_instance_answer(instance, BAY_NO_MEMORY, xstrdup("no stack for the task that would hold it"));
}

void
host_instance_hold(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_hold);
}

static int
host_instance_export_main(void *arg)
{
	struct host_instance *instance = arg;

	return instance->instance->plugin->export_state(instance->instance, &instance->state);
}

static void
host_instance_on_export(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	bay_message_free(instance->state);
	instance->state = NULL;
	instance->state_version = instance->instance->plugin->state_version;
	host_instance_run(instance, "export_state", host_instance_export_main);
}

void
host_instance_export(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_export);
}

static int
host_instance_import_main(void *arg)
{
	struct host_instance *instance = arg;

	return instance->instance->plugin->import_state(instance->instance, instance->state_version,
		instance->state);
}

static void
host_instance_on_import(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	host_instance_run(instance, "import_state", host_instance_import_main);
}

void
host_instance_import(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_import);
}

/* --- serve -------------------------------------------------------------------------------- */

static void
host_instance_on_serve(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);
	const struct bay_instance *before = instance->service->instances[instance->scheduler->index];

	instance->could_be_kept = before != NULL && !instance_acts(before);
	if (instance_serve(instance->instance))
		host_instance_answer(instance, BAY_OK, NULL);
	else
		host_instance_answer(instance, BAY_NO_MEMORY, xstrdup("no stack for its run task"));
}

void
host_instance_serve(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_serve);
}

static void
host_instance_on_resume(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	instance_take_route(instance->instance);
	host_instance_answer(instance, BAY_OK, NULL);
}

void
host_instance_resume(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_resume);
}

/* --- canary -------------------------------------------------------------------------------- */

static void
host_instance_on_try(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	if (canary_begin(instance->instance, instance->share))
		host_instance_answer(instance, BAY_OK, NULL);
	else
		host_instance_answer(instance, BAY_NO_MEMORY, xstrdup("no stack for its run task"));
}

void
host_instance_try(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_try);
}

static void
host_instance_on_give_up(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	instance_hold(instance->instance);
	instance->instance->given_up = true;
	host_instance_answer(instance, BAY_OK, NULL);
}

void
host_instance_give_up(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_give_up);
}

/* --- stop --------------------------------------------------------------------------------- */

static int
host_instance_stop_main(void *arg)
{
	struct host_instance *instance = arg;

	if (!instance_stop(instance->instance, instance->grace_ns, &instance->message))
		return BAY_BUSY;
	return BAY_OK;
}

static void
host_instance_stop_ended(struct task *task, int status)
{
	struct host_instance *instance = task->arg;

	if (status == BAY_OK) {
		instance_destroy(instance->instance);
		instance->instance = NULL;
	}
	host_instance_answer(instance, status, instance->message);
}

static void
host_instance_on_stop(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

	if (instance->busy != NULL) {
		task_cancel(instance->busy, "it has had its time");
		host_instance_answer(instance, BAY_BUSY, xasprintf("its %s function does not come back "
			"(bayctl tasks %s)", instance->busy_with, instance->service->name));
	} else if (instance->instance == NULL)
		host_instance_answer(instance, BAY_OK, NULL);
	else {
		if (instance->replaced)
			instance_hold(instance->instance);
		instance_drain_until(instance->instance, bay_after(instance->drain_ns));
		if (!host_instance_spawn(instance, "stop", host_instance_stop_main, host_instance_stop_ended,
				instance->instance->stacks, BAY_INHERIT))
			host_instance_answer(instance, BAY_BUSY, xstrdup("no stack for the task that would stop it"));
	}
}

void
host_instance_stop(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_stop);
}

/* Of a stop or a hold that is under way, beside the item of that. */
struct host_hurry {
	struct inbox_item item;
	struct host_instance *instance;
	int64_t deadline;
};

static void
host_hurry_on_control(struct inbox_item *item)
{
	struct host_hurry *hurry = container_of(item, struct host_hurry, item);

	generation_arrived(hurry->instance->owner);
	free(hurry);
}

static void
host_hurry_on_loop(struct inbox_item *item)
{
	struct host_hurry *hurry = container_of(item, struct host_hurry, item);
	struct host_instance *instance = hurry->instance;

	if (instance->instance != NULL)
		instance_drain_until(instance->instance, hurry->deadline);
	hurry->item.run = host_hurry_on_control;
	loop_post(instance->control, &hurry->item);
}

void
host_instance_hurry(struct host_instance *instance, int64_t drain_ns)
{
	struct host_hurry *hurry = xcalloc(1, sizeof *hurry);

	hurry->item.run = host_hurry_on_loop;
	hurry->instance = instance;
	hurry->deadline = bay_after(drain_ns);
	loop_post(&instance->scheduler->loop, &hurry->item);
}
