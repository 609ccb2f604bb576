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

static const struct timeval drop_in_leaving_at_once = {0};

struct drop_in_leaving {
	struct master *master;
	struct map *leavers; /* by the name of the service: struct drop_in_leaver */
	struct event *timer;
	bool stopped;
};

struct drop_in_leaver {
	char *why;
	struct event_by by;
	bool begun;             /* it has been told to stop */
	drop_in_left_fn *done;  /* NULL: nobody waits, or has been told */
	void *arg;
};

/* --- those who leave ---------------------------------------------------------------- */

/* Tells who waits for it, once. */
static void
drop_in_leaver_tell(struct drop_in_leaver *leaver, struct master_service *service, enum bay_status status,
	const char *message)
{
	drop_in_left_fn *done = leaver->done;

	leaver->done = NULL;
	if (done != NULL)
		done(service, status, message, leaver->arg);
}

static void
drop_in_leaver_free(struct drop_in_leaver *leaver)
{
	free(leaver->why);
	free(leaver);
}

/* It is not one of them any more. */
static void
drop_in_leaving_forget(struct drop_in_leaving *leaving, struct master_service *service,
	enum bay_status status, const char *message)
{
	struct drop_in_leaver *leaver = map_remove(leaving->leavers, service->config->name);

	drop_in_leaver_tell(leaver, service, status, message);
	drop_in_leaver_free(leaver);
}

/* --- the end ---------------------------------------------------------------------- */

static void
drop_in_leaving_remove(struct drop_in_leaving *leaving, struct master_service *service,
	const struct drop_in_leaver *leaver)
{
	event_log_add(leaving->master->events, EVENT_REMOVED, &(struct event_facts){
		.plugin = service->config->plugin, .service = service->config->name, .by = leaver->by},
		"%s", leaver->why);
	service->file_gone = false;
	supervisor_remove(leaving->master->supervisor, service);
	service_tell_absence(service);
	drop_in_leaving_forget(leaving, service, BAY_OK, "");
}

/* The service is removed later: its own code is in the middle of something. */
static void
drop_in_leaving_on_left(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct drop_in_leaving *leaving = arg;
	struct drop_in_leaver *leaver = map_get(leaving->leavers, service->config->name);

	if (leaving->stopped || leaver == NULL)
		return;
	if (status == BAY_CANCELED) {
		drop_in_leaving_forget(leaving, service, BAY_CANCELED, message);
	} else if (status != BAY_OK) {
		drop_in_note(leaving->master, EVENT_TROUBLE, service->config->plugin, service->config->name,
			"%s, and it does not end: %s", leaver->why, message);
		drop_in_leaver_tell(leaver, service, status, message);
	}
	event_add(leaving->timer, &drop_in_leaving_at_once);
}

/* What there is to do for one of them now. */
static void
drop_in_leaving_look(struct drop_in_leaving *leaving, struct map_entry *entry)
{
	struct master_service *service = supervisor_find(leaving->master->supervisor, entry->key);
	struct drop_in_leaver *leaver = entry->value;

	if (service == NULL) {
		/* Another has removed it. */
		(void)map_remove(leaving->leavers, entry->key);
		drop_in_leaver_tell(leaver, NULL, BAY_OK, "");
		drop_in_leaver_free(leaver);
	} else if (!service->source->dropped_in) {
		drop_in_leaving_forget(leaving, service, BAY_CANCELED, "a section names it now");
	} else if (!leaver->begun) {
		leaver->begun = true;
		service->by = leaver->by;
		service_control_stop(service, false, drop_in_leaving_on_left, leaving);
	} else if (service->state == SERVICE_STOPPED && !service->wanted && service_change_is_possible(service)) {
		drop_in_leaving_remove(leaving, service, leaver);
	}
}

void
drop_in_leaving_sweep(struct drop_in_leaving *leaving)
{
	struct map_entry *entry, *next;

	for (entry = map_first(leaving->leavers); entry != NULL; entry = next) {
		next = map_next(entry);
		drop_in_leaving_look(leaving, entry);
	}
	if (map_size(leaving->leavers) > 0 && !event_pending(leaving->timer, EV_TIMEOUT, NULL))
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

void
drop_in_leaving_begin(struct drop_in_leaving *leaving, struct master_service *service,
	const struct event_by *by, const char *why, drop_in_left_fn *done, void *arg)
{
	struct drop_in_leaver *leaver = xcalloc(1, sizeof(*leaver));
	struct drop_in_leaver *before;

	*leaver = (struct drop_in_leaver){.why = xstrdup(why), .by = *by, .done = done, .arg = arg};
	before = map_put(leaving->leavers, service->config->name, leaver);
	if (before != NULL) {
		drop_in_leaver_tell(before, service, BAY_CANCELED, "somebody else asked for that, too");
		drop_in_leaver_free(before);
	}
	event_add(leaving->timer, &drop_in_leaving_at_once);
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
	if (added)
		drop_in_leaving_begin(leaving, service, &drop_in_by, "its plugin file is gone", NULL, NULL);
	else
		service->file_gone = true;
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
	leaving->leavers = map_create();
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
	struct map_entry *entry;

	if (leaving == NULL)
		return;
	map_for_each(entry, leaving->leavers)
		drop_in_leaver_free(entry->value);
	map_destroy(leaving->leavers);
	if (leaving->timer != NULL)
		event_free(leaving->timer);
	free(leaving);
}
