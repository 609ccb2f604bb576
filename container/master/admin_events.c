/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader has a place among the events and is sent what follows it, as long as there is room
 * in its connection: a slow one costs nobody else anything. What is gone before it has got
 * there is told as a gap.
 */
#include "config.h"

#include "master/admin_events.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "master/admin_commands.h"
#include "master/event_log.h"
#include "master/master.h"
#include "master/supervisor.h"
#include "protocol/varlink.h"

enum { ADMIN_EVENTS_DEFAULT = 10 };

struct admin_events {
	struct event_log *log;
	struct event *wake_event;
	struct list readers; /* struct admin_events_reader */
};

struct admin_events_reader {
	struct list link;
	struct admin_events *events;
	struct admin_request *request;
	const char *service; /* borrowed from the request, or NULL */
	uint64_t next;       /* the number of the event to be looked at next */
	bool follow;
	bool restarted; /* it has seen more events than there are: those of another bayd */
};

/* --- replies ---------------------------------------------------------------------- */

static json_t *
admin_event_optional_text(const char *text)
{
	return text != NULL && *text != '\0' ? varlink_text(text) : NULL;
}

/* NULL: no memory. */
static json_t *
admin_event_to_json(const struct event_record *record)
{
	json_t *json = json_pack("{s:I, s:I, s:s, s:o*, s:o*, s:s, s:o*}",
		"number", (json_int_t)record->number,
		"time_wall_ns", (json_int_t)record->wall_ns,
		"kind", event_kind_name(record->kind),
		"service", admin_event_optional_text(record->service),
		"plugin", admin_event_optional_text(record->plugin),
		"by", event_source_name(record->by.source),
		"why", admin_event_optional_text(record->why));

	if (json != NULL && record->generation != 0)
		json_object_set_new(json, "generation", json_integer(record->generation));
	if (json != NULL && record->took_ns != 0)
		json_object_set_new(json, "took_ns", json_integer(record->took_ns));
	if (json != NULL && record->by.source == EVENT_BY_USER) {
		json_object_set_new(json, "uid", json_integer((json_int_t)record->by.uid));
		json_object_set_new(json, "pid", json_integer((json_int_t)record->by.pid));
	}
	return json;
}

static void
admin_events_reader_end(struct admin_events_reader *reader)
{
	list_remove(&reader->link);
	admin_reply(reader->request, NULL);
	free(reader);
}

/* Events have gone, or come from another daemon, before this reader has got them. */
static bool
admin_events_reader_tell_gap(struct admin_events_reader *reader)
{
	uint64_t oldest = event_log_oldest(reader->events->log);

	if (reader->next >= oldest && !reader->restarted)
		return true;
	if (!admin_reply_part(reader->request, json_pack("{s:{s:I, s:I, s:b}}", "lost",
		"count", (json_int_t)(reader->next < oldest ? oldest - reader->next : 0),
		"next", (json_int_t)oldest, "restarted", (int)reader->restarted)))
		return false;
	reader->next = oldest;
	reader->restarted = false;
	return true;
}

/* Sends what there is room for. Whoever does not follow is done at the end. */
static void
admin_events_reader_pump(struct admin_events_reader *reader)
{
	const struct event_record *record;
	uint64_t next;

	if (!admin_events_reader_tell_gap(reader))
		return;
	next = reader->next;
	while (event_log_next(reader->events->log, &next, reader->service, &record)) {
		if (!admin_reply_part(reader->request, json_pack("{s:o}", "event",
			admin_event_to_json(record))))
			return;
		reader->next = next;
	}
	reader->next = next;
	if (!reader->follow)
		admin_events_reader_end(reader);
}

static void
admin_events_on_gone(struct admin_request *request, void *arg)
{
	(void)request;
	admin_events_reader_end(arg);
}

static void
admin_events_on_room(struct admin_request *request, void *arg)
{
	(void)request;
	admin_events_reader_pump(arg);
}

/* --- the command ------------------------------------------------------------------ */

/* A service that was removed may be asked for as long as an event tells of it. */
static bool
admin_events_know(struct admin_request *request, struct master *master, const char *service)
{
	const struct event_record *record;
	uint64_t number = 1;

	return service == NULL || event_log_next(master->events, &number, service, &record) ||
		admin_find_service(request, master) != NULL;
}

static void
admin_events_reader_begin(struct admin_events_reader *reader, const json_t *parameters)
{
	const struct event_log *log = reader->events->log;
	const json_t *since = json_object_get(parameters, "since");
	const json_t *lines = json_object_get(parameters, "lines");

	if (!json_is_integer(since)) {
		reader->next = event_log_start(log, reader->service, json_is_integer(lines) ?
			(size_t)json_integer_value(lines) : ADMIN_EVENTS_DEFAULT);
	} else if ((uint64_t)json_integer_value(since) > event_log_newest(log)) {
		reader->next = event_log_oldest(log);
		reader->restarted = true;
	} else {
		reader->next = (uint64_t)json_integer_value(since) + 1;
	}
}

void
admin_events(struct admin_request *request, struct master *master)
{
	struct admin_events_reader *reader;

	if (!admin_events_know(request, master, admin_service_argument(request)))
		return;
	reader = xcalloc(1, sizeof(*reader));
	reader->events = master->admin_events;
	reader->request = request;
	reader->service = admin_service_argument(request);
	reader->follow = json_is_true(json_object_get(request->parameters, "follow"));
	admin_events_reader_begin(reader, request->parameters);
	list_push_back(&master->admin_events->readers, &reader->link);
	admin_request_watch(request, admin_events_on_gone, admin_events_on_room, reader);
	admin_events_reader_pump(reader);
}

/* --- lifecycle -------------------------------------------------------------------- */

static void
admin_events_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct admin_events *events = arg;

	(void)fd;
	(void)what;
	list_for_each_safe(pos, &events->readers)
		admin_events_reader_pump(container_of(pos, struct admin_events_reader, link));
}

/* Later: who adds an event is in the middle of something. */
static void
admin_events_on_changed(void *arg)
{
	struct admin_events *events = arg;

	if (!list_empty(&events->readers))
		event_active(events->wake_event, EV_TIMEOUT, 0);
}

struct admin_events *
admin_events_create(struct event_base *base, struct event_log *log)
{
	struct admin_events *events = xcalloc(1, sizeof(*events));

	events->log = log;
	list_init(&events->readers);
	events->wake_event = event_new(base, -1, 0, admin_events_on_wake, events);
	if (events->wake_event == NULL) {
		free(events);
		return NULL;
	}
	event_log_watch(log, admin_events_on_changed, events);
	return events;
}

void
admin_events_destroy(struct admin_events *events)
{
	if (events == NULL)
		return;
	event_log_watch(events->log, NULL, NULL);
	list_for_each_safe(pos, &events->readers)
		admin_events_reader_end(container_of(pos, struct admin_events_reader, link));
	event_free(events->wake_event);
	free(events);
}
