/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/table.h"

static void
show_info_head(struct print *print, const json_t *info)
{
	const char *state = view_text(info, "state");
	char uptime[CLOCK_TEXT_SIZE];

	fputs("bayd ", print->file);
	print_text(print, view_text(info, "version"));
	fputs(": ", print->file);
	print_styled(print, print_state_style(state), state);
	clock_format_duration(uptime, sizeof(uptime), view_int(info, "uptime_ns"));
	fprintf(print->file, ", up %s, pid %" PRId64 "\n", uptime, view_int(info, "pid"));
}

static void
show_cells(struct print *print, const json_t *cells)
{
	static const struct table_column columns[] = {
		{"CELL", TABLE_LEFT}, {"PID", TABLE_RIGHT}, {"STATE", TABLE_LEFT},
		{"RESTARTS", TABLE_RIGHT}, {"LOOPS", TABLE_RIGHT}, {"MEMORY", TABLE_RIGHT}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(cells); i++) {
		const json_t *cell = json_array_get(cells, i);
		const char *state = view_text(cell, "state");

		table_text(table, PRINT_PLAIN, view_text(cell, "name"));
		table_int(table, view_int(cell, "pid"));
		table_text(table, print_state_style(state), state);
		table_int(table, view_int(cell, "restarts"));
		table_int(table, view_int(cell, "loops"));
		table_size(table, view_int(cell, "rss_bytes"));
	}
	table_print(table, print, true);
	table_destroy(table);
}

static void
show_info_facts(struct print *print, const json_t *info)
{
	char *event = xasprintf("%s, %s", view_text(info, "libevent"), view_text(info, "method"));

	show_fact(print, "config", view_text(info, "config"));
	show_fact(print, "runtime dir", view_text(info, "runtime_dir"));
	show_fact(print, "plugin ABI", view_text(info, "abi"));
	show_fact(print, "libevent", event);
	show_fact(print, "limits", view_text(info, "limits"));
	free(event);
}

void
show_info(struct print *print, const json_t *info)
{
	char started[CLOCK_TEXT_SIZE];

	clock_format_wall(started, sizeof(started), view_int(info, "started_wall_ns"));
	show_info_head(print, info);
	show_fact(print, "started", started);
	show_info_facts(print, info);
	show_fact_printf(print, "loops", "%" PRId64, view_int(info, "loops"));
	show_fact_printf(print, "services", "%" PRId64, view_int(info, "services"));
	if (json_array_size(json_object_get(info, "cells")) > 0)
		show_cells(print, json_object_get(info, "cells"));
}

static size_t
show_count_state(const json_t *services, const char *state)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(services); i++)
		count += strcmp(view_text(json_array_get(services, i), "state"), state) == 0;
	return count;
}

/* "3 (2 ready, 1 failed)" */
static void
show_states(struct print *print, const json_t *services)
{
	static const char *const states[] = {
		"ready", "paused", "draining", "drained", "starting", "stopping", "stopped", "failed"};
	const char *before = " (";

	fprintf(print->file, "%11s: %zu", "services", json_array_size(services));
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		size_t count = show_count_state(services, states[i]);

		if (count == 0)
			continue;
		fprintf(print->file, "%s%zu ", before, count);
		print_styled(print, print_state_style(states[i]), states[i]);
		before = ", ";
	}
	fputs(json_array_size(services) > 0 ? ")\n" : "\n", print->file);
}

static json_t *
show_not_ready(const json_t *services)
{
	json_t *rest = json_array();

	for (size_t i = 0; i < json_array_size(services); i++) {
		json_t *service = json_array_get(services, i);

		if (strcmp(view_text(service, "state"), "ready") != 0)
			json_array_append(rest, service);
	}
	return rest;
}

static int64_t
show_sum(const json_t *services, const char *name)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < json_array_size(services); i++)
		sum += (uint64_t)view_int(json_array_get(services, i), name);
	return (int64_t)sum;
}

void
show_summary(struct print *print, const json_t *info, const json_t *services)
{
	json_t *rest = show_not_ready(services);

	show_info_head(print, info);
	show_fact(print, "config", view_text(info, "config"));
	show_fact_printf(print, "loops", "%" PRId64 " (cells: %zu)", view_int(info, "loops"),
		json_array_size(json_object_get(info, "cells")));
	show_states(print, services);
	show_fact_printf(print, "messages", "%" PRId64 " served, %" PRId64 " failed, %" PRId64
		" in flight, %" PRId64 " queued", show_sum(services, "served"),
		show_sum(services, "failed"), show_sum(services, "in_flight"),
		show_sum(services, "queued"));
	show_fact_printf(print, "refused", "%" PRId64 " rejected, %" PRId64 " dropped",
		show_sum(services, "rejected"), show_sum(services, "dropped"));
	show_silent_loops(print, json_object_get(info, "silent_loops"));
	if (json_array_size(rest) > 0) {
		fputs("not ready:\n", print->file);
		show_services(print, rest, true);
	}
	json_decref(rest);
}
