/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/wait_outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wait_graph.h"
#include "cell/wait_edges.h"
#include "protocol/varlink.h"
#include "service/peer_waits.h"

enum {
	CROSSINGS_MAX = 8192, /* that are gathered */
	OUTSIDE_MAX = 2048    /* rows of a kind that are told: a frame has an end */
};

/* All other cells, which are no node of any kind that there is. */
#define NODE_OUTSIDE UINT64_MAX

/* --- gathering ----------------------------------------------------------------------------- */

static void
crossings_add(struct wait_crossings *crossings, const struct wait_crossing *crossing)
{
	if (crossings->count == CROSSINGS_MAX) {
		crossings->too_many = true;
		return;
	}
	if (crossings->count == crossings->size) {
		crossings->size = crossings->size > 0 ? crossings->size * 2 : 16;
		crossings->rows = xrealloc(crossings->rows, crossings->size, sizeof *crossings->rows);
	}
	crossings->rows[crossings->count++] = *crossing;
}

void
wait_crossings_append(struct wait_crossings *crossings, const struct wait_crossings *more)
{
	size_t i;

	crossings->too_many |= more->too_many;
	for (i = 0; i < more->count; i++)
		crossings_add(crossings, &more->rows[i]);
}

void
wait_crossings_finish(struct wait_crossings *crossings)
{
	free(crossings->rows);
	memset(crossings, 0, sizeof *crossings);
}

/* False: there is room for no more. */
static bool
crossings_add_wait(struct wait_crossings *crossings, enum wait_crossing_kind kind, const struct peer_wait *wait)
{
	struct wait_crossing crossing = {.kind = kind, .node = wait_request_node(wait->request),
		.epoch = wait->epoch, .id = wait->id};

	snprintf(crossing.cell, sizeof crossing.cell, "%s", wait->cell);
	snprintf(crossing.service, sizeof crossing.service, "%s", wait->service->name);
	crossings_add(crossings, &crossing);
	return !crossings->too_many;
}

static bool
on_served(const struct peer_wait *wait, void *arg)
{
	return crossings_add_wait(arg, WAIT_SERVED, wait);
}

static bool
on_sent(const struct peer_wait *wait, void *arg)
{
	return crossings_add_wait(arg, wait->epoch != 0 ? WAIT_SENT : WAIT_UNSENT, wait);
}

void
wait_crossings_of_loop(struct wait_crossings *crossings, const struct scheduler *scheduler)
{
	peer_waits_served(scheduler, on_served, crossings);
}

void
wait_crossings_of_routes(struct wait_crossings *crossings)
{
	peer_waits_sent(on_sent, crossings);
}

/* --- telling --------------------------------------------------------------------------------- */

/* As if all other cells waited for ever. */
static struct wait_graph *
outside_graph(struct wait_edges *edges, const struct wait_edges *here, const struct wait_crossings *crossings)
{
	struct wait_edge for_ever = {.from = NODE_OUTSIDE, .to = NODE_OUTSIDE};
	size_t i;

	wait_edges_append(edges, here);
	wait_edges_add(edges, &for_ever);
	for (i = 0; i < crossings->count; i++) {
		struct wait_edge edge = {.from = crossings->rows[i].node, .to = NODE_OUTSIDE};

		if (crossings->rows[i].kind != WAIT_SERVED)
			wait_edges_add(edges, &edge);
	}
	return wait_graph_create(edges);
}

static json_t *
number(uint64_t node)
{
	return json_integer((json_int_t)node);
}

