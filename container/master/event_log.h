/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has happened to the services, the configuration and bayd itself, as numbered events: who
 * asked for it, and why. Operators read them by bayctl events; they are the audit trail, and
 * so go to the log too.
 *
 *	master_service_note(service, EVENT_SWAPPED, "square 1.1, which took %s", took);
 *	event_log_add(log, EVENT_RELOADED, &(struct event_facts){.by = peer}, "%s", summary);
 *
 * The last EVENT_LOG_CAPACITY of them are kept. Numbers begin with 1 at bayd's start and are never
 * used again, so a reader who comes back knows what it has seen and what has been lost:
 *
 *	for (next = seen + 1; event_log_next(log, &next, "square", &record);)
 *		... record->why ...
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_EVENT_LOG_H
#define BAY_MASTER_EVENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config_data.h"

enum { EVENT_LOG_CAPACITY = 2048 };

/*
 * One row a kind: its constant, its name for people and programs, how it goes to the log, and
 * what it means. With EVENT_UNLOGGED whoever adds it writes a line of his own.
 */
#define EVENT_KINDS(ROW) \
	ROW(BEGUN, "begun", EVENT_UNLOGGED, "bayd has begun to start") \
	ROW(UP, "up", EVENT_UNLOGGED, "bayd has started what it was to start") \
	ROW(ENDING, "ending", EVENT_UNLOGGED, "bayd has begun to stop") \
	ROW(ASKED, "asked", EVENT_INFO, "somebody asked for a change, of which other events tell") \
	ROW(LOADED, "loaded", EVENT_INFO, "a plugin file passed its examination") \
	ROW(STARTED, "started", EVENT_UNLOGGED, "a service serves") \
	ROW(RESTARTED, "restarted", EVENT_UNLOGGED, "a service serves again") \
	ROW(STOPPED, "stopped", EVENT_UNLOGGED, "nothing of a service runs any more") \
	ROW(FAILED, "failed", EVENT_UNLOGGED, "a service did not start, or ended") \
	ROW(CRASHED, "crashed", EVENT_UNLOGGED, "a service crashed or hung, or its cell ended") \
	ROW(GAVE_UP, "gave-up", EVENT_UNLOGGED, "a service failed too often, and stays down") \
	ROW(UNHEALTHY, "unhealthy", EVENT_UNLOGGED, "a service says that it is not well, or does not say how it is") \
	ROW(HEALTHY, "healthy", EVENT_UNLOGGED, "a service is well again") \
	ROW(BREAKER_OPEN, "breaker-open", EVENT_WARN, "so many calls to a service fail that a cell refuses them for a time") \
	ROW(BREAKER_HALF_OPEN, "breaker-half-open", EVENT_INFO, "a cell lets some calls to a service through to try") \
	ROW(BREAKER_CLOSED, "breaker-closed", EVENT_INFO, "a cell lets calls to a service through again") \
	ROW(REFUSED, "refused", EVENT_UNLOGGED, "a file, setting or wish was not taken; what ran goes on") \
	ROW(SWAPPED, "swapped", EVENT_INFO, "a new generation of a service's code serves") \
	ROW(CANARY, "canary", EVENT_INFO, "a new generation gets a share of a service's messages") \
	ROW(PROMOTED, "promoted", EVENT_INFO, "a new generation stays: a canary serves, or a probation is passed") \
	ROW(ABORTED, "aborted", EVENT_WARN, "a canary is over, and the old generation goes on alone") \
	ROW(ROLLED_BACK, "rolled-back", EVENT_UNLOGGED, "the former generation or configuration is back") \
	ROW(DRAINED, "drained", EVENT_INFO, "a service, a cell or what lingered has ended what it had") \
	ROW(LINGERS, "lingers", EVENT_WARN, "the code of an old generation cannot be unloaded") \
	ROW(DEAD_LETTER, "dead-letter", EVENT_WARN, "a message over which cells crashed is put away") \
	ROW(ISOLATED, "isolated", EVENT_WARN, "a service that crashed its cell again and again gets one of its own") \
	ROW(FAULT, "fault", EVENT_WARN, "a service goes on with something wrong: a deadlock, a leak, a flood") \
	ROW(FAULT_OVER, "fault-over", EVENT_INFO, "and does no more") \
	ROW(LIMIT, "limit", EVENT_WARN, "a cell has more than it may have, and is replaced or killed") \
	ROW(LINK_BROKEN, "link-broken", EVENT_WARN, "a link between two cells was given up for what came over it") \
	ROW(PAUSED, "paused", EVENT_INFO, "a service begins no requests") \
	ROW(RESUMED, "resumed", EVENT_INFO, "a service begins requests again, and takes new ones") \
	ROW(RELOADED, "reloaded", EVENT_UNLOGGED, "a changed configuration is in effect") \
	ROW(SET, "set", EVENT_UNLOGGED, "a value was changed while it runs") \
	ROW(ADDED, "added", EVENT_INFO, "there is a new service") \
	ROW(REMOVED, "removed", EVENT_INFO, "a service is no more") \
	ROW(DROPPED_IN, "dropped-in", EVENT_INFO, "a plugin file is new or has changed") \
	ROW(FILE_GONE, "file-gone", EVENT_WARN, "a plugin file was removed") \
	ROW(FILE_BACK, "file-back", EVENT_INFO, "a plugin file that was removed is there again") \
	ROW(WATCHING, "watching", EVENT_INFO, "how a directory or file is watched from now on") \
	ROW(TROUBLE, "trouble", EVENT_WARN, "something needs to be looked after")

