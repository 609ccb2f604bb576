/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/monitor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "loop/loop.h"
#include "runtime/await.h"
#include "runtime/wait.h"
#include "service/registry.h"
#include "service/service.h"

/* A task that waits. It may be cut short while the word is on its way to it: then that word ends
 * what is left of this. */
struct monitor_wait {
	struct inbox_item item;
	struct list link;      /* under the lock of the service; in no list: it was posted */
	struct loop *home;
	struct waiter *waiter; /* its loop's, as what follows; NULL: it does not wait any more */
	bool *told;
};

void
monitor_init(struct service_news *news)
{
	news->changes = 1;
	list_init(&news->waits);
}

void
monitor_finish(struct service_news *news)
{
	free(news->reason);
}

static void
monitor_on_told(struct inbox_item *item)
{
	struct monitor_wait *wait = container_of(item, struct monitor_wait, item);

	if (wait->waiter != NULL) {
		*wait->told = true;
		waiter_wake(wait->waiter, BAY_OK);
	}
	free(wait);
}

static void
monitor_tell(struct service_news *news)
{
	list_for_each_safe(pos, &news->waits) {
		struct monitor_wait *wait = container_of(pos, struct monitor_wait, link);

		list_remove(&wait->link);
		loop_post(wait->home, &wait->item);
	}
}

void
monitor_note(struct bay_service *service, enum bay_monitor_state state, int64_t generation,
	const char *reason)
{
	struct service_news *news = &service->news;
	bool replaced, changed;

	pthread_mutex_lock(&service->lock);
	replaced = state == BAY_MONITOR_READY && news->state == state && generation != 0 &&
		news->generation != 0 && news->generation != generation;
	changed = replaced || state != news->state;
	if (changed) {
		news->changes++;
		news->replaced += replaced;
		/* What served and is to serve again was ended by somebody else. */
		news->failures += state == BAY_MONITOR_FAILED ||
			(state == BAY_MONITOR_STARTING && news->state == BAY_MONITOR_READY);
		free(news->reason);
		news->reason = reason != NULL ? xstrdup(reason) : NULL;
		news->state = state;
	}
	if (state != BAY_MONITOR_READY)
		news->generation = 0;
	else if (generation != 0)
		news->generation = generation;
	if (changed)
		monitor_tell(news);
	pthread_mutex_unlock(&service->lock);
}

/* --- public ------------------------------------------------------------------------------ */

/* False: there is nothing that it has not seen. Under the lock. */
static bool
monitor_look(const struct service_news *news, struct bay_monitor *monitor)
{
	if (monitor->changes == news->changes)
		return false;
	monitor->changes = news->changes;
	monitor->state = news->state;
	monitor->failures = news->failures;
	monitor->replaced = news->replaced;
	snprintf(monitor->reason, sizeof monitor->reason, "%s", news->reason != NULL ? news->reason : "");
	return true;
}

/* Waits for the next change; takes wait, which is in the list. */
static int
monitor_await(struct bay_service *service, struct monitor_wait *wait, int64_t deadline)
{
	struct waiter waiter;
	bool told = false, posted;
	int status;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = service->name;
	wait->waiter = &waiter;
	wait->told = &told;
	status = task_await(&waiter, deadline);
	if (told)
		return status;
	pthread_mutex_lock(&service->lock);
	posted = list_empty(&wait->link);
	list_remove(&wait->link);
	pthread_mutex_unlock(&service->lock);
	if (posted)
		wait->waiter = NULL;
	else
		free(wait);
	return status;
}

int
bay_monitor(const char *name, struct bay_monitor *monitor, int64_t deadline)
{
	struct task *self = task_current();
	struct bay_service *service;
	int status;

	if (!AWAIT_BEGIN("bay_monitor"))
		return BAY_INVALID;
	if (await_is_over(self))
		return await_over(self);
	service = registry_get(name);
	if (service == NULL)
		return await_passed(self, BAY_INVALID);
	do {
		struct monitor_wait *wait = alloc_try_zeroed(1, sizeof *wait);
		bool seen;

		if (wait == NULL)
			return await_passed(self, BAY_NO_MEMORY);
		wait->item.run = monitor_on_told;
		wait->home = &self->scheduler->loop;
		list_init(&wait->link);
		pthread_mutex_lock(&service->lock);
		seen = monitor_look(&service->news, monitor);
		if (!seen)
			list_push_back(&service->news.waits, &wait->link);
		pthread_mutex_unlock(&service->lock);
		if (seen) {
			free(wait);
			return await_passed(self, BAY_OK);
		}
		status = monitor_await(service, wait, deadline);
	} while (status == BAY_OK);
	return status;
}

const char *
bay_monitor_state_name(enum bay_monitor_state state)
{
	static const char *const names[] = {
		[BAY_MONITOR_UNKNOWN] = "unknown",
		[BAY_MONITOR_STARTING] = "starting",
		[BAY_MONITOR_READY] = "ready",
		[BAY_MONITOR_STOPPED] = "stopped",
		[BAY_MONITOR_FAILED] = "failed",
	};

	return (unsigned)state < sizeof names / sizeof *names ? names[state] : "unknown";
}
