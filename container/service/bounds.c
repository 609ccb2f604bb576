/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/bounds.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "runtime/scheduler.h"
#include "service/instance.h"
#include "service/service_queue.h"

/* How soon one looks again whether tasks have ended or memory was freed. */
#define BOUNDS_AGAIN_NS (10 * CLOCK_NS_PER_MS)

/* --- what there is ------------------------------------------------------------------ */

static uint64_t
bounds_load(const _Atomic uint64_t *figure)
{
	return atomic_load_explicit(figure, memory_order_relaxed);
}

/* Freed and ended on other loops than they began: only the sum is right, and that may be read while
 * it changes. */
static uint64_t
bounds_not_negative(uint64_t sum)
{
	return sum > INT64_MAX ? 0 : sum;
}

static uint64_t
bounds_all_memory(const struct bay_service *service)
{
	uint64_t sum = 0;

	for (unsigned i = 0; service->counters != NULL && i < 2 * service->columns + 1; i++)
		sum += bounds_load(&service->counters[i].memory_bytes);
	return bounds_not_negative(sum);
}

/* The same without what code of it that has ended did not free. */
static uint64_t
bounds_memory(const struct bay_service *service)
{
	return bounds_not_negative(bounds_all_memory(service) - bounds_load(&service->memory_left));
}

void
bounds_forget_memory(struct bay_service *service)
{
	uint64_t left = bounds_memory(service);

	if (left == 0)
		return;
	log_warn(service->subject, "it has ended without freeing %" PRIu64 " bytes of bay_alloc()", left);
	atomic_store_explicit(&service->memory_left, bounds_all_memory(service), memory_order_relaxed);
}

static uint64_t
bounds_tasks(const struct bay_service *service)
{
	uint64_t sum = 0;

	for (unsigned i = 0; service->counters != NULL && i < 2 * service->columns + 1; i++)
		sum += bounds_load(&service->counters[i].tasks) + bounds_load(&service->counters[i].in_flight);
	return bounds_not_negative(sum);
}

/* --- at the door ---------------------------------------------------------------------- */

static bool
bounds_flight_is_full(const struct bay_service *service)
{
	size_t max = service->limits.max_inflight;

	return max != 0 && service->queued + service->inflight >= max;
}

static bool
bounds_memory_is_full(const struct bay_service *service, size_t bytes)
{
	uint64_t max = service->limits.memory_max;

	return max != 0 && bounds_memory(service) + service->queued_bytes + bytes > max;
}

bool
bounds_lacks_memory(const struct bay_service *service, size_t bytes)
{
	return bounds_memory_is_full(service, bytes);
}

bool
bounds_let_in(const struct bay_service *service, size_t bytes)
{
	return !bounds_flight_is_full(service) && !bounds_memory_is_full(service, bytes);
}

char *
bounds_reached(const struct bay_service *service, size_t bytes)
{
	if (bounds_flight_is_full(service))
		return xasprintf("%zu messages are queued and %zu being handled (max_inflight = %zu)", service->queued,
			service->inflight, service->limits.max_inflight);
	if (bounds_memory_is_full(service, bytes))
		return xasprintf("%" PRIu64 " bytes are allocated and %zu queued (memory_max = %" PRIu64 ")",
			bounds_memory(service), service->queued_bytes, service->limits.memory_max);
	return NULL;
}

/* --- at the begin ----------------------------------------------------------------------- */

/* Each message takes its part of the period, from when the ones before it have taken theirs; a whole
 * period may be made up for at once. */
static size_t
bounds_rate(struct bay_service *service, size_t count, int64_t now_ns, int64_t *again_ns_r)
{
	const struct service_limits *limits = &service->limits;
	int64_t part_ns = limits->rate_period_ns / (int64_t)limits->rate_count;
	int64_t free_ns;

	if (part_ns < 1)
		part_ns = 1;
	if (service->rate_until_ns < now_ns)
		service->rate_until_ns = now_ns;
	free_ns = now_ns + limits->rate_period_ns - service->rate_until_ns;
	if (free_ns < part_ns) {
		*again_ns_r = now_ns + part_ns - free_ns;
		return 0;
	}
	if ((int64_t)count > free_ns / part_ns) {
		count = (size_t)(free_ns / part_ns);
		*again_ns_r = now_ns + part_ns - free_ns % part_ns;
	}
	return count;
}

