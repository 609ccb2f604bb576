/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/table.h"

/* The names that it has in this array, with commas between them. The caller's. */
static char *
show_names(const json_t *service, const char *member)
{
	const json_t *names = json_object_get(service, member);
	char *text = xstrdup("");

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		char *before = text;

		text = xasprintf("%s%s%s", before, i > 0 ? ", " : "", name != NULL ? name : "");
		free(before);
	}
	return text;
}

/* Who keeps it from where it is going: "waits for a, b"; "" when nobody does. The caller's. */
static char *
show_wait(const json_t *service)
{
	bool starts = strcmp(view_text(service, "state"), "starting") == 0;
	char *names = show_names(service, "waits_for");
	char *text;

	/* The reason of one that has failed names them. */
	if (*names == '\0' || strcmp(view_text(service, "state"), "failed") == 0)
		text = xstrdup("");
	else
		text = xasprintf(starts ? "waits for %s" : "stops after %s", names);
	free(names);
	return text;
}

/* The reason, or who has paused or drained it, and its canary. The caller's. */
static char *
show_canary_note(const json_t *service, const json_t *canary, const char *reason)
{
	const char *gate = view_text(service, "gate");
	char *first = *gate != '\0' && *reason == '\0' ?
		xasprintf("%s by %s", gate, view_text(service, "gate_by")) : xstrdup(reason);
	char *text = xasprintf("%s%sgeneration %" PRId64 " (%s) has %" PRId64 "%% as canary", first,
		*first != '\0' ? "; " : "", view_int(canary, "generation"), view_text(canary, "version"),
		view_int(canary, "share"));

	free(first);
	return text;
}

/* Why it is as it is, and what comes next. The caller's. */
static char *
show_note(const json_t *service)
{
	const char *reason = view_text(service, "reason");
	const char *gate = view_text(service, "gate");
	const json_t *next = json_object_get(service, "next_try_ns");
	const json_t *probation = json_object_get(service, "probation_ns");
	const json_t *canary = json_object_get(service, "canary");
	char wait[CLOCK_TEXT_SIZE];
	char *order = show_wait(service);

	if (*order != '\0')
		return order;
	free(order);
	if (*reason == '\0' && *view_text(service, "health_reason") != '\0')
		reason = view_text(service, "health_reason");
	if (*reason == '\0' && json_is_true(json_object_get(service, "file_gone")))
		reason = "its plugin file is gone";
	if (strcmp(view_text(service, "origin"), "load") == 0 && *reason == '\0' && *gate == '\0')
		reason = "loaded by hand";
	if (json_is_object(canary))
		return show_canary_note(service, canary, reason);
	if (*gate != '\0' && *reason == '\0' && !json_is_integer(probation))
		return xasprintf("%s by %s", gate, view_text(service, "gate_by"));
	if (json_is_integer(probation)) {
		clock_format_duration(wait, sizeof(wait), json_integer_value(probation));
		return xasprintf("%s%son probation for %s", reason, *reason != '\0' ? "; " : "", wait);
	}
	if (!json_is_integer(next))
		return xstrdup(reason);
	clock_format_duration(wait, sizeof(wait), json_integer_value(next));
	return xasprintf("%s%snext try in %s", reason, *reason != '\0' ? "; " : "", wait);
}

/* Whether there is one that serves and is not well. */
static bool
show_has_unwell(const json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *health = view_text(json_array_get(rows, i), "health");

		if (strcmp(health, "degraded") == 0 || strcmp(health, "unhealthy") == 0)
			return true;
	}
	return false;
}

static enum print_style
show_health_style(const char *health)
{
	return strcmp(health, "healthy") == 0 ? PRINT_GOOD : strcmp(health, "degraded") == 0 ? PRINT_BUSY :
		PRINT_BAD;
}

bool
show_has_cells(const json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *cell = view_text(json_array_get(rows, i), "cell");

		if (*cell != '\0' && strcmp(cell, "main") != 0)
			return true;
	}
	return false;
}

