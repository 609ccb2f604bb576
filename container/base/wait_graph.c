/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/wait_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* No node. */
#define NOWHERE SIZE_MAX

/* A node that waits: its edges lie side by side. */
struct wait_node {
	uint64_t key;
	size_t first;        /* of the edges, by from */
	size_t count;
	size_t dead_targets;
	bool any;
	bool alive;
};

struct wait_graph {
	struct wait_edges *edges;
	size_t *targets;     /* of each edge: the node that it leads to, or NOWHERE */
	size_t *by_target;   /* edges that lead to a node, sorted by that */
	size_t by_target_count;
	struct wait_node *nodes;
	size_t count;
	size_t dead;
};

/* --- edges ------------------------------------------------------------------------------- */

void
wait_edges_add(struct wait_edges *edges, const struct wait_edge *edge)
{
	if (edges->count == WAIT_EDGES_MAX) {
		edges->too_many = true;
		return;
	}
	if (edges->count == edges->size) {
		edges->size = edges->size > 0 ? edges->size * 2 : 64;
		edges->rows = xrealloc(edges->rows, edges->size, sizeof *edges->rows);
	}
	edges->rows[edges->count++] = *edge;
}

void
wait_edges_append(struct wait_edges *edges, const struct wait_edges *more)
{
	size_t i;

	edges->too_many |= more->too_many;
	for (i = 0; i < more->count; i++)
		wait_edges_add(edges, &more->rows[i]);
}

void
wait_edges_finish(struct wait_edges *edges)
{
	free(edges->rows);
	memset(edges, 0, sizeof *edges);
}

