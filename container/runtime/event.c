/* SPDX-License-Identifier: BSD-2-Clause */
/* The event of <bay/event.h>. */
#include "config.h"

#include <bay/event.h>

#include "runtime/waitable.h"

struct bay_event {
	struct waitable waitable;
	bool set;
};

struct bay_event *
bay_event_create(const char *name)
{
	return waitable_create(sizeof(struct bay_event), "event", name);
}

void
bay_event_destroy(struct bay_event *event)
{
	if (event != NULL && waitable_is_here(event, "bay_event_destroy"))
		waitable_close(&event->waitable);
}

void
bay_event_set(struct bay_event *event)
{
	if (!waitable_is_here(event, "bay_event_set"))
		return;
	event->set = true;
	waitable_wake_all(&event->waitable, BAY_OK, NULL);
}

void
bay_event_clear(struct bay_event *event)
{
	if (waitable_is_here(event, "bay_event_clear"))
		event->set = false;
}

bool
bay_event_is_set(const struct bay_event *event)
{
	return event->set;
}

int
bay_event_wait(struct bay_event *event, int64_t deadline)
{
	struct task *self;
	struct waiter waiter;

	if (!WAITABLE_BEGIN(event, "bay_event_wait"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	if (event->set)
		return await_passed(self, BAY_OK);
	waitable_stand(&event->waitable, &waiter);
	return task_await(&waiter, deadline);
}