static void
show_services_row(struct table *table, const json_t *service, bool cells, bool unwell)
{
	const char *state = view_text(service, "state");
	char *note = show_note(service);

	table_text(table, PRINT_PLAIN, view_text(service, "name"));
	table_text(table, print_state_style(state), state);
	if (unwell)
		table_text(table, show_health_style(view_text(service, "health")), view_text(service, "health"));
	if (cells)
		table_text(table, PRINT_PLAIN, view_text(service, "cell"));
	table_text(table, PRINT_PLAIN, view_text(service, "plugin"));
	table_text(table, PRINT_PLAIN, view_text(service, "version"));
	table_text(table, PRINT_PLAIN, view_text(service, "instances"));
	table_int(table, view_int(service, "in_flight"));
	table_int(table, view_int(service, "queued"));
	table_int(table, view_int(service, "served"));
	table_int(table, view_int(service, "failed"));
	if (strcmp(state, "ready") == 0)
		table_duration(table, view_int(service, "uptime_ns"));
	else
		table_text(table, PRINT_PLAIN, "");
	table_text(table, PRINT_PLAIN, note);
	free(note);
}

void
show_services(struct print *print, const json_t *services, bool heading)
{
	enum { HEALTH = 2, CELL = 3 };
	static const struct table_column all[] = {
		{"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT}, {"HEALTH", TABLE_LEFT},
		{"CELL", TABLE_LEFT | TABLE_USEFUL},
		{"PLUGIN", TABLE_LEFT | TABLE_SPARE}, {"VERSION", TABLE_LEFT | TABLE_SPARE},
		{"INST", TABLE_LEFT | TABLE_SPARE}, {"IN-FLIGHT", TABLE_RIGHT | TABLE_USEFUL},
		{"QUEUED", TABLE_RIGHT | TABLE_USEFUL}, {"SERVED", TABLE_RIGHT}, {"FAILED", TABLE_RIGHT},
		{"UPTIME", TABLE_RIGHT}, {"NOTE", TABLE_LAST}};
	struct table_column columns[sizeof(all) / sizeof(*all)];
	bool cells = show_has_cells(services);
	bool unwell = show_has_unwell(services);
	size_t count = 0;
	struct table *table;

	/* As long as there is one cell, nobody asks which; nor how they are while all are well. */
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if ((i != CELL || cells) && (i != HEALTH || unwell))
			columns[count++] = all[i];
	}
	table = table_create(columns, count);
	for (size_t i = 0; i < json_array_size(services); i++)
		show_services_row(table, json_array_get(services, i), cells, unwell);
	table_print(table, print, heading);
	table_destroy(table);
}

/* --- one service ------------------------------------------------------------- */

/* "degraded: it failed 12s ago"; of one that is down its state says it all. */
static void
show_service_health(struct print *print, const json_t *service)
{
	const char *health = view_text(service, "health");
	const char *why = view_text(service, "health_reason");
	char *text;

	if (*health == '\0' || strcmp(health, "down") == 0)
		return;
	text = xasprintf("%s%s%s", health, *why != '\0' ? ": " : "", why);
	show_fact(print, "health", text);
	free(text);
}

/* "open in cell main: 73% of 120 calls failed, next try in 4s" */
static void
show_service_breakers(struct print *print, const json_t *service)
{
	const json_t *breakers = json_object_get(service, "breakers");

	for (size_t i = 0; i < json_array_size(breakers); i++) {
		const json_t *breaker = json_array_get(breakers, i);
		bool open = strcmp(view_text(breaker, "state"), "open") == 0;
		int64_t next_ns = view_int(breaker, "next_try_ns");
		int64_t calls = view_int(breaker, "calls");
		char next[CLOCK_TEXT_SIZE + 16] = "the next call is a try";
		char wait[CLOCK_TEXT_SIZE];

		if (next_ns > 0)
			snprintf(next, sizeof(next), "next try in %s", clock_format_duration(wait, sizeof(wait),
				next_ns));
		show_fact_printf(print, i == 0 ? "breaker" : "", "%s in cell %s: %" PRId64 "%% of %" PRId64
			" calls failed, %s", view_text(breaker, "state"), view_text(breaker, "cell"),
			calls > 0 ? view_int(breaker, "failed") * 100 / calls : 0, calls,
			open ? next : "some calls are let through to try");
	}
}