/* The edges are sorted, so that each node that waits has its first one once. */
static void
report_edges(json_t *report, const struct wait_graph *graph, const struct wait_edges *edges)
{
	json_t *rows = json_array(), *names = json_array(), *services = json_array(), *queues = json_array();
	size_t i;

	for (i = 0; i < edges->count && json_array_size(rows) <= OUTSIDE_MAX; i++) {
		const struct wait_edge *edge = &edges->rows[i];
		const struct bay_service *queue = wait_queue_of(edge->from);
		char *text;

		if (!wait_graph_is_dead(graph, edge->from) || edge->from == NODE_OUTSIDE)
			continue;
		if (edge->to != NODE_OUTSIDE && wait_graph_is_dead(graph, edge->to))
			json_array_append_new(rows, json_pack("[o, o, I, b]", number(edge->from), number(edge->to),
				(json_int_t)edge->serial, edge->any));
		if (i > 0 && edges->rows[i - 1].from == edge->from)
			continue;
		text = wait_node_text(graph, edge->from);
		if (text != NULL)
			json_array_append_new(names, json_pack("[o, o]", number(edge->from), varlink_text(text)));
		if (text != NULL && edge->service != NULL)
			json_array_append_new(services, json_pack("[o, s]", number(edge->from), edge->service->name));
		if (queue != NULL)
			json_array_append_new(queues, json_pack("[o, s]", number(edge->from), queue->name));
		free(text);
	}
	json_object_set_new(report, "edges", rows);
	json_object_set_new(report, "names", names);
	json_object_set_new(report, "services", services);
	json_object_set_new(report, "queues", queues);
}

static void
report_crossings(json_t *report, const struct wait_graph *graph, const struct wait_crossings *crossings)
{
	json_t *sent = json_array(), *unsent = json_array(), *served = json_array();
	size_t i;

	for (i = 0; i < crossings->count; i++) {
		const struct wait_crossing *row = &crossings->rows[i];

		if (!wait_graph_is_dead(graph, row->node))
			continue;
		if (row->kind == WAIT_SENT)
			json_array_append_new(sent, json_pack("[o, s, o, o]", number(row->node), row->cell,
				number(row->epoch), number(row->id)));
		else if (row->kind == WAIT_UNSENT)
			json_array_append_new(unsent, json_pack("[o, s]", number(row->node), row->service));
		else
			json_array_append_new(served, json_pack("[o, o, o]", number(row->node),
				number(row->epoch), number(row->id)));
	}
	json_object_set_new(report, "sent", sent);
	json_object_set_new(report, "unsent", unsent);
	json_object_set_new(report, "served", served);
}

static bool
is_too_long(const json_t *report)
{
	static const char *const rows[] = {"edges", "sent", "unsent", "served"};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (json_array_size(json_object_get(report, rows[i])) > OUTSIDE_MAX)
			return true;
	}
	return false;
}

/* There is a way out, and there may be one in: there is no circle otherwise. */
static bool
is_worth_telling(const json_t *report)
{
	return json_array_size(json_object_get(report, "edges")) > 0 &&
		json_array_size(json_object_get(report, "sent")) + json_array_size(json_object_get(report, "unsent")) > 0;
}

json_t *
wait_outside_report(const struct wait_edges *here, const struct wait_crossings *crossings, bool *cut_r)
{
	struct wait_edges edges = {.count = 0};
	struct wait_graph *graph;
	json_t *report;

	*cut_r = crossings->too_many || here->too_many;
	if (crossings->count == 0 || *cut_r)
		return NULL;
	graph = outside_graph(&edges, here, crossings);
	report = json_object();
	report_edges(report, graph, &edges);
	report_crossings(report, graph, crossings);
	wait_graph_destroy(graph);
	wait_edges_finish(&edges);
	*cut_r = is_too_long(report);
	if (!*cut_r && is_worth_telling(report))
		return report;
	json_decref(report);
	return NULL;
}

bool
wait_outside_stands(const struct wait_edges *here, const struct wait_crossings *sent)
{
	struct wait_edges edges = {.count = 0};
	struct wait_graph *graph;
	bool stands = false;
	size_t i;

	if (sent->count == 0)
		return false;
	graph = outside_graph(&edges, here, sent);
	for (i = 0; i < edges.count && !stands; i++)
		stands = edges.rows[i].serial != 0 && wait_graph_is_dead(graph, edges.rows[i].from);
	wait_graph_destroy(graph);
	wait_edges_finish(&edges);
	return stands;
}