enum event_kind {
#define EVENT_CONSTANT(constant, name, logged, help) EVENT_##constant,
	EVENT_KINDS(EVENT_CONSTANT)
#undef EVENT_CONSTANT
	EVENT_KIND_COUNT
};

enum event_source {
	EVENT_BY_SUPERVISOR = 0, /* bayd, for what the configuration wants */
	EVENT_BY_WATCH,          /* bayd, since a file has changed */
	EVENT_BY_SIGNAL,
	EVENT_BY_USER            /* through the control socket */
};

/* Who asked. */
struct event_by {
	enum event_source source;
	uid_t uid; /* of EVENT_BY_USER */
	pid_t pid; /* may be gone, or another's, by now */
};

/* What an event is about; what does not apply is left 0. */
struct event_facts {
	const char *service; /* borrowed for the call */
	const char *plugin;  /* likewise; without .so */
	int64_t generation;
	int64_t took_ns; /* how long what has ended took */
	struct event_by by;
};

/* Borrowed until the next event. */
struct event_record {
	uint64_t number;
	enum event_kind kind;
	int64_t wall_ns;
	struct event_by by;
	int64_t generation;                /* 0: of none */
	int64_t took_ns;                   /* 0: not told */
	char service[CONFIG_NAME_MAX + 1]; /* "": about none */
	char plugin[CONFIG_NAME_MAX + 1];  /* or "" */
	char *why;                         /* or NULL */
};

struct event_log;

/* "rolled-back"; and "supervisor", "watch", "signal", "user". */
const char *event_kind_name(enum event_kind kind);
const char *event_source_name(enum event_source source);

/* Prints "supervisor" or "user 1000, process 4711" to buf, as snprintf does. */
int event_by_print(char *buf, size_t size, const struct event_by *by);

struct event_log *event_log_create(void)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void event_log_destroy(struct event_log *log);

/* changed(arg) is called after each event; it may neither add one nor log. NULL: nobody is. */
void event_log_watch(struct event_log *log, void (*changed)(void *arg), void *arg);

/*
 * Adds an event, and writes it to the log as its kind asks for. The format says why or what
 * in a few words, escaped by whoever prints it; NULL: that is obvious. A log that is NULL
 * takes nothing.
 */
void event_log_add(struct event_log *log, enum event_kind kind, const struct event_facts *facts,
	const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The number of the newest event, 0: there is none; and that of the oldest one kept. */
uint64_t event_log_newest(const struct event_log *log);
uint64_t event_log_oldest(const struct event_log *log);

/* The number from which on the last count events about service (NULL: all) follow. */
uint64_t event_log_start(const struct event_log *log, const char *service, size_t count);

/*
 * Finds the first event at or after *number about service (NULL: about anything), and sets
 * *number behind it. False: there is none yet; *number is then the next to come.
 */
bool event_log_next(const struct event_log *log, uint64_t *number, const char *service,
	const struct event_record **record_r)
	__attribute__((warn_unused_result));

#endif
