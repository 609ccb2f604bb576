/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/task_list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "base/wait_graph.h"
#include "cell/control.h"
#include "cell/executor.h"
#include "cell/source_line.h"
#include "cell/wait_edges.h"
#include "cell/wait_outside.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "runtime/scheduler.h"
#include "runtime/spawn.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"

/* The member that carries a code address from the loop to the control thread. */
#define TASK_LIST_ADDRESS "address"
#define TASK_LIST_WAIT_NS (500 * INT64_C(1000000))

/* Tasks whose circles are told. */
#define TASK_LIST_DEAD_MAX 256

/* What one loop is asked: for its tasks and what they wait for; and, when some of them seem to
 * wait for ever, what they wait for now. The loops do not answer at the same moment: a wait that
 * was there before the first of them was asked again, and is the same after that, was there
 * together with all others of which this is true. */
struct task_list_part {
	struct inbox_item item;
	struct task_list *list;
	struct scheduler *scheduler;
	json_t *tasks;
	uint64_t total;
	bool answered;                       /* in time */
	bool back;                           /* from the round in which it was asked last */
	unsigned round;                      /* in which it was asked last */
	int64_t took_ns;                     /* of the loop's thread, in all */
	struct wait_edges waits;             /* of the last round */
	struct wait_crossings crossings;     /* of the first: requests of other cells */
};

/* Freed when every loop has answered, however late. */
struct task_list {
	struct control *control;
	struct loop *loop;
	const struct status_page *page;
	int64_t id;
	bool waits_only;
	bool all;                            /* or only of: */
	const struct bay_service *service;   /* NULL: there is no such service */
	struct timer timer;
	bool sent;
	unsigned round;                      /* 1, or 2 when something waits for ever as it seems */
	unsigned missing;                    /* answers of this round */
	unsigned out;                        /* answers of any */
	struct wait_edges waits;             /* of the first round */
	struct wait_crossings crossings;     /* likewise */
	unsigned count;
	struct task_list_part parts[];
};

/* --- on each loop ---------------------------------------------------------------------- */

static const char *
task_list_state(const struct task *task)
{
	switch (task->state) {
	case TASK_NEW:
	case TASK_READY:
		return "ready";
	case TASK_RUNNING:
		return "running";
	default:
		return "waiting";
	}
}

static json_t *
task_list_describe(const struct task *task, int64_t now_ns)
{
	char on[256];
	struct cell_task row = {
		.id = (int64_t)task->id,
		.service = task->instance != NULL ? task->instance->service->name : "",
		.name = task->name,
		.loop = task->scheduler->index,
		.state = task_list_state(task),
		.waiting_on = task_waiting_on(task, on, sizeof on),
		.age_ns = now_ns - task->started_ns,
		.parent = (int64_t)task_parent_id(task->handle),
		.canceled = task->canceled,
		.stack_used = (int64_t)stack_used(&task->stack),
	};
	json_t *described = cell_task_to_json(&row);

	/* Looked up later, off the loop. One that is ready has not come back from its await yet. */
	if (described != NULL && task->state != TASK_NEW && task->where != NULL)
		json_object_set_new(described, TASK_LIST_ADDRESS, json_integer((json_int_t)(uintptr_t)task->where));
	return described;
}

/* One that waits for its first turn. */
static json_t *
task_list_describe_new(const struct spawn *spawn, unsigned loop, int64_t now_ns)
{
	struct cell_task row = {
		.id = (int64_t)spawn->id,
		.service = spawn->instance != NULL ? spawn->instance->service->name : "",
		.name = spawn->name,
		.loop = loop,
		.state = "ready",
		.age_ns = now_ns - spawn->started_ns,
		.parent = (int64_t)task_parent_id(&spawn->handle),
		.canceled = spawn->canceled,
	};

	return cell_task_to_json(&row);
}

static bool
task_list_wants(const struct task_list *list, const struct bay_instance *instance)
{
	return !list->waits_only && (list->all || (instance != NULL && instance->service == list->service));
}

/* Whether there is room in the answer for one more. */
static bool
task_list_count(struct task_list_part *part)
{
	return part->total++ < CELL_TASKS_MAX / part->list->count;
}

static void task_list_on_answer(struct inbox_item *item);

