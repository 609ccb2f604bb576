/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/health.h"

#include <stdlib.h>
#include <string.h>

#include <bay/plugin.h>
#include <bay/time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status.h"
#include "loop/timer.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/service.h"

/* What is cut by its deadline comes back with that: only then it is late. */
#define HEALTH_LATE_NS (50 * BAY_MS)

struct instance_health {
	struct bay_instance *instance;
	struct timer timer;  /* until it is asked again, or late */
	struct task *task;   /* that asks, or NULL */
	int64_t deadline;    /* of that */
	bool late;           /* it has been told that it is */
	bool ended;
	char *told;          /* why it is not well, malloc'd, or NULL */
};

static void
health_set_timer(struct instance_health *health, int64_t when_ns)
{
	wheel_add(&health->instance->scheduler->loop.wheel, &health->timer, when_ns);
}

/* Takes text: why it is not well, or NULL. */
static void
health_tell(struct instance_health *health, char *text)
{
	const struct bay_service *service = health->instance->service;
	bool same = text == NULL ? health->told == NULL :
		health->told != NULL && strcmp(text, health->told) == 0;

	free(health->told);
	health->told = text;
	if (!same && !health->ended && service->on_health != NULL)
		service->on_health(health->instance, text);
}

static char *
health_late_text(const struct instance_health *health)
{
	char span[CLOCK_TEXT_SIZE];

	return xasprintf("health did not end within health_timeout = %s", clock_format_duration(span,
		sizeof span, health->instance->service->limits.health_timeout_ns));
}

/* What the plugin gave bay_instance_fail() is the answer, and no failure of the instance. */
static char *
health_answer_text(struct instance_health *health, int status)
{
	struct bay_instance *instance = health->instance;
	char room[STATUS_ROOM];
	char *text;

	if (health->late || (status != BAY_OK && clock_monotonic_ns() >= health->deadline))
		return health_late_text(health);
	if (status == BAY_OK)
		return NULL;
	text = instance->error;
	instance->error = NULL;
	return text != NULL ? text : xasprintf("health answers: %s", status_text(status, room));
}

static int
health_main(void *arg)
{
	struct instance_health *health = arg;

	return health->instance->plugin->health(health->instance);
}

static void
health_on_ended(struct task *task, int status)
{
	struct instance_health *health = task->arg;
	struct bay_instance *instance = health->instance;

	health->task = NULL;
	wheel_remove(&instance->scheduler->loop.wheel, &health->timer);
	health_tell(health, health_answer_text(health, status));
	if (!health->ended)
		health_set_timer(health, bay_after(instance->service->limits.health_interval_ns));
	else if (instance->quiet != NULL)
		waiter_wake(instance->quiet, BAY_OK);
}

static void
health_ask(struct instance_health *health)
{
	struct bay_instance *instance = health->instance;
	struct task_spec spec = {
		.name = "health",
		.fn = health_main,
		.arg = health,
		.ended = health_on_ended,
		.instance = instance,
		.deadline = bay_after(instance->service->limits.health_timeout_ns),
		.slot = instance->slot,
		.phase = task_phase(instance->scheduler, STATUS_PHASE_RUN, "health"),
		.class = instance->stacks,
	};
	struct task *task = task_create(instance->scheduler, &spec);

	if (task == NULL) {
		health_tell(health, xstrdup("there is no stack for the task that would ask its health"));
		health_set_timer(health, bay_after(instance->service->limits.health_interval_ns));
		return;
	}
	health->task = task;
	health->deadline = spec.deadline;
	health->late = false;
	task->handle->detached = true;
	task_start(task);
	if (spec.deadline < BAY_INHERIT - HEALTH_LATE_NS)
		health_set_timer(health, spec.deadline + HEALTH_LATE_NS);
}

static void
health_on_timer(struct timer *timer)
{
	struct instance_health *health = container_of(timer, struct instance_health, timer);

	if (health->task != NULL) {
		health->late = true;
		health_tell(health, health_late_text(health));
	} else if (health->instance->replaced) {
		health_set_timer(health, bay_after(health->instance->service->limits.health_interval_ns));
	} else {
		health_ask(health);
	}
}

void
health_begin(struct bay_instance *instance)
{
	struct instance_health *health;

	if (instance->health != NULL) {
		/* Who was told meanwhile was told of another. */
		free(instance->health->told);
		instance->health->told = NULL;
		return;
	}
	if (instance->plugin->health == NULL || instance->service->limits.health_interval_ns == 0)
		return;
	health = alloc_try_zeroed(1, sizeof *health);
	if (health == NULL)
		return;
	health->instance = instance;
	instance->health = health;
	timer_init(&health->timer, health_on_timer);
	health_ask(health);
}

void
health_end(struct bay_instance *instance)
{
	struct instance_health *health = instance->health;

	if (health == NULL || health->ended)
		return;
	health->ended = true;
	wheel_remove(&instance->scheduler->loop.wheel, &health->timer);
	if (health->task != NULL)
		task_cancel(health->task, "the service is being stopped");
}

bool
health_is_over(const struct bay_instance *instance)
{
	return instance->health == NULL || instance->health->task == NULL;
}

void
health_finish(struct bay_instance *instance)
{
	struct instance_health *health = instance->health;

	if (health == NULL)
		return;
	wheel_remove(&instance->scheduler->loop.wheel, &health->timer);
	free(health->told);
	free(health);
	instance->health = NULL;
}
