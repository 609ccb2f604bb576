/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host_instance.h"

#include <stdlib.h>
#include <string.h>

#include <bay/time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/status.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/service.h"

void
host_instance_init(struct host_instance *instance, struct bay_service *service,
	struct scheduler *scheduler, struct loop *control, unsigned index, struct hosted *owner)
{
	memset(instance, 0, sizeof *instance);
	instance->service = service;
	instance->scheduler = scheduler;
	instance->control = control;
	instance->index = index;
	instance->owner = owner;
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
		.class = class,
	};
	struct task *task = class != NULL ? task_create(instance->scheduler, &spec) : NULL;

	if (task == NULL)
		return NULL;
	task->handle->detached = true;
	task_start(task);
	return task;
}

/* --- start -------------------------------------------------------------------------------- */

static int
host_instance_init_main(void *arg)
{
	struct host_instance *instance = arg;

	return instance_init(instance->instance);
}

/* Why init has failed, malloc'd. */
static char *
host_instance_init_text(const struct host_instance *instance, const struct task *task, int status)
{
	char span[CLOCK_TEXT_SIZE], room[STATUS_ROOM];

	if (instance->instance->error != NULL)
		return xasprintf("init failed: %s [service-init]", instance->instance->error);
	if (status == BAY_TIMEOUT && task->deadline <= clock_monotonic_ns())
		return xasprintf("init did not end within start_timeout = %s [service-init-timeout]",
			clock_format_duration(span, sizeof span, instance->start_timeout_ns));
	return xasprintf("init failed: %s [service-init]", status_text(status, room));
}

static void
host_instance_init_ended(struct task *task, int status)
{
	struct host_instance *host_instance = task->arg;
	char *message = NULL;

	host_instance->init = NULL;
	if (!timer_armed(&host_instance->timer))
		return; /* too late: it was answered for */
	wheel_remove(&host_instance->scheduler->loop.wheel, &host_instance->timer);
	if (status != BAY_OK)
		message = host_instance_init_text(host_instance, task, status);
	host_instance_answer(host_instance, status, message);
}

/* Init waits for nothing that a deadline could cut. */
static void
host_instance_on_init_stuck(struct timer *timer)
{
	struct host_instance *instance = container_of(timer, struct host_instance, timer);

	char limit[CLOCK_TEXT_SIZE], grace[CLOCK_TEXT_SIZE];

	host_instance_answer(instance, BAY_TIMEOUT, xasprintf("init did not end within start_timeout = %s, "
		"nor within %s more [service-init-timeout]", clock_format_duration(limit, sizeof limit, instance->start_timeout_ns),
		clock_format_duration(grace, sizeof grace, instance->grace_ns)));
}

static void
host_instance_on_start(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);
	struct loop *loop = &instance->scheduler->loop;
	int64_t deadline = bay_after(instance->start_timeout_ns);

	instance->instance = instance_create(instance->service, instance->scheduler, instance->index);
	if (instance->instance != NULL)
		instance->init = host_instance_spawn(instance, "init", host_instance_init_main,
			host_instance_init_ended, instance->instance->stacks, deadline);
	if (instance->init == NULL) {
		host_instance_answer(instance, BAY_NO_MEMORY, xstrdup("no memory or stack for an instance"));
		return;
	}
	timer_init(&instance->timer, host_instance_on_init_stuck);
	wheel_add(&loop->wheel, &instance->timer,
		deadline < BAY_INHERIT - instance->grace_ns ? deadline + instance->grace_ns : BAY_INHERIT);
}

void
host_instance_start(struct host_instance *instance)
{
	host_instance_send(instance, host_instance_on_start);
}

/* --- serve -------------------------------------------------------------------------------- */

static void
host_instance_on_serve(struct inbox_item *item)
{
	struct host_instance *instance = container_of(item, struct host_instance, item);

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

	if (instance->init != NULL) {
		task_cancel(instance->init, "it has had its time");
		host_instance_answer(instance, BAY_BUSY, xasprintf("its init function does not come back "
			"(bayctl tasks %s)", instance->service->name));
	} else if (instance->instance == NULL)
		host_instance_answer(instance, BAY_OK, NULL);
	else {
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

/* On its way it may outlive the instance, so it looks for the one that its loop has. Whatever
 * is started later on that loop comes after it. */
struct host_hurry {
	struct inbox_item item;
	struct bay_service *service;
	struct scheduler *scheduler;
	int64_t deadline;
};

static void
host_instance_on_hurry(struct inbox_item *item)
{
	struct host_hurry *hurry = container_of(item, struct host_hurry, item);
	struct bay_instance *instance = hurry->service->instances[hurry->scheduler->index];

	if (instance != NULL)
		instance_drain_until(instance, hurry->deadline);
	free(hurry);
}

void
host_instance_hurry(struct host_instance *instance, int64_t drain_ns)
{
	struct host_hurry *hurry = xcalloc(1, sizeof *hurry);

	hurry->item.run = host_instance_on_hurry;
	hurry->service = instance->service;
	hurry->scheduler = instance->scheduler;
	hurry->deadline = bay_after(drain_ns);
	loop_post(&instance->scheduler->loop, &hurry->item);
}