static int
wait_edge_compare(const void *a, const void *b)
{
	const struct wait_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static void
wait_edges_sort(struct wait_edges *edges)
{
	if (edges->count > 1)
		qsort(edges->rows, edges->count, sizeof *edges->rows, wait_edge_compare);
}

void
wait_edges_keep(struct wait_edges *edges, const struct wait_edges *later)
{
	struct wait_edges sorted = {.count = 0};
	size_t i, kept = 0;

	wait_edges_append(&sorted, later);
	wait_edges_sort(&sorted);
	for (i = 0; i < edges->count; i++) {
		const struct wait_edge *edge = &edges->rows[i], *same = NULL;

		if (edge->serial != 0 && sorted.count > 0)
			same = bsearch(edge, sorted.rows, sorted.count, sizeof *sorted.rows, wait_edge_compare);
		if (edge->serial == 0 || (same != NULL && same->serial == edge->serial))
			edges->rows[kept++] = *edge;
	}
	edges->count = kept;
	edges->too_many |= later->too_many;
	wait_edges_finish(&sorted);
}

/* --- the graph ------------------------------------------------------------------------------ */

static size_t
wait_graph_find(const struct wait_graph *graph, uint64_t key)
{
	size_t low = 0, high = graph->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (graph->nodes[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < graph->count && graph->nodes[low].key == key ? low : NOWHERE;
}

static void
wait_graph_make_nodes(struct wait_graph *graph)
{
	const struct wait_edge *rows = graph->edges->rows;
	size_t i;

	graph->nodes = xcalloc(graph->edges->count + 1, sizeof *graph->nodes);
	for (i = 0; i < graph->edges->count; i++) {
		if (i == 0 || rows[i].from != rows[i - 1].from)
			graph->nodes[graph->count++] = (struct wait_node){.key = rows[i].from, .first = i};
		graph->nodes[graph->count - 1].count++;
		graph->nodes[graph->count - 1].any |= rows[i].any;
	}
}

struct wait_target {
	size_t target;
	size_t edge;
};

static int
wait_target_compare(const void *a, const void *b)
{
	const struct wait_target *x = a, *y = b;

	return x->target < y->target ? -1 : x->target > y->target;
}

static void
wait_graph_make_targets(struct wait_graph *graph)
{
	size_t i, count = graph->edges->count;
	struct wait_target *sorted = xcalloc(count + 1, sizeof *sorted);

	graph->targets = xcalloc(count + 1, sizeof *graph->targets);
	graph->by_target = xcalloc(count + 1, sizeof *graph->by_target);
	for (i = 0; i < count; i++) {
		graph->targets[i] = wait_graph_find(graph, graph->edges->rows[i].to);
		if (graph->targets[i] != NOWHERE)
			sorted[graph->by_target_count++] = (struct wait_target){graph->targets[i], i};
	}
	qsort(sorted, graph->by_target_count, sizeof *sorted, wait_target_compare);
	for (i = 0; i < graph->by_target_count; i++)
		graph->by_target[i] = sorted[i].edge;
	free(sorted);
}

/* The first place in by_target of edges that lead to this node. */
static size_t
wait_graph_first_into(const struct wait_graph *graph, size_t node)
{
	size_t low = 0, high = graph->by_target_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (graph->targets[graph->by_target[middle]] < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What waits for one that is alive may be, too. */
static bool
wait_node_revive(struct wait_node *node)
{
	if (node->alive || (!node->any && --node->dead_targets > 0))
		return false;
	node->alive = true;
	return true;
}

/* All are dead but those that wait only for what is not here, and what follows from that. */
static void
wait_graph_find_alive(struct wait_graph *graph)
{
	size_t *alive = xcalloc(graph->count + 1, sizeof *alive);
	size_t i, e, found = 0, done;

	for (i = 0; i < graph->count; i++) {
		struct wait_node *node = &graph->nodes[i];

		for (e = node->first; e < node->first + node->count; e++)
			node->dead_targets += graph->targets[e] != NOWHERE;
		node->alive = node->dead_targets == 0 || (node->any && node->dead_targets < node->count);
		if (node->alive)
			alive[found++] = i;
	}
	for (done = 0; done < found; done++) {
		for (e = wait_graph_first_into(graph, alive[done]); e < graph->by_target_count &&
			graph->targets[graph->by_target[e]] == alive[done]; e++) {
			size_t from = wait_graph_find(graph, graph->edges->rows[graph->by_target[e]].from);

			if (wait_node_revive(&graph->nodes[from]))
				alive[found++] = from;
		}
	}
	graph->dead = graph->count - found;
	free(alive);
}

struct wait_graph *
wait_graph_create(struct wait_edges *edges)
{
	struct wait_graph *graph = xcalloc(1, sizeof *graph);

	/* Whoever is missing might be alive. */
	if (edges->too_many)
		edges->count = 0;
	wait_edges_sort(edges);
	graph->edges = edges;
	wait_graph_make_nodes(graph);
	wait_graph_make_targets(graph);
	wait_graph_find_alive(graph);
	return graph;
}

void
wait_graph_destroy(struct wait_graph *graph)
{
	if (graph == NULL)
		return;
	free(graph->nodes);
	free(graph->targets);
	free(graph->by_target);
	free(graph);
}

size_t
wait_graph_dead(const struct wait_graph *graph)
{
	return graph->dead;
}

bool
wait_graph_is_dead(const struct wait_graph *graph, uint64_t node)
{
	size_t found = wait_graph_find(graph, node);

	return found != NOWHERE && !graph->nodes[found].alive;
}

/* Walks back from the end of a circle that was found to its begin. */
static uint64_t *
wait_graph_path(const struct wait_graph *graph, const size_t *before, size_t begin, size_t last, size_t *length_r)
{
	size_t length = 1, node, i;
	uint64_t *path;

	for (node = last; node != begin; node = before[node])
		length++;
	path = xcalloc(length, sizeof *path);
	for (node = last, i = length; i-- > 0; node = before[node])
		path[i] = graph->nodes[node].key;
	*length_r = length;
	return path;
}

uint64_t *
wait_graph_circle(const struct wait_graph *graph, uint64_t key, size_t *length_r)
{
	size_t begin = wait_graph_find(graph, key), i, e, reached = 0, done;
	size_t *before, *order;
	uint64_t *path = NULL;

	*length_r = 0;
	if (begin == NOWHERE || graph->nodes[begin].alive)
		return NULL;
	before = xcalloc(graph->count, sizeof *before);
	order = xcalloc(graph->count, sizeof *order);
	for (i = 0; i < graph->count; i++)
		before[i] = NOWHERE;
	order[reached++] = begin;
	for (done = 0; done < reached && path == NULL; done++) {
		const struct wait_node *node = &graph->nodes[order[done]];

		for (e = node->first; e < node->first + node->count; e++) {
			size_t target = graph->targets[e];

			if (target == begin) {
				path = wait_graph_path(graph, before, begin, order[done], length_r);
				break;
			}
			if (target == NOWHERE || graph->nodes[target].alive || before[target] != NOWHERE)
				continue;
			before[target] = order[done];
			order[reached++] = target;
		}
	}
	free(before);
	free(order);
	return path;
}

const struct wait_edge *
wait_graph_edge(const struct wait_graph *graph, uint64_t node)
{
	size_t found = wait_graph_find(graph, node);

	return found != NOWHERE ? &graph->edges->rows[graph->nodes[found].first] : NULL;
}
