/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/scheduler.h"
#include "service/call_guard.h"
#include "service/bounds.h"
#include "service/ready_set.h"

static const char *const state_names[] = {
	[SERVICE_UNKNOWN] = "unknown",
	[SERVICE_STARTING] = "starting",
	[SERVICE_READY] = "ready",
	[SERVICE_STOPPING] = "stopping",
	[SERVICE_STOPPED] = "stopped",
	[SERVICE_ELSEWHERE] = "in another cell",
	[SERVICE_FAILED] = "failed",
};

static const char *const overflow_names[] = {
	[OVERFLOW_REJECT] = "reject",
	[OVERFLOW_WAIT] = "wait",
	[OVERFLOW_DROP_OLDEST] = "drop-oldest",
	[OVERFLOW_DROP_NEWEST] = "drop-newest",
};

void
service_init(struct bay_service *service, const char *name, uint16_t id)
{
	memset(service, 0, sizeof *service);
	snprintf(service->name, sizeof service->name, "%s", name);
	snprintf(service->subject, sizeof service->subject, "service %s", name);
	service->unheard.burst = 5;
	service->bounded.burst = 5;
	service->bounded.period_ns = 10 * INT64_C(1000000000);
	service->unheard.period_ns = 10 * INT64_C(1000000000);
	service->id = id;
	service->slot = STATUS_NO_SLOT;
	list_init(&service->queue);
	list_init(&service->waiting);
	monitor_init(&service->news);
	list_init(&service->in_set);
	blocking_lane_init(&service->blocking);
	pthread_mutex_init(&service->lock, NULL);
}

void
service_finish(struct bay_service *service)
{
	pthread_mutex_destroy(&service->lock);
	free(service->reason);
	monitor_finish(&service->news);
	free(service->gate_by);
	call_guard_finish(service);
}

void
service_set_slot(struct bay_service *service, const struct status_page *page, uint32_t slot)
{
	/* Somebody who calls it or frees its memory may be reading them. */
	if (service->counters != NULL && service->slot == slot)
		return;
	pthread_mutex_lock(&service->lock);
	service->slot = slot;
	service->columns = page->loops;
	service->gauges = status_page_gauges(page, slot);
	service->counters = status_page_counters(page, slot, 0);
	pthread_mutex_unlock(&service->lock);
}

/* Under the lock. */
static void
service_publish_bounds(struct bay_service *service)
{
	atomic_store_explicit(&service->memory_max, service->limits.memory_max, memory_order_relaxed);
	atomic_store_explicit(&service->tasks_max, service->limits.tasks_max, memory_order_relaxed);
}

void
service_set_limits(struct bay_service *service, const struct service_limits *limits)
{
	pthread_mutex_lock(&service->lock);
	service->limits = *limits;
	service_publish_bounds(service);
	pthread_mutex_unlock(&service->lock);
	blocking_lane_set_limit(&service->blocking, limits->blocking_threads);
}

void
service_change_limits(struct bay_service *service, const struct service_limits *limits)
{
	struct service_limits *mine = &service->limits;

	pthread_mutex_lock(&service->lock);
	mine->concurrency = limits->concurrency;
	mine->queue = limits->queue;
	mine->queue_bytes = limits->queue_bytes;
	mine->weight = limits->weight;
	mine->max_inflight = limits->max_inflight;
	mine->tasks_max = limits->tasks_max;
	mine->memory_max = limits->memory_max;
	mine->rate_count = limits->rate_count;
	mine->rate_period_ns = limits->rate_period_ns;
	service_publish_bounds(service);
	mine->overflow = limits->overflow;
	mine->timeout_ns = limits->timeout_ns;
	mine->stack_bytes = limits->stack_bytes;
	mine->blocking_threads = limits->blocking_threads;
	pthread_mutex_unlock(&service->lock);
	blocking_lane_set_limit(&service->blocking, limits->blocking_threads);
}

