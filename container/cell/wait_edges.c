/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/wait_edges.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wait_graph.h"
#include "base/wait_text.h"
#include "io/select.h"
#include "runtime/scheduler.h"
#include "runtime/scope.h"
#include "runtime/spawn.h"
#include "runtime/task.h"
#include "runtime/wait.h"
#include "runtime/waitable.h"
#include "service/feed.h"
#include "service/instance.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"
#include "service/topic.h"
#include "service/topic_arrival.h"
#include "service/topic_way.h"

/* Above any address and any number of a task. */
#define NODE_REQUEST (UINT64_C(1) << 63)
#define NODE_QUEUE (UINT64_C(1) << 62)
#define NODE_FEED (UINT64_C(1) << 61)

static uint64_t
task_node(const struct task *task)
{
	return wait_task_node(task->scheduler->index, task->id);
}

uint64_t
wait_request_node(const void *request)
{
	return NODE_REQUEST | (uint64_t)(uintptr_t)request;
}

const struct bay_service *
wait_queue_of(uint64_t node)
{
	return (node & NODE_QUEUE) && !(node & NODE_REQUEST) ? registry_at((uint16_t)(node & ~NODE_QUEUE)) : NULL;
}

static uint64_t
feed_node(const struct feed *feed)
{
	return NODE_FEED | (uint64_t)(uintptr_t)feed;
}

/* Of something that belongs to the running loop. */
static uint64_t
handle_node(const struct bay_task *handle)
{
	struct task_identity who;

	return task_identify(handle, &who) ? wait_task_node(scheduler_here->index, who.id) : wait_request_node(handle);
}

char *
wait_node_text(const struct wait_graph *graph, uint64_t node)
{
	const struct wait_edge *edge = wait_graph_edge(graph, node);

	if (edge == NULL || (node & NODE_REQUEST))
		return NULL;
	if (node & NODE_QUEUE)
		return xasprintf("the queue of %s", edge->service->name);
	if ((node & NODE_FEED) && edge->service == NULL)
		return xasprintf("the way to cell %s", edge->name);
	if (node & NODE_FEED)
		return xasprintf("the subscription of %s to %s", edge->service->name, edge->name);
	return xasprintf("task %" PRIu64 " %s%s%s%s", node & ((UINT64_C(1) << WAIT_LOOP_SHIFT) - 1), edge->name,
		edge->service != NULL ? " (" : "", edge->service != NULL ? edge->service->name : "",
		edge->service != NULL ? ")" : "");
}

static char *
circle_name(uint64_t node, const void *graph)
{
	return wait_node_text(graph, node);
}

char *
wait_circle_text(const struct wait_graph *graph, const uint64_t *nodes, size_t length)
{
	return wait_text_of_circle(nodes, length, circle_name, graph);
}

/* --- tasks --------------------------------------------------------------------------------- */

static void
add_task_edge(struct wait_edges *edges, const struct task *from, uint64_t to, bool any)
{
	struct wait_edge edge = {.from = task_node(from), .to = to, .serial = from->waits, .any = any,
		.service = from->instance != NULL ? from->instance->service : NULL};

	snprintf(edge.name, sizeof edge.name, "%s", from->name);
	wait_edges_add(edges, &edge);
}

/* Whether the task is parked on it: one of several parts is not for ever. */
static bool
is_parked_on(const struct waiter *waiter)
{
	return waiter->task->state == TASK_WAITING && waiter->task->waiter == waiter && !waiter->woken;
}

/* Those who wait for the end of a handle, which is the node. */
static void
add_handle(struct wait_edges *edges, const struct bay_task *handle, uint64_t node)
{
	const struct waiter *waiter = handle->waiter;

	if (waiter == NULL)
		return;
	if (waiter->kind != AWAIT_PART) {
		if (is_parked_on(waiter))
			add_task_edge(edges, waiter->task, node, waiter->any);
		return;
	}
	/* Of completions: whoever waits there. */
	if (waiter->waitable == NULL)
		return;
	list_for_each(pos, &waiter->waitable->waiters) {
		const struct waiter *next = container_of(pos, struct waiter, link);

		if (is_parked_on(next))
			add_task_edge(edges, next->task, node, true);
	}
}

static void
add_started_calls(struct wait_edges *edges, struct task *task)
{
	struct task_identity who;

	list_for_each(pos, &task->scope.handles) {
		struct bay_task *handle = container_of(pos, struct bay_task, in_scope);

		if (!handle->done && !task_identify(handle, &who))
			add_handle(edges, handle, wait_request_node(handle));
	}
}

/* The request that a task serves ends with it. */
static void
add_served(struct wait_edges *edges, const struct task *task)
{
	struct wait_edge edge = {.to = task_node(task)};

	if (task->request == NULL || task->request->task != task)
		return;
	edge.from = wait_request_node(task->request);
	edge.service = task->request->service;
	wait_edges_add(edges, &edge);
}

/* A select that only the end of one of these tasks and calls can end. */
static void
add_selected(struct wait_edges *edges, const struct task *task)
{
	const struct bay_task *handle;
	size_t place = 0;

	while ((handle = select_awaited_handle(task->waiter, &place)) != NULL)
		add_task_edge(edges, task, handle_node(handle), true);
}

/* A publisher waits for all subscriptions that have no room. */
static void
add_published(struct wait_edges *edges, const struct task *task)
{
	const struct feed *feed = NULL;

	while ((feed = topic_awaited_feed(task->waiter, feed)) != NULL)
		add_task_edge(edges, task, feed_node(feed), false);
}

