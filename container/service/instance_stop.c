/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of an instance. Each step has a limit, so that whoever asked is answered, and one
 * that was refused may be asked for again: it goes on where it stands.
 */
#include "config.h"

#include "service/instance.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/belonging.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/blocking.h"
#include "service/canary.h"
#include "service/health.h"
#include "service/later.h"
#include "service/request.h"
#include "service/service.h"
#include "service/topic.h"

/* Waits until *quiet says so (nothing in flight, nothing in the scope, the plugin's function
 * is back), at most until deadline. */
static bool
instance_wait(struct waiter **quiet, int64_t deadline)
{
	struct waiter waiter;
	int status;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	*quiet = &waiter;
	status = task_await(&waiter, deadline);
	*quiet = NULL;
	return status == BAY_OK;
}

void
instance_drain_until(struct bay_instance *instance, int64_t deadline)
{
	if (deadline >= instance->drain_until)
		return;
	instance->drain_until = deadline;
	if (instance->quiet != NULL)
		waiter_wake(instance->quiet, BAY_OK);
}

/* Whether there is something that its drain waits for beside its requests. */
static bool
instance_has_more(const struct bay_instance *instance)
{
	return instance->replaced ? belonging_has_accepted(instance->scheduler, instance)
		: instance->takes && instance->service->queued > 0 &&
			service_gate(instance->service) != SERVICE_GATE_PAUSED;
}

/* Lets what is queued and in flight finish; other loops may empty the queue. */
static void
instance_drain(struct bay_instance *instance)
{
	while (instance_is_busy(instance) || instance_has_more(instance)) {
		struct waiter *nobody;

		if (clock_monotonic_ns() >= instance->drain_until)
			return;
		if (instance_is_busy(instance) && instance_wait(&instance->quiet, instance->drain_until))
			continue;
		(void)instance_wait(&nobody, clock_monotonic_ns() + (instance->replaced ? 20 : 1) * BAY_MS);
	}
}

bool
instance_await_quiet(struct bay_instance *instance, int64_t deadline)
{
	while (instance_is_busy(instance)) {
		int64_t last_ns = deadline < instance->drain_until ? deadline : instance->drain_until;

		if (clock_monotonic_ns() >= last_ns)
			return false;
		(void)instance_wait(&instance->quiet, last_ns);
	}
	return true;
}

/* Those that are in flight when the drain is over. */
static void
instance_cancel_requests(struct bay_instance *instance, const char *reason)
{
	unsigned count = instance->in_flight + instance->verbs;

	if (count > 0)
		log_warn(instance->service->subject, "its time to drain is over: %u %s cancelled",
			count, text_number(count, "request is", "requests are"));
	list_for_each(pos, &instance->requests) {
		struct bay_request *request = container_of(pos, struct bay_request, link);

		if (request->task != NULL)
			task_cancel(request->task, reason);
	}
}

/* --- stop and fini ------------------------------------------------------------------ */

static int
instance_last_words_main(void *arg)
{
	struct bay_instance *instance = arg;

	instance->last_words(instance);
	return BAY_OK;
}

static void
instance_last_words_ended(struct task *task, int status)
{
	struct bay_instance *instance = task->arg;

	(void)status;
	instance->last_words = NULL;
	if (instance->quiet != NULL)
		waiter_wake(instance->quiet, BAY_OK);
}

/* Calls stop or fini as a task of its own, with half of the time as its deadline: it may wait
 * for ever, or leave tasks behind, which end with it. False: it has not come back. */
static bool
instance_say_last_words(struct bay_instance *instance, void (*fn)(struct bay_instance *), const char *name,
	int64_t last_ns)
{
	int64_t now_ns = clock_monotonic_ns();
	struct task_spec spec = {
		.name = name,
		.fn = instance_last_words_main,
		.arg = instance,
		.ended = instance_last_words_ended,
		.instance = instance,
		.deadline = now_ns + (last_ns - now_ns) / 2,
		.slot = instance->slot,
		.phase = task_phase(instance->scheduler, STATUS_PHASE_INIT, name),
		.counted = true,
		.class = instance->stacks,
	};
	struct task *task = task_create(instance->scheduler, &spec);

	if (task == NULL) {
		fn(instance);
		return true;
	}
	instance->last_words = fn;
	task->handle->detached = true;
	task_start(task);
	while (instance->last_words != NULL && instance_wait(&instance->quiet, last_ns))
		;
	return instance->last_words == NULL;
}

