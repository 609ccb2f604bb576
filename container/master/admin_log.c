/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader has a place in the ring and is sent what follows it, as long as there is room in
 * its connection. Lines that are overwritten before a slow reader has got them are counted
 * and named as lost.
 */
#include "config.h"

#include "master/admin_log.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/log_line.h"
#include "master/admin_commands.h"
#include "master/log_ring.h"
#include "master/master.h"
#include "protocol/varlink.h"

enum { ADMIN_LOG_DEFAULT_LINES = 10 };

struct admin_log {
	const struct log_ring *ring;
	struct event *wake_event;
	struct list readers; /* struct admin_log_reader */
};

struct admin_log_reader {
	struct list link;
	struct admin_log *log;
	struct admin_request *request;
	struct log_filter filter; /* its service is borrowed from the request */
	uint64_t seq;        /* of the line to be sent next */
	bool follow;
};

/* --- lines --------------------------------------------------------------------------- */

/* A record as the text sink would write it, without the newline. NULL: no memory. */
static json_t *
admin_log_text(const struct log_record *record)
{
	struct buffer line = {0};
	json_t *text = NULL;

	if (log_line_append(&line, record, LOG_FORMAT_TEXT)) {
		line.size--;
		text = varlink_text(buffer_text(&line));
	}
	buffer_finish(&line);
	return text;
}

json_t *
admin_log_last_lines(const struct log_ring *ring, const char *service, size_t count)
{
	const struct log_filter filter = {.service = service};
	uint64_t seq = log_ring_start(ring, &filter, count);
	json_t *lines = json_array();
	struct log_record record;

	while (log_ring_next(ring, &seq, &filter, &record)) {
		if (json_array_append_new(lines, admin_log_text(&record)) != 0) {
			json_decref(lines);
			return NULL;
		}
	}
	return lines;
}

/* The same and its parts, as the JSON sink has them. NULL: no memory. */
static json_t *
admin_log_parts(const struct log_record *record)
{
	struct buffer line = {0};
	json_t *parts = NULL;

	if (log_line_append(&line, record, LOG_FORMAT_JSON))
		parts = json_loadb((const char *)line.data, line.size, 0, NULL);
	buffer_finish(&line);
	if (parts != NULL && json_object_set_new(parts, "line", admin_log_text(record)) == 0)
		return parts;
	json_decref(parts);
	return NULL;
}

/* --- readers ---------------------------------------------------------------------------- */

static void
admin_log_reader_end(struct admin_log_reader *reader)
{
	list_remove(&reader->link);
	admin_reply(reader->request, NULL);
	free(reader);
}

/* Lines were overwritten before this reader got them. */
static bool
admin_log_reader_tell_lost(struct admin_log_reader *reader)
{
	uint64_t oldest = log_ring_oldest(reader->log->ring);
	char text[64];

	if (reader->seq >= oldest)
		return true;
	snprintf(text, sizeof(text), "(%" PRIu64 " lines are lost here: read faster)",
		oldest - reader->seq);
	if (!admin_reply_part(reader->request, json_pack("{s:s}", "line", text)))
		return false;
	reader->seq = oldest;
	return true;
}

/* Sends what there is room for. Whoever does not follow is done at the end. */
static void
admin_log_reader_pump(struct admin_log_reader *reader)
{
	struct log_record record;
	uint64_t next;

	if (!admin_log_reader_tell_lost(reader))
		return;
	next = reader->seq;
	while (log_ring_next(reader->log->ring, &next, &reader->filter, &record)) {
		if (!admin_reply_part(reader->request, admin_log_parts(&record)))
			return;
		reader->seq = next;
	}
	reader->seq = next;
	if (!reader->follow)
		admin_log_reader_end(reader);
}

static void
admin_log_on_gone(struct admin_request *request, void *arg)
{
	(void)request;
	admin_log_reader_end(arg);
}

static void
admin_log_on_room(struct admin_request *request, void *arg)
{
	(void)request;
	admin_log_reader_pump(arg);
}

void
admin_log_lines(struct admin_request *request, struct master *master)
{
	const json_t *lines = json_object_get(request->parameters, "lines");
	const char *trace = json_string_value(json_object_get(request->parameters, "trace"));
	struct log_filter filter = {.service = admin_service_argument(request)};
	struct admin_log_reader *reader;

	if (filter.service != NULL && admin_find_service(request, master) == NULL)
		return;
	if (trace != NULL && !trace_id_parse(trace, &filter.trace)) {
		admin_fail(request, BAY_INVALID, "log: the trace is not valid: it has the form of "
			"4bf92f3577b34da6a3ce929d0e0e4736, the second part of a traceparent");
		return;
	}
	reader = xcalloc(1, sizeof(*reader));
	reader->log = master->admin_log;
	reader->request = request;
	reader->filter = filter;
	reader->follow = json_is_true(json_object_get(request->parameters, "follow"));
	reader->seq = log_ring_start(master->ring, &reader->filter, json_is_integer(lines) ?
		(size_t)json_integer_value(lines) : ADMIN_LOG_DEFAULT_LINES);
	list_push_back(&master->admin_log->readers, &reader->link);
	admin_request_watch(request, admin_log_on_gone, admin_log_on_room, reader);
	admin_log_reader_pump(reader);
}

/* --- lifecycle ------------------------------------------------------------------------------ */

static void
admin_log_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct admin_log *log = arg;

	(void)fd;
	(void)what;
	list_for_each_safe(pos, &log->readers)
		admin_log_reader_pump(container_of(pos, struct admin_log_reader, link));
}

struct admin_log *
admin_log_create(struct event_base *base, const struct log_ring *ring)
{
	struct admin_log *log = xcalloc(1, sizeof(*log));

	log->ring = ring;
	list_init(&log->readers);
	log->wake_event = event_new(base, -1, 0, admin_log_on_wake, log);
	if (log->wake_event == NULL) {
		free(log);
		return NULL;
	}
	return log;
}

void
admin_log_destroy(struct admin_log *log)
{
	if (log == NULL)
		return;
	list_for_each_safe(pos, &log->readers)
		admin_log_reader_end(container_of(pos, struct admin_log_reader, link));
	event_free(log->wake_event);
	free(log);
}

void
admin_log_wake(struct admin_log *log)
{
	if (!list_empty(&log->readers))
		event_active(log->wake_event, EV_TIMEOUT, 0);
}
