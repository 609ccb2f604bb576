/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/task.h> that are about one task. */
#include "config.h"

#include <string.h>

#include <bay/scope.h>
#include <bay/task.h>

#include "base/log.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"

void
task_set_name(struct task *task, const char *name)
{
	struct status_name packed;

	_Static_assert(sizeof packed == sizeof task->name_copy, "strncpy fills both up with zeroes");
	strncpy(task->name_copy, name, sizeof task->name_copy - 1);
	task->name_copy[sizeof task->name_copy - 1] = '\0';
	task->name = task->name_copy;
	memcpy(&packed, task->name_copy, sizeof packed);
	task->phase = status_loop_phase(task->scheduler->status, status_phase_of(task->phase), &packed);
}

static struct task *
task_spawn(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	struct task *self = task_current();
	struct task *task;
	struct task_spec spec;

	if (fn == NULL) {
		log_error(task_subject(self), "bay_spawn: there is no function to run");
		return NULL;
	}
	spec.name = TASK_NAMELESS;
	spec.fn = fn;
	spec.arg = arg;
	spec.ended = NULL;
	spec.scope = scope;
	spec.instance = self->instance;
	/* It must not point to a request that it may outlive. */
	spec.request = scope->owner != NULL ? scope->owner->request : NULL;
	spec.timeout_ns = 0;
	spec.deadline = scope->owner != NULL ? task_deadline(self, scope->deadline) : BAY_INHERIT;
	spec.slot = self->slot;
	spec.phase = status_phase_of(self->phase) | self->scheduler->nameless;
	spec.class = self->class;
	task = task_create(self->scheduler, &spec);
	if (task == NULL)
		return NULL;
	if (name != NULL)
		task_set_name(task, name);
	if (__builtin_expect(self->extra != NULL, 0))
		locals_inherit(task, self);
	task_start(task);
	return task;
}

/* When the scope has room. The handle is nobody's where task_r is NULL. */
static int
task_spawn_into(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg,
	struct bay_task **task_r, int64_t deadline)
{
	int status = scope_claim(scope, deadline);
	struct task *task;

	if (status != BAY_OK)
		return status;
	task = task_spawn(scope, name, fn, arg);
	scope_settle(scope);
	if (task == NULL)
		return fn == NULL ? BAY_INVALID : BAY_NO_MEMORY;
	if (task_r != NULL)
		*task_r = &task->handle;
	else
		task->handle.detached = true;
	return BAY_OK;
}

struct bay_task *
bay_spawn(const char *name, bay_task_fn *fn, void *arg)
{
	struct task *task;

	if (!AWAIT_BEGIN("bay_spawn"))
		return NULL;
	task = task_spawn(&task_current()->scope, name, fn, arg);
	return task != NULL ? &task->handle : NULL;
}

int
bay_go(const char *name, bay_task_fn *fn, void *arg)
{
	if (!AWAIT_BEGIN("bay_go"))
		return BAY_INVALID;
	return task_spawn_into(&task_current()->scope, name, fn, arg, NULL, BAY_INHERIT);
}

struct bay_task *
bay_scope_spawn(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	struct bay_task *task;

	if (scope == NULL || !AWAIT_BEGIN("bay_scope_spawn"))
		return NULL;
	return task_spawn_into(scope, name, fn, arg, &task, BAY_INHERIT) == BAY_OK ? task : NULL;
}

int
bay_scope_go(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	if (scope == NULL || !AWAIT_BEGIN("bay_scope_go"))
		return BAY_INVALID;
	return task_spawn_into(scope, name, fn, arg, NULL, BAY_INHERIT);
}

int
bay_scope_spawn_with(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg,
	struct bay_task **task_r, int64_t deadline)
{
	if (scope == NULL || !AWAIT_BEGIN("bay_scope_spawn_with"))
		return BAY_INVALID;
	return task_spawn_into(scope, name, fn, arg, task_r, deadline);
}

/* Switches to one look at the clock, which costs as much as one; divides the budget. */
#define YIELD_SWITCHES 16

/* When nobody else is ready, the yield is there for what the loop has. */
static bool
yield_should_pause(const struct scheduler *scheduler)
{
	return (scheduler->ready_head == NULL || scheduler->budget % YIELD_SWITCHES == 0) &&
		scheduler_poll_is_due(scheduler);
}

/* A yield that is refused is one all the same: who yields in a loop lets others run. */
static int
yield_refused(int status)
{
	task_pause();
	return status;
}

int
bay_yield(void)
{
	struct task *self = task_current();

	if (!AWAIT_BEGIN("bay_yield"))
		return BAY_INVALID;
	if (self->canceled != NULL)
		return yield_refused(BAY_CANCELED);
	if (task_deadline(self, BAY_INHERIT) <= self->scheduler->loop.now_ns)
		return yield_refused(BAY_TIMEOUT);
	if (yield_should_pause(self->scheduler))
		task_pause();
	else
		task_yield();
	return self->canceled != NULL ? BAY_CANCELED : BAY_OK;
}

const char *
bay_cancel_reason(void)
{
	struct task *self = task_current();

	return self != NULL ? self->canceled : NULL;
}

int64_t
bay_deadline(void)
{
	const struct scheduler *here = scheduler_here;
	struct task *self = task_current();

	if (self == NULL)
		return BAY_INHERIT;
	return task_deadline(self, here->leaf != NULL ? here->leaf_deadline(here->leaf) : BAY_INHERIT);
}

bool
bay_task_done(const struct bay_task *task)
{
	return task == NULL || task->done;
}

int
bay_task_status(const struct bay_task *task)
{
	if (task == NULL)
		return BAY_NO_MEMORY;
	if (!task->done)
		return BAY_BUSY;
	((struct bay_task *)task)->collected = true;
	return task->status;
}

const char *
bay_task_error(const struct bay_task *task)
{
	if (task == NULL)
		return "there was no memory to start it";
	return task->error != NULL ? task->error : "";
}

struct bay_message *
bay_task_take_reply(struct bay_task *task)
{
	if (task == NULL || !task->done || task->kind->take_reply == NULL)
		return NULL;
	return task->kind->take_reply(task);
}

void
bay_task_cancel(struct bay_task *task, const char *reason)
{
	if (task != NULL && !task->done)
		task->kind->cancel(task, reason);
}

void
bay_task_free(struct bay_task *task)
{
	struct task *self;

	if (task == NULL)
		return;
	if (!task->done && task == bay_task_current()) {
		log_error(task_subject(task_current()), "bay_task_free: the running task is its owner's to free");
		return;
	}
	if (!task->done && task->waiter != NULL) {
		log_error(task_subject(task_current()),
			"bay_task_free: a task waits for it: the handle belongs to the one who waits");
		return;
	}
	if (!task->done) {
		task->collected = true;
		task->kind->cancel(task, "its handle was freed");
	} else if (task->status != BAY_OK && !task->collected && task->scope != NULL) {
		self = task_of_handle(task);
		scope_failure_unseen(task->scope, self != NULL ? self->name : "call", task->status, task->error);
	}
	if (task->done)
		list_remove(&task->in_scope);
	task->kind->release(task);
}