size_t
bounds_let_begin(struct bay_service *service, size_t count, int64_t now_ns, int64_t *again_ns_r)
{
	const struct service_limits *limits = &service->limits;
	uint64_t tasks = limits->tasks_max != 0 ? bounds_tasks(service) : 0;

	*again_ns_r = 0;
	/* What waits before the queue is let in as soon as memory is freed. */
	if (service->queued == 0 && service->waiting_count > 0)
		*again_ns_r = now_ns + BOUNDS_AGAIN_NS;
	if (count > service->queued)
		count = service->queued;
	if (limits->tasks_max != 0 && tasks + count > limits->tasks_max) {
		count = tasks < limits->tasks_max ? (size_t)(limits->tasks_max - tasks) : 0;
		*again_ns_r = now_ns + BOUNDS_AGAIN_NS;
	}
	if (count > 0 && limits->rate_count != 0) {
		count = bounds_rate(service, count, now_ns, again_ns_r);
		service->rate_until_ns += (int64_t)count * (limits->rate_period_ns / (int64_t)limits->rate_count);
	}
	return count;
}

/* --- by its own code ---------------------------------------------------------------------- */

static void
bounds_say(struct bay_service *service, const char *what, const char *key, uint64_t max)
{
	char hidden[64];
	uint64_t count;

	if (log_rate_pass(&service->bounded, &count))
		log_warn(service->subject, "it is refused more %s: it has as %s as it may (%s = %" PRIu64 ")%s", what,
			key[0] == 't' ? "many" : "much", key, max, log_rate_text(count, hidden, sizeof hidden));
}

static void
bounds_count_denied(const struct bay_service *service, size_t figure)
{
	if (service->gauges != NULL)
		status_add_shared((_Atomic uint64_t *)(void *)((char *)service->gauges + figure), 1);
}

bool
bounds_let_allocate(const struct bay_service *service, size_t bytes)
{
	uint64_t max = service != NULL ? bounds_load(&service->memory_max) : 0;
	uint64_t queued;

	if (__builtin_expect(max == 0, 1))
		return true;
	queued = service->gauges != NULL ? bounds_load(&service->gauges->queued_bytes) : 0;
	if (bytes <= max && bounds_memory(service) + queued + bytes <= max)
		return true;
	/* No service is made const. */
	bounds_count_denied(service, offsetof(struct status_gauges, denied_memory));
	bounds_say((struct bay_service *)service, "memory", "memory_max", max);
	return false;
}

bool
bounds_let_spawn(const struct bay_instance *instance)
{
	struct bay_service *service = instance->service;
	uint64_t max = bounds_load(&service->tasks_max);

	if (__builtin_expect(max == 0, 1) || bounds_tasks(service) < max)
		return true;
	bounds_count_denied(service, offsetof(struct status_gauges, denied_tasks));
	bounds_say(service, "tasks", "tasks_max", max);
	return false;
}

/* --- the timer ------------------------------------------------------------------------------ */

static void
bounds_on_time(struct timer *timer)
{
	struct bay_instance *instance = container_of(timer, struct bay_instance, again);

	service_queue_look_again(instance->service);
}

void
bounds_timer_init(struct bay_instance *instance)
{
	timer_init(&instance->again, bounds_on_time);
}

void
bounds_timer_set(struct bay_instance *instance, int64_t when_ns)
{
	wheel_add(&instance->scheduler->loop.wheel, &instance->again, when_ns);
}

void
bounds_timer_finish(struct bay_instance *instance)
{
	if (!timer_armed(&instance->again))
		return;
	wheel_remove(&instance->scheduler->loop.wheel, &instance->again);
	service_queue_look_again(instance->service);
}
