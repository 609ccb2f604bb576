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
	size_t knot;         /* the same for all that lie on circles together, from 1; 0: on none */
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
	/* Of searches for circles, made by the first. */
	size_t *before;      /* of each node: from where it was reached, or NOWHERE */
	size_t *order;       /* in which they were */
	size_t steps;        /* that all of them took */
	bool gave_up;
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
	edges->moves |= more->moves;
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

/* --- knots ------------------------------------------------------------------------------------- */

/* A walk over the dead, by Tarjan: each edge is gone once, however they are tied. */
struct wait_walk {
	size_t *number;  /* of each node: as which it was reached, from 1; 0: it was not */
	size_t *lowest;  /* of each: the lowest number that it leads back to */
	size_t *edge;    /* of each: its next edge */
	size_t *path;    /* from where it began to the node that is looked at */
	size_t *open;    /* reached, and not known yet to which knot they belong */
	size_t reached;
	size_t deep;
	size_t open_count;
	size_t knots;
};

static void
wait_walk_enter(struct wait_walk *walk, const struct wait_graph *graph, size_t node)
{
	walk->number[node] = walk->lowest[node] = ++walk->reached;
	walk->edge[node] = graph->nodes[node].first;
	walk->path[walk->deep++] = node;
	walk->open[walk->open_count++] = node;
}

/* All that is open from the node on leads to each other. One alone is a knot if it waits for itself. */
static void
wait_walk_close(struct wait_walk *walk, struct wait_graph *graph, size_t node)
{
	size_t last = walk->open[walk->open_count - 1], e;
	bool tied = last != node;

	for (e = graph->nodes[node].first; e < graph->nodes[node].first + graph->nodes[node].count; e++)
		tied |= graph->targets[e] == node;
	walk->knots += tied;
	do {
		last = walk->open[--walk->open_count];
		walk->lowest[last] = NOWHERE;
		graph->nodes[last].knot = tied ? walk->knots : 0;
	} while (last != node);
}

/* Goes along the next edge of the node at the end of the path, or back. */
static void
wait_walk_step(struct wait_walk *walk, struct wait_graph *graph)
{
	size_t node = walk->path[walk->deep - 1], target, from;

	if (walk->edge[node] < graph->nodes[node].first + graph->nodes[node].count) {
		target = graph->targets[walk->edge[node]++];
		if (target == NOWHERE || graph->nodes[target].alive)
			return;
		if (walk->number[target] == 0)
			wait_walk_enter(walk, graph, target);
		else if (walk->lowest[target] != NOWHERE && walk->number[target] < walk->lowest[node])
			walk->lowest[node] = walk->number[target];
		return;
	}
	from = --walk->deep > 0 ? walk->path[walk->deep - 1] : NOWHERE;
	if (from != NOWHERE && walk->lowest[node] < walk->lowest[from])
		walk->lowest[from] = walk->lowest[node];
	if (walk->lowest[node] == walk->number[node])
		wait_walk_close(walk, graph, node);
}

static void
wait_graph_find_knots(struct wait_graph *graph)
{
	size_t count = graph->count, i;
	size_t *places = xcalloc(5 * count + 1, sizeof *places);
	struct wait_walk walk = {.number = places, .lowest = places + count, .edge = places + 2 * count,
		.path = places + 3 * count, .open = places + 4 * count};

	for (i = 0; i < count; i++) {
		if (graph->nodes[i].alive || walk.number[i] != 0)
			continue;
		wait_walk_enter(&walk, graph, i);
		while (walk.deep > 0)
			wait_walk_step(&walk, graph);
	}
	free(places);
}

/* --- what is asked ------------------------------------------------------------------------------- */

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
	if (graph->dead > 0)
		wait_graph_find_knots(graph);
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
	free(graph->before);
	free(graph->order);
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

bool
wait_graph_gave_up(const struct wait_graph *graph)
{
	return graph->gave_up;
}

/* Walks back from the end of a circle that was found to its begin. */
static uint64_t *
wait_graph_path(const struct wait_graph *graph, size_t begin, size_t last, size_t *length_r)
{
	size_t length = 1, node, i;
	uint64_t *path;

	for (node = last; node != begin; node = graph->before[node])
		length++;
	path = xcalloc(length, sizeof *path);
	for (node = last, i = length; i-- > 0; node = graph->before[node])
		path[i] = graph->nodes[node].key;
	*length_r = length;
	return path;
}

/* The node from which an edge leads to the begin, after fewest steps, within its knot; *reached_r: so many
 * have a before. */
static size_t
wait_graph_search(struct wait_graph *graph, size_t begin, size_t *reached_r)
{
	size_t e, reached = 0, done, last = NOWHERE;

	graph->order[reached++] = begin;
	for (done = 0; done < reached && last == NOWHERE; done++) {
		const struct wait_node *node = &graph->nodes[graph->order[done]];

		graph->steps += node->count;
		for (e = node->first; e < node->first + node->count && last == NOWHERE; e++) {
			size_t target = graph->targets[e];

			if (target == begin)
				last = graph->order[done];
			if (target == begin || target == NOWHERE || graph->before[target] != NOWHERE ||
				graph->nodes[target].knot != node->knot)
				continue;
			graph->before[target] = graph->order[done];
			graph->order[reached++] = target;
		}
	}
	*reached_r = reached;
	return last;
}

uint64_t *
wait_graph_circle(struct wait_graph *graph, uint64_t key, size_t *length_r)
{
	size_t begin = wait_graph_find(graph, key), i, last, reached;
	uint64_t *path;

	*length_r = 0;
	if (begin == NOWHERE || graph->nodes[begin].knot == 0)
		return NULL;
	if (graph->steps >= WAIT_STEPS_MAX) {
		graph->gave_up = true;
		return NULL;
	}
	if (graph->before == NULL) {
		graph->before = xcalloc(graph->count, sizeof *graph->before);
		graph->order = xcalloc(graph->count, sizeof *graph->order);
		for (i = 0; i < graph->count; i++)
			graph->before[i] = NOWHERE;
	}
	last = wait_graph_search(graph, begin, &reached);
	path = last != NOWHERE ? wait_graph_path(graph, begin, last, length_r) : NULL;
	for (i = 0; i < reached; i++)
		graph->before[graph->order[i]] = NOWHERE;
	return path;
}

const struct wait_edge *
wait_graph_edge(const struct wait_graph *graph, uint64_t node)
{
	size_t found = wait_graph_find(graph, node);

	return found != NOWHERE ? &graph->edges->rows[graph->nodes[found].first] : NULL;
}
