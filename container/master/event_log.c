/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/event_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"

enum event_logged {
	EVENT_UNLOGGED = 0,
	EVENT_INFO,
	EVENT_WARN
};

static const struct {
	const char *name;
	enum event_logged logged;
} event_kinds[EVENT_KIND_COUNT] = {
#define EVENT_ROW(constant, name, logged, help) [EVENT_##constant] = {name, logged},
	EVENT_KINDS(EVENT_ROW)
#undef EVENT_ROW
};

static const char *const event_source_names[] = {
	[EVENT_BY_SUPERVISOR] = "supervisor",
	[EVENT_BY_WATCH] = "watch",
	[EVENT_BY_SIGNAL] = "signal",
	[EVENT_BY_USER] = "user",
};

/* Event n is in records[(n - 1) % EVENT_LOG_CAPACITY]. */
struct event_log {
	uint64_t newest;
	void (*changed)(void *arg);
	void *arg;
	struct event_record records[EVENT_LOG_CAPACITY];
};

const char *
event_kind_name(enum event_kind kind)
{
	return event_kinds[kind].name;
}

const char *
event_source_name(enum event_source source)
{
	return event_source_names[source];
}

int
event_by_print(char *buf, size_t size, const struct event_by *by)
{
	if (by->source == EVENT_BY_USER)
		return snprintf(buf, size, "user %u, process %d", (unsigned)by->uid, (int)by->pid);
	return snprintf(buf, size, "%s", event_source_name(by->source));
}

/* --- lifecycle -------------------------------------------------------------------- */

struct event_log *
event_log_create(void)
{
	return xcalloc(1, sizeof(struct event_log));
}

void
event_log_destroy(struct event_log *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < EVENT_LOG_CAPACITY; i++)
		free(log->records[i].why);
	free(log);
}

void
event_log_watch(struct event_log *log, void (*changed)(void *arg), void *arg)
{
	log->changed = changed;
	log->arg = arg;
}

/* --- adding ----------------------------------------------------------------------- */

/* The line says who asked unless bayd did by itself. */
static void
event_log_write_line(const struct event_record *record)
{
	enum event_logged logged = event_kinds[record->kind].logged;
	char subject[CONFIG_NAME_MAX + 16] = "";
	char by[64] = "";

	if (logged == EVENT_UNLOGGED)
		return;
	if (record->service[0] != '\0')
		snprintf(subject, sizeof(subject), "service %s", record->service);
	else if (record->plugin[0] != '\0')
		snprintf(subject, sizeof(subject), "plugin %s", record->plugin);
	if (record->by.source != EVENT_BY_SUPERVISOR)
		event_by_print(by, sizeof(by), &record->by);
	log_at(logged == EVENT_WARN ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
		subject[0] != '\0' ? subject : NULL, "%s%s%s%s%s", event_kind_name(record->kind),
		by[0] != '\0' ? " by " : "", by, record->why != NULL ? ": " : "",
		record->why != NULL ? record->why : "");
}

static char *
event_log_format(const char *format, va_list args)
{
	struct buffer text = {0};
	char *why = NULL;

	if (buffer_vprintf(&text, format, args) && buffer_text(&text) != NULL)
		why = xstrdup(buffer_text(&text));
	buffer_finish(&text);
	return why;
}

void
event_log_add(struct event_log *log, enum event_kind kind, const struct event_facts *facts,
	const char *format, ...)
{
	struct event_record *record;
	va_list args;

	if (log == NULL)
		return;
	record = &log->records[log->newest % EVENT_LOG_CAPACITY];
	free(record->why);
	*record = (struct event_record){.number = ++log->newest, .kind = kind,
		.wall_ns = clock_wall_ns(), .by = facts->by, .generation = facts->generation,
		.took_ns = facts->took_ns};
	snprintf(record->service, sizeof(record->service), "%s",
		facts->service != NULL ? facts->service : "");
	snprintf(record->plugin, sizeof(record->plugin), "%s",
		facts->plugin != NULL ? facts->plugin : "");
	if (format != NULL) {
		va_start(args, format);
		record->why = event_log_format(format, args);
		va_end(args);
	}
	event_log_write_line(record);
	if (log->changed != NULL)
		log->changed(log->arg);
}

/* --- reading ---------------------------------------------------------------------- */

uint64_t
event_log_newest(const struct event_log *log)
{
	return log->newest;
}

uint64_t
event_log_oldest(const struct event_log *log)
{
	return log->newest > EVENT_LOG_CAPACITY ? log->newest - EVENT_LOG_CAPACITY + 1 : 1;
}

static const struct event_record *
event_log_record(const struct event_log *log, uint64_t number)
{
	return &log->records[(number - 1) % EVENT_LOG_CAPACITY];
}

static bool
event_record_is_about(const struct event_record *record, const char *service)
{
	return service == NULL || strcmp(record->service, service) == 0;
}

uint64_t
event_log_start(const struct event_log *log, const char *service, size_t count)
{
	uint64_t number = log->newest + 1;

	for (size_t found = 0; found < count && number > event_log_oldest(log);) {
		number--;
		if (event_record_is_about(event_log_record(log, number), service))
			found++;
	}
	return number;
}

bool
event_log_next(const struct event_log *log, uint64_t *number, const char *service,
	const struct event_record **record_r)
{
	if (*number < event_log_oldest(log))
		*number = event_log_oldest(log);
	while (*number <= log->newest) {
		const struct event_record *record = event_log_record(log, *number);

		++*number;
		if (event_record_is_about(record, service)) {
			*record_r = record;
			return true;
		}
	}
	return false;
}
