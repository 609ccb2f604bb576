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
#include "cell/control.h"
#include "cell/executor.h"
#include "cell/source_line.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"

/* The member that carries a code address from the loop to the control thread. */
#define TASK_LIST_ADDRESS "address"
#define TASK_LIST_WAIT_NS (500 * INT64_C(1000000))

/* What one loop is asked. */
struct task_list_part {
	struct inbox_item item;
	struct task_list *list;
	struct scheduler *scheduler;
	json_t *tasks;
	uint64_t total;
	bool answered;
};

/* Freed when every loop has answered, however late. */
struct task_list {
	struct control *control;
	struct loop *loop;
	const struct status_page *page;
	int64_t id;
	bool all;                            /* or only of: */
	const struct bay_service *service;   /* NULL: there is no such service */
	struct timer timer;
	bool sent;
	unsigned missing;
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
		.parent = (int64_t)task_parent_id(task),
		.canceled = task->canceled,
		.stack_used = (int64_t)stack_used(&task->stack),
	};
	json_t *described = cell_task_to_json(&row);

	/* Looked up later, off the loop. One that is ready has not come back from its await yet. */
	if (described != NULL && task->state != TASK_NEW && task->where != NULL)
		json_object_set_new(described, TASK_LIST_ADDRESS, json_integer((json_int_t)(uintptr_t)task->where));
	return described;
}

static void task_list_on_answer(struct inbox_item *item);

static void
task_list_on_loop(struct inbox_item *item)
{
	struct task_list_part *part = container_of(item, struct task_list_part, item);
	const struct task_list *list = part->list;
	int64_t now_ns = clock_monotonic_ns();

	part->tasks = json_array();
	list_for_each(pos, &part->scheduler->tasks) {
		struct task *task = container_of(pos, struct task, in_scheduler);

		if (!list->all && (task->instance == NULL || task->instance->service != list->service))
			continue;
		if (part->total++ < CELL_TASKS_MAX / list->count)
			json_array_append_new(part->tasks, task_list_describe(task, now_ns));
	}
	item->run = task_list_on_answer;
	loop_post(list->loop, item);
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
	struct source_lines *lines = source_lines_open();
	char where[128];
	json_t *task;
	size_t i;

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

static void
task_list_send(struct task_list *list)
{
	json_t *tasks = json_array(), *silent = json_array();
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
	control_answer(list->control, list->id, json_pack("{s:o, s:o, s:I}", "tasks", tasks,
		"silent_loops", silent, "total", (json_int_t)total), -1);
}

static void
task_list_on_answer(struct inbox_item *item)
{
	struct task_list_part *part = container_of(item, struct task_list_part, item);
	struct task_list *list = part->list;
	unsigned i;

	part->answered = true;
	if (--list->missing > 0)
		return;
	if (!list->sent)
		task_list_send(list);
	for (i = 0; i < list->count; i++)
		json_decref(list->parts[i].tasks);
	free(list);
}

static void
task_list_on_timeout(struct timer *timer)
{
	task_list_send(container_of(timer, struct task_list, timer));
}

void
task_list_begin(struct control *control, struct loop *loop, struct executor *executor,
	const struct status_page *page, int64_t id, const char *service)
{
	unsigned i, count = executor_count(executor);
	struct task_list *list = xcalloc(1, sizeof *list + count * sizeof list->parts[0]);

	list->control = control;
	list->loop = loop;
	list->page = page;
	list->id = id;
	list->all = service == NULL;
	list->service = service != NULL ? registry_get(service) : NULL;
	list->count = count;
	list->missing = count;
	timer_init(&list->timer, task_list_on_timeout);
	wheel_add(&loop->wheel, &list->timer, loop_now(loop) + TASK_LIST_WAIT_NS);
	for (i = 0; i < count; i++) {
		struct task_list_part *part = &list->parts[i];

		part->list = list;
		part->scheduler = executor_scheduler(executor, i);
		part->item.run = task_list_on_loop;
		loop_post(&part->scheduler->loop, &part->item);
	}
}