static void
add_task(struct wait_edges *edges, struct task *task)
{
	const struct waiter *waiter = task->waiter;
	const struct bay_scope *scope = task->handle->scope;

	add_handle(edges, task->handle, task_node(task));
	if (scope != NULL && scope->closing != NULL && is_parked_on(scope->closing))
		add_task_edge(edges, scope->closing->task, task_node(task), false);
	add_started_calls(edges, task);
	add_served(edges, task);
	if (waiter == NULL || !is_parked_on(waiter))
		return;
	if (waiter->request != NULL)
		add_task_edge(edges, task, wait_request_node(waiter->request), false);
	if (waiter->waitable != NULL && waiter->waitable->holder != NULL)
		add_task_edge(edges, task, task_node(waiter->waitable->holder), false);
	add_selected(edges, task);
	add_published(edges, task);
}

/* --- subscriptions ------------------------------------------------------------------------------- */

static void
add_reader(struct wait_edges *edges, const struct bay_instance *instance, const struct feed *feed, uint64_t id)
{
	struct wait_edge edge = {.from = feed_node(feed), .to = wait_task_node(instance->scheduler->index, id),
		.any = true, .service = instance->service};

	snprintf(edge.name, sizeof edge.name, "%s", feed_pattern(feed));
	wait_edges_add(edges, &edge);
}

/* Any task of the instance may make room in its subscriptions, and none but those: unless another
 * handler may begin, they are all that there are. */
static void
add_subscriptions(struct wait_edges *edges, const struct bay_instance *instance)
{
	const struct scheduler *scheduler = instance->scheduler;
	const struct feed *feed = NULL;

	if (instance->serves && instance_room(instance) > 0)
		return;
	while ((feed = topic_feed_of(instance, feed)) != NULL) {
		const struct spawn *spawn = NULL;

		list_for_each(pos, &scheduler->tasks) {
			const struct task *task = container_of(pos, struct task, in_scheduler);

			if (task->instance == instance)
				add_reader(edges, instance, feed, task->id);
		}
		while ((spawn = spawn_next(scheduler, spawn)) != NULL) {
			if (spawn->instance == instance)
				add_reader(edges, instance, feed, spawn->id);
		}
	}
}

/* --- publications between cells ------------------------------------------------------------------ */

/* The way goes on when any of what it has sent ends. */
static void
add_way(const struct topic_way_wait *wait, void *arg)
{
	struct wait_edge edge = {.from = feed_node(wait->feed), .to = wait_request_node(wait->request),
		.serial = wait->serial, .any = true};

	snprintf(edge.name, sizeof edge.name, "%s", wait->cell);
	wait_edges_add(arg, &edge);
}

/* What has come ends when all subscriptions here have it. */
static void
add_arrival(const struct topic_arrival_wait *wait, void *arg)
{
	struct wait_edge edge = {.from = wait_request_node(wait->request), .to = feed_node(wait->feed),
		.serial = wait->serial};

	wait_edges_add(arg, &edge);
}

void
wait_edges_of_loop(struct wait_edges *edges, struct scheduler *scheduler)
{
	unsigned id, count = registry_count();

	list_for_each(pos, &scheduler->tasks)
		add_task(edges, container_of(pos, struct task, in_scheduler));
	for (id = 0; id < count; id++) {
		const struct bay_instance *instance = registry_at((uint16_t)id)->instances[scheduler->index];

		if (instance != NULL && instance->subscription_count > 0)
			add_subscriptions(edges, instance);
	}
	edges->moves |= topic_ways_waits(scheduler, add_way, edges);
	topic_arrivals_waits(add_arrival, edges);
}

/* --- queues ------------------------------------------------------------------------------------ */

static void
add_queued(struct wait_edges *edges, const struct list *requests, uint64_t queue)
{
	list_for_each(pos, requests) {
		struct wait_edge edge = {.from = wait_request_node(container_of(pos, struct bay_request, link)), .to = queue};

		wait_edges_add(edges, &edge);
	}
}

/* Its queue waits for any of these handlers. They are all that there may be. */
static void
add_queue(struct wait_edges *edges, struct bay_service *service)
{
	uint64_t queue = NODE_QUEUE | service->id;
	size_t i, handlers = 0, count = edges->count;
	bool busy;

	for (i = 0; i < count; i++)
		handlers += edges->rows[i].service == service && (edges->rows[i].from & NODE_REQUEST);
	pthread_mutex_lock(&service->lock);
	busy = service_state(service) == SERVICE_READY && handlers > 0 &&
		handlers >= (size_t)service->instance_count * service->limits.concurrency;
	if (busy) {
		add_queued(edges, &service->queue, queue);
		add_queued(edges, &service->waiting, queue);
	}
	pthread_mutex_unlock(&service->lock);
	for (i = 0; i < count && busy; i++) {
		struct wait_edge edge = {.from = queue, .any = true, .service = service};

		if (edges->rows[i].service != service || !(edges->rows[i].from & NODE_REQUEST))
			continue;
		edge.to = edges->rows[i].to;
		wait_edges_add(edges, &edge);
	}
}

void
wait_edges_of_queues(struct wait_edges *edges)
{
	unsigned id, count = registry_count();

	for (id = 0; id < count; id++) {
		struct bay_service *service = registry_at((uint16_t)id);

		if (atomic_load_explicit(&service->queued, memory_order_relaxed) > 0)
			add_queue(edges, service);
	}
}
