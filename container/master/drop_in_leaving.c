/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_leaving.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "config/config_data.h"
#include "master/drop_in_services.h"
#include "master/master.h"
#include "master/service_absence.h"
#include "master/service_change.h"
#include "master/service_control.h"
#include "master/service_steps.h"
#include "master/supervisor.h"

/* How often is looked for those whose end takes long. */
static const struct timeval drop_in_leaving_period = {.tv_sec = 1};

struct drop_in_leaving {
	struct master *master;
	struct map *names; /* of services that end, since their file is gone -> anything */
	struct event *timer;
	bool stopped;
};

/* --- the end ---------------------------------------------------------------------- */

static void
drop_in_leaving_remove(struct drop_in_leaving *leaving, struct master_service *service)
{
	char *name = xstrdup(service->config->name);

	drop_in_note(leaving->master, EVENT_REMOVED, service->config->plugin, name,
		"its plugin file is gone");
	map_remove(leaving->names, name);
	service->file_gone = false;
	supervisor_remove(leaving->master->supervisor, service);
	service_tell_absence(service);
	free(name);
}

void
drop_in_leaving_sweep(struct drop_in_leaving *leaving)
{
	struct map_entry *entry, *next;

	for (entry = map_first(leaving->names); entry != NULL; entry = next) {
		struct master_service *service = supervisor_find(leaving->master->supervisor, entry->key);

		next = map_next(entry);
		if (service == NULL || !service->source->dropped_in) {
			/* A section names it now. */
			map_remove(leaving->names, entry->key);
			continue;
		}
		if (service->state == SERVICE_STOPPED && !service->wanted &&
		    service_change_is_possible(service))
			drop_in_leaving_remove(leaving, service);
	}
	if (map_size(leaving->names) > 0)
		event_add(leaving->timer, &drop_in_leaving_period);
}

static void
drop_in_leaving_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct drop_in_leaving *leaving = arg;

	(void)fd;
	(void)what;
	if (!leaving->stopped)
		drop_in_leaving_sweep(leaving);
}

/* --- the beginning ------------------------------------------------------------------------- */

/* The service is removed later: its own code is in the middle of something. */
static void
drop_in_leaving_on_left(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	static const struct timeval at_once = {0};
	struct drop_in_leaving *leaving = arg;

	if (leaving->stopped)
		return;
	if (status == BAY_CANCELED)
		map_remove(leaving->names, service->config->name);
	else if (status != BAY_OK)
		drop_in_note(leaving->master, EVENT_TROUBLE, service->config->plugin, service->config->name,
			"its plugin file is gone, and it does not end: %s", message);
	event_add(leaving->timer, &at_once);
}

static void
drop_in_leaving_lose(struct drop_in_leaving *leaving, struct master_service *service)
{
	bool added = service->source->dropped_in;

	drop_in_note(leaving->master, EVENT_FILE_GONE, service->config->plugin, service->config->name,
		added ?
		"the service ends with it" : service->state == SERVICE_READY ?
		"it goes on running, but cannot start again before a file is there" :
		"it cannot start before a file is there");
	if (!added) {
		service->file_gone = true;
		return;
	}
	map_put(leaving->names, service->config->name, leaving);
	service->by = drop_in_by;
	service_control_stop(service, false, drop_in_leaving_on_left, leaving);
}

void
drop_in_leaving_lost_file(struct drop_in_leaving *leaving, const char *plugin)
{
	struct master_service *service;
	size_t index = 0;

	while ((service = drop_in_next_service(leaving->master, plugin, &index)) != NULL)
		drop_in_leaving_lose(leaving, service);
}

/* --- lifecycle -------------------------------------------------------------------- */

struct drop_in_leaving *
drop_in_leaving_create(struct master *master)
{
	struct drop_in_leaving *leaving = xcalloc(1, sizeof(*leaving));

	leaving->master = master;
	leaving->names = map_create();
	leaving->timer = evtimer_new(master->base, drop_in_leaving_on_timer, leaving);
	if (leaving->timer == NULL) {
		drop_in_leaving_destroy(leaving);
		return NULL;
	}
	return leaving;
}

void
drop_in_leaving_stop(struct drop_in_leaving *leaving)
{
	leaving->stopped = true;
	event_del(leaving->timer);
}

void
drop_in_leaving_destroy(struct drop_in_leaving *leaving)
{
	if (leaving == NULL)
		return;
	map_destroy(leaving->names);
	if (leaving->timer != NULL)
		event_free(leaving->timer);
	free(leaving);
}