static void
task_list_on_loop(struct inbox_item *item)
{
	struct task_list_part *part = container_of(item, struct task_list_part, item);
	const struct task_list *list = part->list;
	const struct spawn *spawn = NULL;
	int64_t now_ns = clock_monotonic_ns();
	int64_t began_ns = clock_thread_cpu_ns();

	part->tasks = json_array();
	list_for_each(pos, &part->scheduler->tasks) {
		const struct task *task = container_of(pos, struct task, in_scheduler);

		if (task_list_wants(list, task->instance) && task_list_count(part))
			json_array_append_new(part->tasks, task_list_describe(task, now_ns));
	}
	while ((spawn = spawn_next(part->scheduler, spawn)) != NULL) {
		if (task_list_wants(list, spawn->instance) && task_list_count(part))
			json_array_append_new(part->tasks,
				task_list_describe_new(spawn, part->scheduler->index, now_ns));
	}
	wait_edges_of_loop(&part->waits, part->scheduler);
	wait_crossings_of_loop(&part->crossings, part->scheduler);
	part->took_ns = clock_thread_cpu_ns() - began_ns;
	item->run = task_list_on_answer;
	loop_post(list->loop, item);
}

static void
task_list_on_loop_again(struct inbox_item *item)
{
	struct task_list_part *part = container_of(item, struct task_list_part, item);
	int64_t began_ns = clock_thread_cpu_ns();

	wait_edges_of_loop(&part->waits, part->scheduler);
	part->took_ns += clock_thread_cpu_ns() - began_ns;
	item->run = task_list_on_answer;
	loop_post(part->list->loop, item);
}

/* --- on the control thread ---------------------------------------------------------------- */

static json_t *
task_list_silent_loop(const struct task_list *list, unsigned i)
{
	struct status_loop_view view;
	const char *service = NULL;
	int64_t held_ns;
	unsigned id, count = registry_count();

	(void)status_page_loop_is_silent(list->page, i, &view, &held_ns);
	for (id = 0; id < count && view.slot != STATUS_NO_SLOT; id++) {
		if (registry_at((uint16_t)id)->slot == view.slot)
			service = registry_at((uint16_t)id)->name;
	}
	return json_pack("{s:i, s:s, s:o, s:I}", "loop", (int)i, "service", service != NULL ? service : "",
		"task", varlink_text(view.task), "held_ns", (json_int_t)held_ns);
}

/* Turns code addresses into places. */
static void
task_list_look_up(json_t *tasks)
{
	struct source_lines *lines;
	char where[128];
	json_t *task;
	size_t i;

	/* That takes long, and memory. */
	if (json_array_size(tasks) == 0)
		return;
	lines = source_lines_open();
	json_array_foreach(tasks, i, task) {
		json_t *address = json_object_get(task, TASK_LIST_ADDRESS);

		if (address == NULL)
			continue;
		source_lines_find(lines, (uintptr_t)json_integer_value(address), where, sizeof where);
		json_object_del(task, TASK_LIST_ADDRESS);
		if (where[0] != '\0')
			json_object_set_new(task, "where", varlink_text(where));
	}
	source_lines_close(lines);
}

/* Says of each task in a circle in which. */
static void
task_list_mark(json_t *tasks, struct wait_graph *graph)
{
	size_t i, told = 0;
	json_t *task;

	json_array_foreach(tasks, i, task) {
		uint64_t node = wait_task_node((unsigned)json_integer_value(json_object_get(task, "loop")),
			(uint64_t)json_integer_value(json_object_get(task, "id")));
		size_t length;
		uint64_t *circle;
		char *text;

		if (wait_graph_edge(graph, node) == NULL || told == TASK_LIST_DEAD_MAX)
			continue;
		circle = wait_graph_circle(graph, node, &length);
		if (circle == NULL)
			continue;
		told++;
		text = wait_circle_text(graph, circle, length);
		json_object_set_new(task, "deadlock", varlink_text(text));
		free(text);
		free(circle);
	}
}

/* The waits that all the loops told of in this round. */
static void
task_list_gather(struct task_list *list, struct wait_edges *waits)
{
	unsigned i;

	for (i = 0; i < list->count; i++) {
		struct task_list_part *part = &list->parts[i];

		if (part->back && part->round == list->round)
			wait_edges_append(waits, &part->waits);
	}
}

/* What the waits here have to do with those of other cells, if anything; and whether that is all. */
static void
task_list_add_outside(struct task_list *list, json_t *reply)
{
	int64_t most_ns = 0;
	bool partial;
	json_t *outside;
	unsigned i;

	for (i = 0; i < list->count; i++) {
		if (list->parts[i].answered)
			wait_crossings_append(&list->crossings, &list->parts[i].crossings);
	}
	outside = wait_outside_report(&list->waits, &list->crossings, &partial);
	if (outside != NULL)
		json_object_set_new(reply, "waits", outside);
	for (i = 0; i < list->count; i++) {
		const struct task_list_part *part = &list->parts[i];

		partial |= !part->back;
		if (part->back)
			most_ns = part->took_ns > most_ns ? part->took_ns : most_ns;
	}
	json_object_set_new(reply, "partial", json_boolean(partial));
	json_object_set_new(reply, "took_ns", json_integer((json_int_t)most_ns));
}