/* What asks how it is, then stop, then the end of all that lives as long as the instance. */
static void
instance_end_scope(struct bay_instance *instance, const char *reason, int64_t last_ns)
{
	while (!health_is_over(instance) && instance_wait(&instance->quiet, last_ns))
		;
	if (!health_is_over(instance))
		return;
	if (instance->ready && !instance->stop_called && instance->plugin->stop != NULL) {
		instance->stop_called = true;
		if (!instance_say_last_words(instance, instance->plugin->stop, "stop", last_ns))
			return;
	}
	scope_cancel(&instance->scope, reason);
	while (instance->scope.live > 0 && instance_wait(&instance->scope.closing, last_ns))
		;
}

/* Its functions on helper threads: their code and what they use must stay until then. */
static void
instance_wait_blocking(struct bay_instance *instance, int64_t last_ns)
{
	while (!list_empty(&instance->blocking) && instance_wait(&instance->quiet, last_ns))
		;
}

/* What it was to send later its successor does, or nobody. Those that got their places at this
 * moment come home by themselves. */
static void
instance_end_laters(struct bay_instance *instance, int64_t last_ns)
{
	struct bay_instance *successor = instance->service->instances[instance->scheduler->index];

	if (instance->replaced && successor != NULL && successor != instance)
		later_move(instance, successor);
	while (!later_end(instance) && instance_wait(&instance->quiet, last_ns))
		;
}

/* Who refuses to end, or NULL. Malloc'd. */
static char *
instance_refusal(const struct bay_instance *instance)
{
	unsigned busy = instance->in_flight + instance->verbs;
	const char *name = instance->service->name;

	if (instance->last_words != NULL)
		return xasprintf("its %s function does not come back (bayctl tasks %s)",
			instance->last_words == instance->plugin->stop ? "stop" : "fini", name);
	if (!health_is_over(instance))
		return xasprintf("its health function does not come back (bayctl tasks %s)", name);
	if (instance_is_busy(instance))
		return xasprintf("%u %s to stop (bayctl tasks %s)", busy,
			text_number(busy, "handler refuses", "handlers refuse"), name);
	if (instance->scope.live > 0)
		return xasprintf("%u %s to stop (bayctl tasks %s)", instance->scope.live,
			text_number(instance->scope.live, "task of its own refuses", "tasks of its own refuse"),
			name);
	if (!list_empty(&instance->blocking))
		return blocking_refusal(&instance->blocking);
	if (later_count(instance) > 0)
		return xasprintf("%zu of its messages to be sent later have not come home", later_count(instance));
	return NULL;
}

bool
instance_stop(struct bay_instance *instance, int64_t grace_ns, char **refusal_r)
{
	struct bay_instance **route = &instance->service->instances[instance->scheduler->index];
	char reason[SERVICE_NAME_SIZE + 64];
	int64_t last_ns;

	canary_end(instance);
	if (instance->canary != NULL)
		canary_end(instance->canary);
	instance->serves = false;
	instance->direct = false;
	instance->takes_verbs = false;
	health_end(instance);
	/* What is held in the queue is for the next one. */
	if (instance->service->held)
		instance->takes = false;
	if (instance->replaced) {
		belonging_listen_no_more(instance->scheduler, instance);
		/* Whoever has just been given a connection makes it his own. */
		task_yield();
	}
	instance_drain(instance);
	instance->takes = false;
	snprintf(reason, sizeof reason, instance->given_up ? "canary: that of service %s was given up"
		: instance->replaced ? "swap: the code of service %s was replaced"
		: "service %s is stopping", instance->service->name);
	instance_cancel_requests(instance, reason);
	last_ns = clock_monotonic_ns() + grace_ns;
	while ((instance_is_busy(instance) || instance->last_words != NULL) && instance_wait(&instance->quiet, last_ns))
		;
	if (!instance_is_busy(instance) && instance->last_words == NULL)
		instance_end_scope(instance, reason, last_ns);
	instance_wait_blocking(instance, last_ns);
	instance_end_laters(instance, last_ns);
	topic_end(instance);
	*refusal_r = instance_refusal(instance);
	if (*refusal_r != NULL)
		return false;
	if (instance->ready && !instance->fini_called && instance->plugin->fini != NULL) {
		instance->fini_called = true;
		last_ns = clock_monotonic_ns() + grace_ns;
		(void)instance_say_last_words(instance, instance->plugin->fini, "fini", last_ns);
		instance_wait_blocking(instance, last_ns);
	}
	*refusal_r = instance_refusal(instance);
	if (*refusal_r != NULL)
		return false;
	belonging_part(instance->scheduler, instance, clock_monotonic_ns() + grace_ns);
	belonging_end_of_instance(instance->scheduler, instance);
	if (*route == instance)
		*route = NULL;
	return true;
}
