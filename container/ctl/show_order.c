/* SPDX-License-Identifier: BSD-2-Clause */
/* What services wait for when they start: how long, and whom they name for that. */
#include "config.h"

#include "ctl/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/table.h"

/* More than there can be without a lie. */
enum { SHOW_CHAIN_MAX = 64 };

static const char *const show_relations[] = {"requires", "wants", "after"};

enum { SHOW_RELATIONS = sizeof(show_relations) / sizeof(*show_relations) };

static const json_t *
show_find_service(const json_t *services, const char *name)
{
	for (size_t i = 0; i < json_array_size(services); i++)
		if (strcmp(view_text(json_array_get(services, i), "name"), name) == 0)
			return json_array_get(services, i);
	return NULL;
}

static void
show_name_and_state(struct print *print, const json_t *service, const char *name)
{
	const char *state = service != NULL ? view_text(service, "state") : "?";

	print_text(print, name);
	fputs(": ", print->file);
	print_styled(print, print_state_style(state), state);
}

/* --- start times ------------------------------------------------------------- */

static int64_t
show_blame_total(const json_t *service)
{
	return view_int(service, "examine_took_ns") + view_int(service, "start_took_ns");
}

static int
show_blame_compare(const void *a, const void *b)
{
	int64_t first = show_blame_total(*(json_t *const *)a);
	int64_t second = show_blame_total(*(json_t *const *)b);

	return (first < second) - (first > second);
}

static void
show_blame_row(struct table *table, const json_t *service)
{
	table_text(table, PRINT_PLAIN, view_text(service, "name"));
	table_text(table, print_state_style(view_text(service, "state")), view_text(service, "state"));
	table_duration(table, show_blame_total(service));
	table_duration(table, view_int(service, "examine_took_ns"));
	table_duration(table, view_int(service, "start_took_ns"));
	table_duration(table, view_int(service, "wait_took_ns"));
	table_text(table, PRINT_PLAIN, view_text(service, "delayed_by"));
}