static void
show_service_head(struct print *print, const json_t *service)
{
	const char *state = view_text(service, "state");
	char since[CLOCK_TEXT_SIZE];
	char uptime[CLOCK_TEXT_SIZE];
	char *note = show_note(service);

	print_text(print, view_text(service, "name"));
	fputs(": ", print->file);
	print_styled(print, print_state_style(state), state);
	if (view_int(service, "since_wall_ns") > 0) {
		clock_format_wall(since, sizeof(since), view_int(service, "since_wall_ns"));
		fprintf(print->file, " since %s", since);
	}
	if (strcmp(state, "ready") == 0) {
		clock_format_duration(uptime, sizeof(uptime), view_int(service, "uptime_ns"));
		fprintf(print->file, " (%s)", uptime);
	}
	fputc('\n', print->file);
	show_fact(print, json_is_integer(json_object_get(service, "probation_ns")) ||
		json_is_object(json_object_get(service, "canary")) ||
		(*view_text(service, "gate") != '\0' && *view_text(service, "reason") == '\0') ? "note" : "reason",
		note);
	free(note);
	show_service_health(print, service);
	show_service_breakers(print, service);
}

/* "12 served, 3 failed (20.0%)" */
static void
show_service_share(struct print *print, const char *title, int64_t served, int64_t failed)
{
	double percent = served + failed > 0 ? 100.0 * (double)failed / (double)(served + failed) : 0;

	show_fact_printf(print, title, "%" PRId64 " served, %" PRId64 " failed (%.1f%%)", served, failed, percent);
}

static void
show_service_canary(struct print *print, const json_t *canary)
{
	char since[CLOCK_TEXT_SIZE];

	if (!json_is_object(canary))
		return;
	clock_format_wall(since, sizeof(since), view_int(canary, "since_wall_ns"));
	show_fact_printf(print, "canary", "%" PRId64 " (%s, sha256 %.12s) with %" PRId64 "%% since %s",
		view_int(canary, "generation"), view_text(canary, "version"), view_text(canary, "sha256"),
		view_int(canary, "share"), since);
	show_service_share(print, "its own", view_int(canary, "served"), view_int(canary, "failed"));
	show_service_share(print, "the others", view_int(canary, "others_served"),
		view_int(canary, "others_failed"));
}

/* "4 since ..., former: 3 (1.0.0, sha256 ...)" and what lingers. */
static void
show_service_generations(struct print *print, const json_t *service)
{
	const json_t *former = json_object_get(service, "former");
	const json_t *lingering = json_object_get(service, "lingering");
	char since[CLOCK_TEXT_SIZE] = "";
	char *text;

	if (view_int(service, "generation") == 0)
		return;
	if (view_int(service, "generation_wall_ns") > 0)
		clock_format_wall(since, sizeof(since), view_int(service, "generation_wall_ns"));
	show_fact_printf(print, "generation", "%" PRId64 "%s%s", view_int(service, "generation"),
		*since != '\0' ? " since " : "", since);
	show_service_canary(print, json_object_get(service, "canary"));
	if (json_is_object(former)) {
		text = xasprintf("%" PRId64 " (%s, sha256 %.12s)", view_int(former, "generation"),
			view_text(former, "version"), view_text(former, "sha256"));
		show_fact(print, "former", text);
		free(text);
	}
	for (size_t i = 0; i < json_array_size(lingering); i++) {
		const json_t *one = json_array_get(lingering, i);

		text = xasprintf("%" PRId64 ": %s", view_int(one, "generation"), view_text(one, "reason"));
		show_fact(print, i == 0 ? "lingering" : "", text);
		free(text);
	}
}

static void
show_service_plugin(struct print *print, const json_t *service)
{
	char *plugin = xasprintf("%s %s", view_text(service, "plugin"),
		view_text(service, "version"));
	/* Without a line it is the plugin's own file: nothing else says that the service is there. */
	const char *origin = view_text(service, "origin");
	char *config = strcmp(origin, "load") == 0 ? xstrdup("loaded by hand") :
		view_int(service, "line") == 0 ? xstrdup("autoload") :
		xasprintf("%s:%" PRId64, view_text(service, "file"), view_int(service, "line"));

	if (json_is_true(json_object_get(service, "isolated")))
		show_fact(print, "cell", "its own, since it crashed the one that it shared (bayctl reset)");
	else if (strcmp(view_text(service, "cell"), "main") != 0)
		show_fact(print, "cell", view_text(service, "cell"));
	show_fact(print, "plugin", plugin);
	show_fact(print, "file", view_text(service, "path"));
	show_fact(print, "image", view_text(service, "image"));
	show_fact(print, "sha256", view_text(service, "sha256"));
	if (*view_text(service, "file") != '\0')
		show_fact(print, "config", config);
	free(plugin);
	free(config);
}

