/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/heartbeat.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "master/notify.h"

struct heartbeat {
	struct notify *notify;
	struct event *timer;
};

static void
heartbeat_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct heartbeat *heartbeat = arg;

	(void)fd;
	(void)what;
	notify_send(heartbeat->notify, "WATCHDOG=1");
}

bool
heartbeat_create(struct event_base *base, struct notify *notify, struct heartbeat **heartbeat_r)
{
	/* Twice within the time, as sd_watchdog_enabled(3) advises. */
	int64_t period_ns = notify_watchdog_ns(notify) / 2;
	struct timeval period = {.tv_sec = period_ns / CLOCK_NS_PER_S,
		.tv_usec = period_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};
	struct heartbeat *heartbeat;

	*heartbeat_r = NULL;
	if (period_ns == 0)
		return true;
	heartbeat = xcalloc(1, sizeof(*heartbeat));
	heartbeat->notify = notify;
	heartbeat->timer = event_new(base, -1, EV_PERSIST, heartbeat_on_timer, heartbeat);
	if (heartbeat->timer == NULL || event_add(heartbeat->timer, &period) != 0) {
		heartbeat_destroy(heartbeat);
		return false;
	}
	notify_send(notify, "WATCHDOG=1");
	*heartbeat_r = heartbeat;
	return true;
}

void
heartbeat_destroy(struct heartbeat *heartbeat)
{
	if (heartbeat == NULL)
		return;
	if (heartbeat->timer != NULL)
		event_free(heartbeat->timer);
	free(heartbeat);
}
