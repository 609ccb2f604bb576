/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_waiters.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "master/master_service.h"

struct service_waiter {
	struct list link;
	enum service_wish wish;
	service_done_fn *done;
	void *arg;
};

void
service_waiters_add(struct master_service *service, enum service_wish wish,
	service_done_fn *done, void *arg)
{
	struct service_waiter *waiter;

	if (done == NULL)
		return;
	waiter = xcalloc(1, sizeof(*waiter));
	waiter->wish = wish;
	waiter->done = done;
	waiter->arg = arg;
	list_push_back(&service->waiters, &waiter->link);
}

static void
service_waiter_answer(struct master_service *service, struct service_waiter *waiter,
	enum bay_status status, const char *message)
{
	service_done_fn *done = waiter->done;
	void *arg = waiter->arg;

	list_remove(&waiter->link);
	free(waiter);
	done(service, status, message != NULL ? message : "", arg);
}

void
service_waiters_answer(struct master_service *service)
{
	list_for_each_safe(pos, &service->waiters) {
		struct service_waiter *waiter = container_of(pos, struct service_waiter, link);
		bool wanted_ready = waiter->wish != SERVICE_WISH_STOP;

		if (service->state == SERVICE_FAILED)
			service_waiter_answer(service, waiter, wanted_ready ? BAY_FAILED : BAY_OK,
				service->reason);
		else if (wanted_ready == (service->state == SERVICE_READY))
			service_waiter_answer(service, waiter, BAY_OK, "");
		else
			service_waiter_answer(service, waiter, BAY_CANCELED, wanted_ready ?
				"somebody stopped the service meanwhile" :
				"somebody started the service meanwhile");
	}
}

void
service_waiters_fail(struct master_service *service, enum bay_status status,
	const char *message)
{
	list_for_each_safe(pos, &service->waiters)
		service_waiter_answer(service, container_of(pos, struct service_waiter, link), status,
			message);
}

void
service_waiters_fail_starters(struct master_service *service, enum bay_status status,
	const char *message)
{
	list_for_each_safe(pos, &service->waiters) {
		struct service_waiter *waiter = container_of(pos, struct service_waiter, link);

		if (waiter->wish != SERVICE_WISH_STOP)
			service_waiter_answer(service, waiter, status, message);
	}
}