static void
show_service_figures(struct print *print, const json_t *service)
{
	char used[32];
	char limit[32];

	text_format_size(used, sizeof(used), (uint64_t)view_int(service, "queued_bytes"));
	text_format_size(limit, sizeof(limit), (uint64_t)view_int(service, "queue_bytes"));
	show_fact(print, "instances", view_text(service, "instances"));
	show_fact_printf(print, "in flight", "%" PRId64 " of %" PRId64 " at once",
		view_int(service, "in_flight"), view_int(service, "concurrency"));
	show_fact_printf(print, "queue", "%" PRId64 " of %" PRId64 " messages, %s of %s bytes",
		view_int(service, "queued"), view_int(service, "queue"), used, limit);
	show_fact(print, "when full", view_text(service, "overflow"));
	show_fact_printf(print, "served", "%" PRId64 ", failed %" PRId64 " (timeouts %" PRId64 ")",
		view_int(service, "served"), view_int(service, "failed"),
		view_int(service, "timeouts"));
	show_fact_printf(print, "refused", "%" PRId64 " rejected, %" PRId64 " dropped",
		view_int(service, "rejected"), view_int(service, "dropped"));
	if (view_int(service, "breaker_refused") > 0)
		show_fact_printf(print, "", "%" PRId64 " by a breaker", view_int(service, "breaker_refused"));
	if (view_int(service, "retries") > 0 || view_int(service, "retries_refused") > 0)
		show_fact_printf(print, "sent again", "%" PRId64 ", and %" PRId64 " not, the retry budget being spent",
			view_int(service, "retries"), view_int(service, "retries_refused"));
	show_fact_printf(print, "restarts", "%" PRId64, view_int(service, "restarts"));
}

static void
show_service_listeners(struct print *print, const json_t *service)
{
	const json_t *listeners = json_object_get(service, "listeners");
	const char *title = "listens on";

	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *listener = json_array_get(listeners, i);
		const char *name = view_text(listener, "name");
		char *line = xasprintf("%s%s%s%s%s", view_text(listener, "address"),
			*name != '\0' ? " (" : "", name, *name != '\0' ? ")" : "",
			json_is_true(json_object_get(listener, "passed")) ? ", from the service manager" : "");

		show_fact(print, title, line);
		title = "";
		free(line);
	}
}

/* "web (one-for-all): db, app" */
static void
show_service_group(struct print *print, const json_t *service)
{
	const json_t *group = json_object_get(service, "group");
	char *names, *text;

	if (!json_is_object(group))
		return;
	names = show_names(group, "services");
	text = xasprintf("%s (%s): %s", view_text(group, "name"), view_text(group, "strategy"), names);
	show_fact(print, "group", text);
	free(text);
	free(names);
}

/* Whom it follows. */
static void
show_service_order(struct print *print, const json_t *service)
{
	static const char *const keys[] = {"requires", "wants", "after"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char *names = show_names(service, keys[i]);

		show_fact(print, keys[i], names);
		free(names);
	}
}

static void
show_service_settings(struct print *print, const json_t *service)
{
	json_t *settings = json_object_get(service, "settings");
	const char *title = "settings";
	const char *key;
	json_t *value;

	json_object_foreach(settings, key, value) {
		char *line = xasprintf("%s = %s", key,
			json_is_string(value) ? json_string_value(value) : "");

		show_fact(print, title, line);
		title = "";
		free(line);
	}
}

void
show_log(struct print *print, const char *title, const json_t *log)
{
	if (json_array_size(log) == 0)
		return;
	print_text(print, title);
	fputc('\n', print->file);
	for (size_t i = 0; i < json_array_size(log); i++) {
		fputs("  ", print->file);
		print_text(print, json_string_value(json_array_get(log, i)));
		fputc('\n', print->file);
	}
}

void
show_service(struct print *print, const json_t *service, const json_t *log)
{
	show_service_head(print, service);
	show_service_plugin(print, service);
	show_service_generations(print, service);
	show_service_order(print, service);
	show_service_group(print, service);
	show_service_figures(print, service);
	show_service_listeners(print, service);
	show_service_settings(print, service);
	show_log(print, "last lines of its log:", log);
}
