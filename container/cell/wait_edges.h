/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a cell goes into a graph of who waits for whom: the tasks of a loop, and the requests
 * in the queues of services that are busy.
 */
#ifndef BAY_CELL_WAIT_EDGES_H
#define BAY_CELL_WAIT_EDGES_H

#include <stddef.h>
#include <stdint.h>

struct bay_service;
struct scheduler;
struct wait_edges;

/* A request as a node. */
uint64_t wait_request_node(const void *request);

/* The service whose queue this node is, or NULL. */
const struct bay_service *wait_queue_of(uint64_t node);

/* "task 9 handle (b)" or "the queue of b" for a node of this graph, malloc'd; NULL for what lies
 * between. */
struct wait_graph;
char *wait_node_text(const struct wait_graph *graph, uint64_t node);

/* "task 9 a (b) -> the queue of c -> task 3 d (c) -> task 9 a (b)", malloc'd; of a long one only begin and
 * end, which are the same for all that lie on it. */
char *wait_circle_text(const struct wait_graph *graph, const uint64_t *nodes, size_t length);

/* Adds for what the tasks of a loop wait, and which requests they serve. Its thread; no task
 * runs. */
void wait_edges_of_loop(struct wait_edges *edges, struct scheduler *scheduler);

/* Adds the queues, given what all the loops said: a request in a queue is served when one of the
 * handlers ends, if there may not be more of them. Any thread. */
void wait_edges_of_queues(struct wait_edges *edges);

#endif
