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

/* Who is answered may ask for something again, which is for the next time. */
static void
service_waiters_take(struct list *taken, struct master_service *service, bool starters)
{
	list_init(taken);
	list_for_each_safe(pos, &service->waiters) {
		struct service_waiter *waiter = container_of(pos, struct service_waiter, link);

		if (starters && waiter->wish == SERVICE_WISH_STOP)
			continue;
		list_remove(&waiter->link);
		list_push_back(taken, &waiter->link);
	}
}

/* Answers move the service on, and with that its reason. */
static void
service_waiters_fail_taken(struct list *taken, struct master_service *service,
	enum bay_status status, const char *message)
{
	char *text = xstrdup(message);
	struct list *link;

	while ((link = list_first(taken)) != NULL)
		service_waiter_answer(service, container_of(link, struct service_waiter, link), status, text);
	free(text);
}

void
service_waiters_answer(struct master_service *service)
{
	enum service_state state = service->state;
	char *reason = service->reason != NULL ? xstrdup(service->reason) : NULL;
	struct list taken;
	struct list *link;

	service_waiters_take(&taken, service, false);
	while ((link = list_first(&taken)) != NULL) {
		struct service_waiter *waiter = container_of(link, struct service_waiter, link);
		bool wanted_ready = waiter->wish != SERVICE_WISH_STOP;

		if (state == SERVICE_FAILED)
			service_waiter_answer(service, waiter, wanted_ready ? BAY_FAILED : BAY_OK, reason);
		else if (wanted_ready == (state == SERVICE_READY))
			service_waiter_answer(service, waiter, BAY_OK, "");
		else
			service_waiter_answer(service, waiter, BAY_CANCELED, wanted_ready ?
				"somebody stopped the service meanwhile" :
				"somebody started the service meanwhile");
	}
	free(reason);
}

void
service_waiters_fail(struct master_service *service, enum bay_status status,
	const char *message)
{
	struct list taken;

	service_waiters_take(&taken, service, false);
	service_waiters_fail_taken(&taken, service, status, message);
}

void
service_waiters_fail_starters(struct master_service *service, enum bay_status status,
	const char *message)
{
	struct list taken;

	service_waiters_take(&taken, service, true);
	service_waiters_fail_taken(&taken, service, status, message);
}
