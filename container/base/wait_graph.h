/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who waits for whom, and who therefore waits for ever. Nodes are numbers: tasks, requests, the
 * queues of services. A node that waits for nothing here is alive; one that waits is alive when
 * what it waits for is: any of it, or all of it, as its edges say. The others are dead; a
 * circle goes through some of them, and the rest waits for those.
 *
 *	task 1 --> request --> queue --any--> task 2 --> task 1
 *
 * Pure functions over arrays. One thread.
 */
#ifndef BAY_BASE_WAIT_GRAPH_H
#define BAY_BASE_WAIT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bay_service;

/* More are not looked at, and no circle is found among so many. */
#define WAIT_EDGES_MAX 65536

/* All searches for circles in a graph together go along no more edges, but for the last of them. */
#define WAIT_STEPS_MAX ((size_t)64 * WAIT_EDGES_MAX)

/* Above the number of any task. */
#define WAIT_LOOP_SHIFT 48

struct wait_edge {
	uint64_t from;
	uint64_t to;
	uint32_t serial;     /* which of the waits of a task this is */
	bool any;            /* one of those that from waits for is enough */
	const struct bay_service *service; /* of from, where it is a task; else that which serves */
	char name[24];       /* of from, likewise */
};

/* Zeroed: empty. */
struct wait_edges {
	struct wait_edge *rows;
	size_t count;
	size_t size;
	bool too_many;
	bool moves;  /* some of them may change though no task runs */
};

void wait_edges_add(struct wait_edges *edges, const struct wait_edge *edge);
void wait_edges_append(struct wait_edges *edges, const struct wait_edges *more);
void wait_edges_finish(struct wait_edges *edges);

/* Keeps of the waits of tasks those that go on in later: the same task in the same wait. Edges
 * without a serial stay. */
void wait_edges_keep(struct wait_edges *edges, const struct wait_edges *later);

/* The node of a task of a loop. */
static inline uint64_t
wait_task_node(unsigned loop, uint64_t id)
{
	return (uint64_t)loop << WAIT_LOOP_SHIFT | id;
}

struct wait_graph;

/* Borrows the edges, and sorts them. */
struct wait_graph *wait_graph_create(struct wait_edges *edges);
void wait_graph_destroy(struct wait_graph *graph);

/* How many are dead; whether this one is. */
size_t wait_graph_dead(const struct wait_graph *graph);
bool wait_graph_is_dead(const struct wait_graph *graph, uint64_t node);

/* The shortest circle through a node: *length_r nodes, malloc'd, beginning with it; NULL when there
 * is none, which is known without a search, or when the searches have taken too long. */
uint64_t *wait_graph_circle(struct wait_graph *graph, uint64_t node, size_t *length_r);

/* Whether a circle was not looked for, as the searches have taken too long. */
bool wait_graph_gave_up(const struct wait_graph *graph);

/* An edge that begins at a node, for its name; or NULL. */
const struct wait_edge *wait_graph_edge(const struct wait_graph *graph, uint64_t node);

#endif
