/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"
#include "base/text.h"
#include "config/config_names.h"
#include "config/config_report.h"

/* A way round that is longer is told without its middle. */
enum { ORDER_TOLD_MAX = 16 };

struct order_edge {
	size_t to; /* the service that is waited for */
	enum config_relation relation;
};

struct config_order {
	const struct config *config;
	struct order_edge *edges; /* by the service that waits */
	size_t edge_count;
	size_t *first;  /* of each service; one more for the end */
	size_t *sorted;
	size_t sorted_count;
};

/* --- the keys ------------------------------------------------------------------ */

const char *
config_relation_name(enum config_relation relation)
{
	static const char *const names[CONFIG_RELATIONS] = {
		[CONFIG_REQUIRES] = "requires",
		[CONFIG_WANTS] = "wants",
		[CONFIG_AFTER] = "after",
	};

	return names[relation];
}

const char *
config_relation_list(const struct config_service *service, enum config_relation relation)
{
	switch (relation) {
	case CONFIG_REQUIRES:
		return service->requires;
	case CONFIG_WANTS:
		return service->wants;
	default:
		return service->after;
	}
}

bool
config_service_follows(const struct config_service *service, const char *name)
{
	for (int relation = 0; relation < CONFIG_RELATIONS; relation++)
		if (config_names_have(config_relation_list(service, relation), name))
			return true;
	return false;
}

/* --- edges ---------------------------------------------------------------------- */

static void
order_complain(const struct config_order *order, struct config_report *report,
	size_t service, enum config_relation relation, const char *what)
{
	const struct config_service *section = &order->config->services[service];
	const char *key = config_relation_name(relation);
	const struct config_origin *origin = config_service_origin(section, key);

	if (report == NULL)
		return;
	if (origin->file == NULL)
		origin = &section->origin;
	config_report_add(report, origin->file, origin->line, "%s = %s: %s [config-order]", key,
		config_relation_list(section, relation), what);
}

static void
order_complain_of_unknown(const struct config_order *order, struct config_report *report,
	size_t service, enum config_relation relation, const char *name)
{
	const struct config *config = order->config;
	const char **names = xcalloc(config->service_count + 1, sizeof(*names));
	size_t count = 0;
	const char *nearest;
	char *what;

	for (size_t i = 0; i < config->service_count; i++)
		if (i != service)
			names[count++] = config->services[i].name;
	nearest = text_nearest(name, names, count);
	what = nearest != NULL ? xasprintf("there is no [service %s]; did you mean '%s'?", name, nearest) :
		xasprintf("there is no [service %s]", name);
	order_complain(order, report, service, relation, what);
	free(what);
	free(names);
}

static void
order_add_edge(struct config_order *order, size_t to, enum config_relation relation)
{
	/* The capacity is the next power of two. */
	if ((order->edge_count & (order->edge_count - 1)) == 0)
		order->edges = xrealloc(order->edges, order->edge_count > 0 ? order->edge_count * 2 : 1,
			sizeof(*order->edges));
	order->edges[order->edge_count++] = (struct order_edge){.to = to, .relation = relation};
}

static void
order_add_list(struct config_order *order, struct config_report *report, const struct map *names,
	size_t service, enum config_relation relation)
{
	const char *list = config_relation_list(&order->config->services[service], relation);
	char name[CONFIG_NAME_MAX + 1];

	while (config_names_next(&list, name)) {
		const struct config_service *to = map_get(names, name);

		if (to == NULL)
			order_complain_of_unknown(order, report, service, relation, name);
		else if (to == &order->config->services[service])
			order_complain(order, report, service, relation, "a service does not wait for itself");
		else
			order_add_edge(order, (size_t)(to - order->config->services), relation);
	}
}

static void
order_find_edges(struct config_order *order, struct config_report *report)
{
	const struct config *config = order->config;
	struct map *names = map_create();

	for (size_t i = 0; i < config->service_count; i++)
		map_put(names, config->services[i].name, &config->services[i]);
	for (size_t i = 0; i < config->service_count; i++) {
		order->first[i] = order->edge_count;
		for (int relation = 0; relation < CONFIG_RELATIONS; relation++)
			order_add_list(order, report, names, i, relation);
	}
	order->first[config->service_count] = order->edge_count;
	map_destroy(names);
}

/* --- sorting -------------------------------------------------------------------- */

enum order_visit {
	ORDER_NEW = 0,
	ORDER_OPEN, /* on the way to the present one */
	ORDER_DONE
};

/* A walk along the edges, depth first; its way lies here, since there may be thousands. */
struct order_walk {
	enum order_visit *visits;
	size_t *way;  /* services, each waits for the next */
	size_t *next; /* the edge of each that comes next */
	size_t depth;
};