static void
task_list_send(struct task_list *list, struct wait_graph *graph)
{
	json_t *tasks = json_array(), *silent = json_array(), *reply;
	uint64_t total = 0;
	unsigned i;

	list->sent = true;
	wheel_remove(&list->loop->wheel, &list->timer);
	for (i = 0; i < list->count; i++) {
		if (!list->parts[i].answered) {
			json_array_append_new(silent, task_list_silent_loop(list, i));
			continue;
		}
		json_array_extend(tasks, list->parts[i].tasks);
		total += list->parts[i].total;
	}
	task_list_look_up(tasks);
	if (graph != NULL)
		task_list_mark(tasks, graph);
	reply = json_pack("{s:o, s:o, s:I}", "tasks", tasks, "silent_loops", silent, "total", (json_int_t)total);
	task_list_add_outside(list, reply);
	control_answer(list->control, list->id, reply, -1);
}

static void
task_list_ask(struct task_list *list, struct task_list_part *part, inbox_fn *what)
{
	part->round = list->round;
	part->back = false;
	part->item.run = what;
	list->missing++;
	list->out++;
	loop_post(&part->scheduler->loop, &part->item);
}

static void
task_list_wait(struct task_list *list)
{
	wheel_add(&list->loop->wheel, &list->timer, loop_now(list->loop) + TASK_LIST_WAIT_NS);
}

/* Asks those who answered whether what they wait for is still the same. */
static void
task_list_ask_again(struct task_list *list)
{
	unsigned i;

	list->round = 2;
	list->missing = 0;
	task_list_wait(list);
	for (i = 0; i < list->count; i++) {
		struct task_list_part *part = &list->parts[i];

		if (!part->answered)
			continue;
		wait_edges_finish(&part->waits);
		task_list_ask(list, part, task_list_on_loop_again);
	}
}

/* All have answered, or their time is over. */
static void
task_list_round_is_over(struct task_list *list)
{
	struct wait_edges later = {.count = 0};
	struct wait_graph *graph;

	if (list->round == 1) {
		task_list_gather(list, &list->waits);
		wait_edges_of_queues(&list->waits);
		wait_crossings_of_routes(&list->crossings);
	} else {
		task_list_gather(list, &later);
		wait_edges_keep(&list->waits, &later);
		wait_edges_finish(&later);
	}
	graph = wait_graph_create(&list->waits);
	if (wait_graph_dead(graph) > 0 && list->round == 1)
		task_list_ask_again(list);
	else
		task_list_send(list, graph);
	wait_graph_destroy(graph);
}

static void
task_list_free(struct task_list *list)
{
	unsigned i;

	for (i = 0; i < list->count; i++) {
		json_decref(list->parts[i].tasks);
		wait_edges_finish(&list->parts[i].waits);
		wait_crossings_finish(&list->parts[i].crossings);
	}
	wait_edges_finish(&list->waits);
	wait_crossings_finish(&list->crossings);
	free(list);
}

static void
task_list_on_answer(struct inbox_item *item)
{
	struct task_list_part *part = container_of(item, struct task_list_part, item);
	struct task_list *list = part->list;

	list->out--;
	part->back = true;
	if (!list->sent && part->round == list->round) {
		part->answered = true;
		if (--list->missing == 0)
			task_list_round_is_over(list);
	}
	if (list->sent && list->out == 0)
		task_list_free(list);
}

static void
task_list_on_timeout(struct timer *timer)
{
	task_list_round_is_over(container_of(timer, struct task_list, timer));
}

void
task_list_begin(struct control *control, struct loop *loop, struct executor *executor,
	const struct status_page *page, int64_t id, const struct cell_tasks *asked)
{
	unsigned i, count = executor_count(executor);
	struct task_list *list = xcalloc(1, sizeof *list + count * sizeof list->parts[0]);

	list->control = control;
	list->loop = loop;
	list->page = page;
	list->id = id;
	list->waits_only = asked->waits_only;
	list->all = asked->service == NULL;
	list->service = asked->service != NULL ? registry_get(asked->service) : NULL;
	list->count = count;
	list->round = 1;
	timer_init(&list->timer, task_list_on_timeout);
	task_list_wait(list);
	for (i = 0; i < count; i++) {
		struct task_list_part *part = &list->parts[i];

		part->list = list;
		part->scheduler = executor_scheduler(executor, i);
		task_list_ask(list, part, task_list_on_loop);
	}
}
