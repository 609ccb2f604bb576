/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tasks there are, and how they are called: <bay/task.h>. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <bay/task.h>

#include "base/log.h"
#include "runtime/scheduler.h"
#include "runtime/spawn.h"
#include "runtime/task.h"
#include "runtime/waitable.h"

_Static_assert(sizeof ((struct bay_task_info *)0)->name == sizeof ((struct task *)0)->name_copy,
	"a name fits");

const char *
task_waiting_on(const struct task *task, char *text, size_t size)
{
	if (task->state != TASK_WAITING || task->awaiting == NULL)
		return NULL;
	if (waitable_describe(task, text, size))
		return text;
	if (task->waiter == NULL || task->waiter->on == NULL)
		return task->awaiting;
	snprintf(text, size, "%s %s", task->awaiting, task->waiter->on);
	return text;
}

uint64_t
task_parent_id(const struct bay_task *handle)
{
	const struct bay_scope *scope = handle->scope;

	return scope != NULL && scope->owner != NULL ? scope->owner->id : 0;
}

/* The running task, unless a leaf runs on its stack. */
static struct task *
task_info_current(void)
{
	struct scheduler *here = scheduler_here;

	return here != NULL && here->leaf == NULL ? here->current : NULL;
}

static void
task_info_fill(struct bay_task_info *info, const struct task *task)
{
	char text[sizeof info->waiting_on];
	const char *on = task_waiting_on(task, text, sizeof text);

	memset(info, 0, sizeof *info);
	info->id = task->id;
	info->parent = task_parent_id(task->handle);
	info->started_ns = task->started_ns;
	info->state = task->state == TASK_READY ? BAY_TASK_READY
		: task->state == TASK_WAITING ? BAY_TASK_WAITING : BAY_TASK_RUNNING;
	info->canceled = task->canceled != NULL;
	snprintf(info->name, sizeof info->name, "%s", task->name);
	snprintf(info->waiting_on, sizeof info->waiting_on, "%s", on != NULL ? on : "");
}

/* One that waits for its first turn. */
static void
task_info_fill_new(struct bay_task_info *info, const struct spawn *spawn)
{
	memset(info, 0, sizeof *info);
	info->id = spawn->id;
	info->parent = task_parent_id(&spawn->handle);
	info->started_ns = spawn->started_ns;
	info->state = BAY_TASK_READY;
	info->canceled = spawn->canceled != NULL;
	snprintf(info->name, sizeof info->name, "%s", spawn->name);
}

/* The next one of the instance after one, or the first after NULL. */
static const struct spawn *
task_info_next_new(const struct task *self, const struct spawn *after)
{
	do
		after = spawn_next(self->scheduler, after);
	while (after != NULL && after->instance != self->instance);
	return after;
}

/* The next task of the instance after one, or the first after NULL. Those that have never
 * left the processor stand in no list: they are self and, up from it, who waits for an eager
 * callee to come back. */
static struct task *
task_info_next(const struct task *self, struct task *after)
{
	struct list *tasks = &self->scheduler->tasks;
	struct task *task = after;
	struct list *pos;

	if (task == NULL || !list_empty(&task->in_scheduler)) {
		for (pos = task == NULL ? tasks->next : task->in_scheduler.next; pos != tasks; pos = pos->next) {
			task = container_of(pos, struct task, in_scheduler);
			if (task->instance == self->instance)
				return task;
		}
		task = (struct task *)self;
	} else {
		task = task->caller;
	}
	while (task != NULL && (!list_empty(&task->in_scheduler) || task->instance != self->instance))
		task = task->caller;
	return task;
}

/* --- public ------------------------------------------------------------------- */

struct bay_task *
bay_task_current(void)
{
	struct task *self = task_info_current();

	return self != NULL ? self->handle : NULL;
}

uint64_t
bay_task_id(const struct bay_task *task)
{
	struct task_identity who;

	return task != NULL && task_identify(task, &who) ? who.id : 0;
}

const char *
bay_task_name(const struct bay_task *task)
{
	struct task_identity who;

	return task != NULL && task_identify(task, &who) ? who.name : "";
}

int
bay_task_rename(struct bay_task *task, const char *name)
{
	struct task_identity who;
	struct task *of;

	if (task == NULL || name == NULL || task->done || !task_identify(task, &who))
		return BAY_INVALID;
	of = task_of_handle(task);
	if (of == NULL) {
		spawn_set_name(spawn_of_handle(task), name);
		return BAY_OK;
	}
	task_set_name(of, name);
	if (of == of->scheduler->current)
		atomic_store_explicit(&of->scheduler->status->phase, of->phase, memory_order_relaxed);
	return BAY_OK;
}

size_t
bay_task_list(struct bay_task_info *infos, size_t size)
{
	const struct task *self = task_info_current();
	const struct spawn *spawn = NULL;
	struct task *task = NULL;
	size_t count = 0;

	if (self == NULL)
		return 0;
	while ((task = task_info_next(self, task)) != NULL) {
		if (count < size)
			task_info_fill(&infos[count], task);
		count++;
	}
	while ((spawn = task_info_next_new(self, spawn)) != NULL) {
		if (count < size)
			task_info_fill_new(&infos[count], spawn);
		count++;
	}
	return count;
}

int
bay_task_cancel_id(uint64_t id, const char *reason)
{
	const struct task *self = task_info_current();
	const struct spawn *spawn = NULL;
	struct task *task = NULL;

	if (self == NULL)
		return BAY_INVALID;
	while ((task = task_info_next(self, task)) != NULL) {
		if (task->id == id) {
			task_cancel(task, reason);
			return BAY_OK;
		}
	}
	while ((spawn = task_info_next_new(self, spawn)) != NULL) {
		if (spawn->id == id) {
			spawn->handle.kind->cancel((struct bay_task *)&spawn->handle, reason);
			return BAY_OK;
		}
	}
	return BAY_NOT_FOUND;
}
