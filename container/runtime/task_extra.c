/* SPDX-License-Identifier: BSD-2-Clause */
/* The callbacks of <bay/task.h>, and where they and the task-local values are kept. */
#include "config.h"

#include "runtime/task_extra.h"

#include <stdlib.h>

#include <bay/task.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/task.h"

struct callback {
	struct list link;
	bay_task_end_fn *fn;
	void *arg;
};

struct task_extra *
task_extra(struct task *task)
{
	struct task_extra *extra = task->extra;

	if (extra != NULL)
		return extra;
	extra = xcalloc(1, sizeof *extra);
	list_init(&extra->callbacks);
	list_push_back(&task->scopes, &extra->in_task);
	task->extra = extra;
	return extra;
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
callback_run(struct task *task, bay_task_end_fn *fn, int status, void *arg)
{
	struct scheduler *here = task->scheduler;
	struct task_hush hush = task_hush_begin(here, task->instance);

	fn(&task->handle, status, arg);
	task_hush_end(here, hush);
}

void
task_extra_end(struct task *self, int status)
{
	struct task_extra *extra = self->extra;
	struct list *first;

	/* A callback may add another, or take one away. */
	while ((first = list_first(&extra->callbacks)) != NULL) {
		struct callback *callback = container_of(first, struct callback, link);

		list_remove(&callback->link);
		callback_run(self, callback->fn, status, callback->arg);
		free(callback);
	}
	self->extra = NULL;
	list_remove(&extra->in_task);
	locals_unref(extra->locals);
	free(extra);
}

/* --- public ------------------------------------------------------------------- */

/* The task behind a handle, or NULL with a line in the log. */
static struct task *
callback_task(struct bay_task *handle, const char *function)
{
	struct task *task = handle != NULL ? task_of_handle(handle) : NULL;

	if (task == NULL)
		log_error(task_subject(task_current()),
			"%s: %s: only tasks call back when they end", function,
			handle == NULL ? "NULL was given" : "that is a started call");
	return task;
}

int
bay_task_add_callback(struct bay_task *task, bay_task_end_fn *fn, void *arg)
{
	struct task *of = callback_task(task, "bay_task_add_callback");
	struct task_extra *extra;
	struct callback *callback;

	if (of == NULL || fn == NULL)
		return BAY_INVALID;
	if (task->done) {
		callback_run(of, fn, task->status, arg);
		return BAY_OK;
	}
	extra = task_extra(of);
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
	struct task *of = callback_task(task, "bay_task_remove_callback");
	size_t removed = 0;

	if (of == NULL || of->extra == NULL)
		return 0;
	list_for_each_safe(pos, &of->extra->callbacks) {
		struct callback *callback = container_of(pos, struct callback, link);

		if (callback->fn != fn || callback->arg != arg)
			continue;
		list_remove(&callback->link);
		free(callback);
		removed++;
	}
	return removed;
}