/* The last of the way waits for one on it, which is at from. */
static void
order_complain_of_circle(const struct config_order *order, struct config_report *report,
	const struct order_walk *walk, size_t from)
{
	bool whole = walk->depth - from <= ORDER_TOLD_MAX;
	struct buffer text = {0};
	bool made = buffer_append_text(&text, "services wait for each other: ");

	for (size_t i = from; i <= walk->depth && made; i++) {
		if (!whole && i == from + ORDER_TOLD_MAX / 2) {
			made = buffer_append_text(&text, " -> ...");
			i = walk->depth - ORDER_TOLD_MAX / 2;
		}
		made = made && buffer_printf(&text, "%s%s", i > from ? " -> " : "",
			order->config->services[walk->way[i < walk->depth ? i : from]].name);
	}
	/* The edge that was taken from the first one. */
	order_complain(order, report, walk->way[from], order->edges[walk->next[from] - 1].relation,
		made ? buffer_text(&text) : "services wait for each other");
	buffer_finish(&text);
}

static void
order_walk_enter(struct config_order *order, struct order_walk *walk, size_t service)
{
	walk->visits[service] = ORDER_OPEN;
	walk->way[walk->depth] = service;
	walk->next[walk->depth++] = order->first[service];
}

/* Where a service is on the way. */
static size_t
order_walk_find(const struct order_walk *walk, size_t service)
{
	size_t at = 0;

	while (walk->way[at] != service)
		at++;
	return at;
}

static void
order_walk_from(struct config_order *order, struct order_walk *walk, size_t service,
	struct config_report *report)
{
	order_walk_enter(order, walk, service);
	while (walk->depth > 0) {
		size_t at = walk->way[walk->depth - 1];
		size_t *next = &walk->next[walk->depth - 1];
		size_t to;

		if (*next == order->first[at + 1]) {
			walk->visits[at] = ORDER_DONE;
			order->sorted[order->sorted_count++] = at;
			walk->depth--;
			continue;
		}
		to = order->edges[(*next)++].to;
		if (walk->visits[to] == ORDER_NEW)
			order_walk_enter(order, walk, to);
		else if (walk->visits[to] == ORDER_OPEN)
			order_complain_of_circle(order, report, walk, order_walk_find(walk, to));
	}
}

static void
order_sort(struct config_order *order, struct config_report *report)
{
	size_t count = order->config->service_count;
	struct order_walk walk = {
		.visits = xcalloc(count + 1, sizeof(*walk.visits)),
		.way = xcalloc(count + 1, sizeof(*walk.way)),
		.next = xcalloc(count + 1, sizeof(*walk.next)),
	};

	for (size_t i = 0; i < count; i++)
		if (walk.visits[i] == ORDER_NEW)
			order_walk_from(order, &walk, i, report);
	free(walk.visits);
	free(walk.way);
	free(walk.next);
}

/* --- lifecycle -------------------------------------------------------------------- */

struct config_order *
config_order_create(const struct config *config, struct config_report *report)
{
	struct config_order *order = xcalloc(1, sizeof(*order));

	order->config = config;
	order->first = xcalloc(config->service_count + 1, sizeof(*order->first));
	order->sorted = xcalloc(config->service_count + 1, sizeof(*order->sorted));
	order_find_edges(order, report);
	order_sort(order, report);
	return order;
}

void
config_order_destroy(struct config_order *order)
{
	if (order == NULL)
		return;
	free(order->edges);
	free(order->first);
	free(order->sorted);
	free(order);
}

/* --- queries ----------------------------------------------------------------------- */

const size_t *
config_order_sorted(const struct config_order *order)
{
	return order->sorted;
}

void
config_order_mark_needed(const struct config_order *order, bool *marks)
{
	/* Who needs others comes behind them. */
	for (size_t i = order->sorted_count; i-- > 0;) {
		size_t service = order->sorted[i];

		for (size_t n = order->first[service]; marks[service] && n < order->first[service + 1]; n++)
			if (order->edges[n].relation != CONFIG_AFTER)
				marks[order->edges[n].to] = true;
	}
}

bool *
config_order_starts(const struct config *config)
{
	struct config_order *order = config_order_create(config, NULL);
	bool *marks = xcalloc(config->service_count + 1, sizeof(*marks));

	for (size_t i = 0; i < config->service_count; i++)
		marks[i] = config->services[i].enabled;
	config_order_mark_needed(order, marks);
	config_order_destroy(order);
	return marks;
}

void
config_order_mark_dependants(const struct config_order *order, bool *marks)
{
	for (size_t i = 0; i < order->sorted_count; i++) {
		size_t service = order->sorted[i];

		for (size_t n = order->first[service]; n < order->first[service + 1]; n++)
			if (order->edges[n].relation == CONFIG_REQUIRES && marks[order->edges[n].to])
				marks[service] = true;
	}
}