void
service_set_route(struct bay_service *service, const struct bay_plugin *plugin, struct ready_set *set,
	unsigned instance_count)
{
	pthread_mutex_lock(&service->lock);
	/* What came while it had no instance stands in the set of those that it had. */
	if (service->listed && set != service->set) {
		ready_set_remove(service->set, service);
		service->listed = false;
	}
	service->plugin = plugin;
	service->set = set;
	service->instance_count = instance_count;
	pthread_mutex_unlock(&service->lock);
}

void
service_set_state(struct bay_service *service, enum service_state state, const char *reason)
{
	static const enum bay_monitor_state seen[] = {
		[SERVICE_UNKNOWN] = BAY_MONITOR_UNKNOWN,
		[SERVICE_STARTING] = BAY_MONITOR_STARTING,
		[SERVICE_READY] = BAY_MONITOR_READY,
		[SERVICE_STOPPED] = BAY_MONITOR_STOPPED,
		[SERVICE_FAILED] = BAY_MONITOR_FAILED,
	};

	pthread_mutex_lock(&service->lock);
	atomic_store_explicit(&service->state, (int)state, memory_order_release);
	free(service->reason);
	service->reason = reason != NULL ? xstrdup(reason) : NULL;
	pthread_mutex_unlock(&service->lock);
	if (state == SERVICE_STOPPED || state == SERVICE_FAILED)
		bounds_forget_memory(service);
	/* While it stops it still serves what it has; of what is elsewhere, others tell. */
	if (state != SERVICE_STOPPING && state != SERVICE_ELSEWHERE)
		monitor_note(service, seen[state], 0, reason);
	log_debug(service->subject, "%s%s%s", service_state_name(state), reason != NULL ? ": " : "",
		reason != NULL ? reason : "");
}

const char *
service_state_name(enum service_state state)
{
	return state_names[state];
}

bool
overflow_policy_parse(const char *word, enum overflow_policy *policy_r)
{
	size_t i;

	for (i = 0; i < sizeof overflow_names / sizeof overflow_names[0]; i++) {
		if (strcmp(word, overflow_names[i]) == 0) {
			*policy_r = (enum overflow_policy)i;
			return true;
		}
	}
	return false;
}

const char *
overflow_policy_name(enum overflow_policy policy)
{
	return overflow_names[policy];
}

/* The last column is for all threads that are no loops. */
static void
service_add_one(_Atomic uint64_t *figure, bool shared)
{
	if (shared)
		status_add_shared(figure, 1);
	else
		status_add(figure, 1);
}

void
service_count(const struct bay_service *service, enum service_event event)
{
	const struct scheduler *here = scheduler_here;
	struct status_counters *counters;
	bool shared = here == NULL;

	if (service->counters == NULL)
		return;
	counters = &service->counters[shared ? service->columns : here->index];
	switch (event) {
	case SERVICE_EVENT_QUEUED:
		service_add_one(&counters->queued, shared);
		return;
	case SERVICE_EVENT_DROPPED:
		service_add_one(&counters->dropped, shared);
		return;
	case SERVICE_EVENT_REJECTED:
		service_add_one(&counters->rejected, shared);
		return;
	case SERVICE_EVENT_TIMEOUT:
		service_add_one(&counters->timeouts, shared);
		break;
	case SERVICE_EVENT_CANCELED:
		service_add_one(&counters->canceled, shared);
		break;
	case SERVICE_EVENT_FAILED:
		break;
	}
	service_add_one(&counters->failed, shared);
}

void
service_count_cpu(const struct bay_service *service, int64_t cpu_ns)
{
	if (service != NULL && service->counters != NULL && cpu_ns > 0)
		status_add_shared(&service->counters[service->columns].cpu_ns, (uint64_t)cpu_ns);
}

void
service_count_topic(const struct bay_service *service, int64_t waiting, uint64_t lost)
{
	struct status_counters *counters;

	if (service == NULL || service->counters == NULL)
		return;
	counters = &service->counters[scheduler_here->index];
	status_add(&counters->topic_waiting, (uint64_t)waiting);
	status_add(&counters->topic_lost, lost);
	if (lost > 0)
		status_add_shared(&service->gauges->lost, lost);
}