void
show_blame(struct print *print, const json_t *services, bool heading)
{
	static const struct table_column columns[] = {
		{"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT}, {"TOOK", TABLE_RIGHT},
		{"EXAMINED", TABLE_RIGHT}, {"STARTED", TABLE_RIGHT}, {"WAITED", TABLE_RIGHT},
		{"FOR", TABLE_LAST}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	size_t count = json_array_size(services);
	const json_t **sorted = xcalloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(services, i);
	qsort(sorted, count, sizeof(*sorted), show_blame_compare);
	for (size_t i = 0; i < count; i++)
		show_blame_row(table, sorted[i]);
	table_print(table, print, heading);
	table_destroy(table);
	free(sorted);
}

/* --- the chain --------------------------------------------------------------- */

/* "web: ready at 3.1s, started in 100ms" */
static void
show_chain_link(struct print *print, const json_t *service, unsigned depth)
{
	char took[CLOCK_TEXT_SIZE], at[CLOCK_TEXT_SIZE];

	fprintf(print->file, "%*s", (int)depth * 2, "");
	show_name_and_state(print, service, view_text(service, "name"));
	if (json_is_integer(json_object_get(service, "served_after_ns")))
		fprintf(print->file, " at %s, started in %s",
			clock_format_duration(at, sizeof(at), view_int(service, "served_after_ns")),
			clock_format_duration(took, sizeof(took), view_int(service, "start_took_ns")));
	fputc('\n', print->file);
}

void
show_blame_chain(struct print *print, const json_t *services, const char *name)
{
	const json_t *service = show_find_service(services, name);

	for (unsigned depth = 0; service != NULL && depth < SHOW_CHAIN_MAX; depth++) {
		show_chain_link(print, service, depth);
		service = show_find_service(services, view_text(service, "delayed_by"));
	}
}

/* --- who names whom ---------------------------------------------------------- */

struct show_order {
	struct print *print;
	const json_t *services;
	bool *shown; /* with all below it, by place */
};

static bool
show_names_one(const json_t *names, const char *name)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *other = json_string_value(json_array_get(names, i));

		if (other != NULL && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* By which key the service names the other one first; NULL: by none. */
static const char *
show_relation(const json_t *service, const char *name)
{
	for (size_t i = 0; i < SHOW_RELATIONS; i++)
		if (show_names_one(json_object_get(service, show_relations[i]), name))
			return show_relations[i];
	return NULL;
}

static bool
show_names_any(const json_t *service)
{
	for (size_t i = 0; i < SHOW_RELATIONS; i++)
		if (json_array_size(json_object_get(service, show_relations[i])) > 0)
			return true;
	return false;
}

static size_t
show_place(const struct show_order *order, const json_t *service)
{
	size_t place = 0;

	while (json_array_get(order->services, place) != service)
		place++;
	return place;
}

static void show_below(struct show_order *order, const json_t *service, unsigned depth);

/* What is below it is shown once. */
static void
show_order_line(struct show_order *order, const char *name, const char *relation, unsigned depth)
{
	const json_t *service = show_find_service(order->services, name);
	bool *shown = service != NULL ? &order->shown[show_place(order, service)] : NULL;

	fprintf(order->print->file, "%*s", (int)depth * 2, "");
	if (relation != NULL)
		fprintf(order->print->file, "%s ", relation);
	show_name_and_state(order->print, service, name);
	fputs(shown != NULL && *shown && show_names_any(service) ? " ...\n" : "\n", order->print->file);
	if (shown == NULL || *shown || depth >= SHOW_CHAIN_MAX)
		return;
	*shown = true;
	show_below(order, service, depth + 1);
}

static void
show_below(struct show_order *order, const json_t *service, unsigned depth)
{
	for (size_t i = 0; i < SHOW_RELATIONS; i++) {
		const json_t *names = json_object_get(service, show_relations[i]);

		for (size_t n = 0; n < json_array_size(names); n++) {
			const char *name = json_string_value(json_array_get(names, n));

			/* By the strongest key that has it. */
			if (name != NULL && show_relation(service, name) == show_relations[i])
				show_order_line(order, name, show_relations[i], depth);
		}
	}
}

/* The services that name this one. */
static void
show_above(struct show_order *order, const char *name)
{
	for (size_t i = 0; i < json_array_size(order->services); i++) {
		const json_t *other = json_array_get(order->services, i);
		const char *relation = show_relation(other, name);

		if (relation == NULL)
			continue;
		fputs("  named by ", order->print->file);
		show_name_and_state(order->print, other, view_text(other, "name"));
		fprintf(order->print->file, " (%s)\n", relation);
	}
}

static bool
show_is_named(const json_t *services, const char *name)
{
	for (size_t i = 0; i < json_array_size(services); i++)
		if (show_relation(json_array_get(services, i), name) != NULL)
			return true;
	return false;
}

void
show_deps(struct print *print, const json_t *services, const char *name)
{
	struct show_order order = {.print = print, .services = services,
		.shown = xcalloc(json_array_size(services) + 1, sizeof(bool))};

	if (name != NULL) {
		show_order_line(&order, name, NULL, 0);
		show_above(&order, name);
	}
	for (size_t i = 0; i < json_array_size(services) && name == NULL; i++) {
		const char *root = view_text(json_array_get(services, i), "name");

		if (!show_is_named(services, root))
			show_order_line(&order, root, NULL, 0);
	}
	free(order.shown);
}

json_t *
show_deps_json(const json_t *services, const char *name)
{
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);

		if (name != NULL && strcmp(name, view_text(service, "name")) != 0 &&
		    show_relation(service, name) == NULL)
			continue;
		json_array_append_new(list, json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?, s:O?}",
			"service", json_object_get(service, "name"), "state", json_object_get(service, "state"),
			"requires", json_object_get(service, "requires"),
			"wants", json_object_get(service, "wants"), "after", json_object_get(service, "after"),
			"waits_for", json_object_get(service, "waits_for")));
	}
	return json_pack("{s:o}", "services", list);
}
