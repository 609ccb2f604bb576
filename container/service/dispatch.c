/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/dispatch.h"

#include "base/clock.h"
#include "runtime/scheduler.h"
#include "service/bounds.h"
#include "service/canary.h"
#include "service/instance.h"
#include "service/ready_set.h"
#include "service/service_queue.h"

/* Requests of one service that a pass takes at most, so that the others have their turn. */
#define DISPATCH_BATCH 64

/* One that never began. */
static void
dispatch_send_home(struct bay_request *request)
{
	if (request->counted)
		service_queue_ended(request);
	request_go_home(request);
}

static void
dispatch_start(struct bay_instance *instance, struct bay_request *request, int64_t now_ns)
{
	if (request->deadline <= now_ns) {
		request_fail(request, BAY_TIMEOUT, "service %s: the deadline passed in the queue", instance->service->name);
		service_count(instance->service, SERVICE_EVENT_TIMEOUT);
		dispatch_send_home(request);
		return;
	}
	instance = canary_or_self(instance);
	request->taken_ns = now_ns;
	histogram_record(&instance->counters->wait, (uint64_t)(now_ns - request->queued_ns));
	if (instance_run_later(instance, request))
		return;
	request_fail(request, BAY_NO_MEMORY, "service %s: no stack for the handler", instance->service->name);
	service_count(instance->service, SERVICE_EVENT_FAILED);
	dispatch_send_home(request);
}

bool
dispatch_find_work(struct scheduler *scheduler, void *arg)
{
	struct list taken = LIST_INIT(taken);
	struct bay_service *service;
	struct bay_instance *instance;
	struct list *link;
	int64_t now_ns, again_ns;
	size_t room;

	(void)arg;
	service = ready_set_pop(scheduler);
	if (service == NULL)
		return false;
	instance = service->instances[scheduler->index];
	room = instance_room(instance);
	now_ns = clock_monotonic_ns();
	again_ns = service_queue_take(service, room < DISPATCH_BATCH ? room : DISPATCH_BATCH, now_ns, scheduler,
		&taken);
	if (__builtin_expect(again_ns != 0, 0))
		bounds_timer_set(instance, again_ns);
	while ((link = list_pop_front(&taken)) != NULL)
		dispatch_start(instance, container_of(link, struct bay_request, link), now_ns);
	return true;
}
