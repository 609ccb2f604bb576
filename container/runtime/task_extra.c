/* SPDX-License-Identifier: BSD-2-Clause */
/* The callbacks of <bay/task.h>, and where they and the task-local values are kept. */
#include "config.h"

#include "runtime/task_extra.h"

#include <stdlib.h>

#include <bay/task.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/spawn.h"
#include "runtime/task.h"

struct callback {
	struct list link;
	bay_task_end_fn *fn;
	void *arg;
};

struct task_extra *
task_extra_make(struct task_extra **extra)
{
	if (*extra != NULL)
		return *extra;
	*extra = xcalloc(1, sizeof **extra);
	list_init(&(*extra)->in_task);
	list_init(&(*extra)->callbacks);
	return *extra;
}

void
task_extra_give(struct task *task, struct task_extra *extra)
{
	task->extra = extra;
	list_push_back(&task->scopes, &extra->in_task);
}

struct task_extra *
task_extra(struct task *task)
{
	if (task->extra == NULL)
		task_extra_give(task, task_extra_make(&task->extra));
	return task->extra;
}

void
task_extra_inherit(struct task_extra **extra, const struct task_extra *parent)
{
	struct locals *locals = parent != NULL ? locals_share(parent) : NULL;

	if (locals != NULL)
		task_extra_make(extra)->locals = locals;
	if (parent != NULL && !trace_id_is_none(&parent->trace.id))
		task_extra_make(extra)->trace = parent->trace;
}

struct task_hush
task_hush_begin(struct scheduler *here, struct bay_instance *instance)
{
	struct task_hush hush = {here->current, here->hushed, here->hushed_for};

	here->current = NULL;
	here->hushed = true;
	here->hushed_for = instance;
	return hush;
}

void
task_hush_end(struct scheduler *here, struct task_hush hush)
{
	here->current = hush.current;
	here->hushed = hush.was_hushed;
	here->hushed_for = (struct bay_instance *)hush.instance;
}

static void
callback_run(struct bay_task *handle, struct bay_instance *instance, bay_task_end_fn *fn, int status,
	void *arg)
{
	struct scheduler *here = scheduler_here;
	struct task_hush hush = task_hush_begin(here, instance);

	fn(handle, status, arg);
	task_hush_end(here, hush);
}

void
task_extra_end(struct task_extra **extra_r, struct bay_task *handle, struct bay_instance *instance, int status)
{
	struct task_extra *extra = *extra_r;
	struct list *first;

	/* A callback may add another, or take one away. */
	while ((first = list_first(&extra->callbacks)) != NULL) {
		struct callback *callback = container_of(first, struct callback, link);

		list_remove(&callback->link);
		callback_run(handle, instance, callback->fn, status, callback->arg);
		free(callback);
	}
	*extra_r = NULL;
	list_remove(&extra->in_task);
	locals_unref(extra->locals);
	free(extra);
}

/* --- public ------------------------------------------------------------------- */

/* Whether it is a task's; the log says so when not. */
static bool
callback_is_for_task(struct bay_task *handle, struct task_identity *who, const char *function)
{
	bool is_task = handle != NULL && task_identify(handle, who);

	if (!is_task)
		log_error(task_subject(task_current()),
			"%s: %s: only tasks call back when they end [misuse-argument]", function,
			handle == NULL ? "NULL was given" : "that is a started call");
	return is_task;
}

/* Where those of a task stand that has not ended: with its stack, or before it has one. */
static struct task_extra **
callback_extra(struct bay_task *handle)
{
	struct task *task = task_of_handle(handle);

	return task != NULL ? &task->extra : &spawn_of_handle(handle)->extra;
}

static struct task_extra *
callback_make_extra(struct bay_task *handle)
{
	struct task *task = task_of_handle(handle);

	return task != NULL ? task_extra(task) : task_extra_make(callback_extra(handle));
}

int
bay_task_add_callback(struct bay_task *task, bay_task_end_fn *fn, void *arg)
{
	struct task_identity who;
	struct task_extra *extra;
	struct callback *callback;

	if (!callback_is_for_task(task, &who, "bay_task_add_callback") || fn == NULL)
		return BAY_INVALID;
	if (task->done) {
		callback_run(task, who.instance, fn, task->status, arg);
		return BAY_OK;
	}
	extra = callback_make_extra(task);
	callback = alloc_try(sizeof *callback);
	if (callback == NULL)
		return BAY_NO_MEMORY;
	callback->fn = fn;
	callback->arg = arg;
	list_push_back(&extra->callbacks, &callback->link);
	return BAY_OK;
}

size_t
bay_task_remove_callback(struct bay_task *task, bay_task_end_fn *fn, void *arg)
{
	struct task_identity who;
	struct task_extra *extra;
	size_t removed = 0;

	if (!callback_is_for_task(task, &who, "bay_task_remove_callback") || task->done)
		return 0;
	extra = *callback_extra(task);
	if (extra == NULL)
		return 0;
	list_for_each_safe(pos, &extra->callbacks) {
		struct callback *callback = container_of(pos, struct callback, link);

		if (callback->fn != fn || callback->arg != arg)
			continue;
		list_remove(&callback->link);
		free(callback);
		removed++;
	}
	return removed;
}
