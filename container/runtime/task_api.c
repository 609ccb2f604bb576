/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/task.h> that are about one task. */
#include "config.h"

#include <string.h>

#include <bay/scope.h>
#include <bay/task.h>

#include "base/log.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/spawn.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"

const char *
task_name_copy(char copy[24], const char *name)
{
	strncpy(copy, name, 23);
	copy[23] = '\0';
	return copy;
}

void
task_set_name(struct task *task, const char *name)
{
	task->name = task_name_copy(task->name_copy, name);
	task->phase = task_phase(task->scheduler, status_phase_of(task->phase), task->name);
	if (task->spawn != NULL)
		spawn_set_name(task->spawn, name);
}

static struct spawn *
task_spawn(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	const struct scheduler *here = scheduler_here;

	if (fn == NULL) {
		log_error(task_subject(task_current()), "bay_spawn: there is no function to run [misuse-argument]");
		return NULL;
	}
	if (here->may_spawn != NULL && here->current->instance != NULL && !here->may_spawn(here->current->instance))
		return NULL;
	return spawn_create(scope, name, fn, arg);
}

/* When the scope has room. The handle is nobody's where task_r is NULL. */
static int
task_spawn_into(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg,
	struct bay_task **task_r, int64_t deadline)
{
	int status = scope_claim(scope, deadline);
	struct spawn *spawn;

	if (status != BAY_OK)
		return status;
	spawn = task_spawn(scope, name, fn, arg);
	scope_settle(scope);
	if (spawn == NULL)
		return fn == NULL ? BAY_INVALID : BAY_NO_MEMORY;
	if (task_r != NULL)
		*task_r = &spawn->handle;
	else
		spawn->handle.detached = true;
	return BAY_OK;
}

struct bay_task *
bay_spawn(const char *name, bay_task_fn *fn, void *arg)
{
	struct spawn *spawn;

	if (!AWAIT_BEGIN("bay_spawn"))
		return NULL;
	spawn = task_spawn(&task_current()->scope, name, fn, arg);
	return spawn != NULL ? &spawn->handle : NULL;
}

int
bay_go(const char *name, bay_task_fn *fn, void *arg)
{
	if (!AWAIT_BEGIN("bay_go"))
		return BAY_INVALID;
	return task_spawn_into(&task_current()->scope, name, fn, arg, NULL, BAY_INHERIT);
}

static bool
scope_is_given(const struct bay_scope *scope, const char *function)
{
	if (scope == NULL)
		log_error(task_subject(task_current()),
			"%s: NULL was given: was there no memory when it was opened? [misuse-null]", function);
	return scope != NULL;
}

struct bay_task *
bay_scope_spawn(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	struct bay_task *task;

	if (!AWAIT_BEGIN("bay_scope_spawn") || !scope_is_given(scope, "bay_scope_spawn"))
		return NULL;
	return task_spawn_into(scope, name, fn, arg, &task, BAY_INHERIT) == BAY_OK ? task : NULL;
}

int
bay_scope_go(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	if (!AWAIT_BEGIN("bay_scope_go") || !scope_is_given(scope, "bay_scope_go"))
		return BAY_INVALID;
	return task_spawn_into(scope, name, fn, arg, NULL, BAY_INHERIT);
}

int
bay_scope_spawn_with(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg,
	struct bay_task **task_r, int64_t deadline)
{
	if (!AWAIT_BEGIN("bay_scope_spawn_with") || !scope_is_given(scope, "bay_scope_spawn_with"))
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
	if (handle_is_gone(task, "bay_task_status"))
		return BAY_INVALID;
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
	if (task == NULL || handle_is_gone(task, "bay_task_take_reply") || !task->done ||
		task->kind->take_reply == NULL)
		return NULL;
	return task->kind->take_reply(task);
}

void
bay_task_cancel(struct bay_task *task, const char *reason)
{
	if (task != NULL && !handle_is_gone(task, "bay_task_cancel") && !task->done)
		task->kind->cancel(task, reason);
}

void
bay_task_free(struct bay_task *task)
{
	struct task_identity who;

	if (task == NULL || handle_is_gone(task, "bay_task_free"))
		return;
	if (!task->done && task == bay_task_current()) {
		log_error(task_subject(task_current()), "bay_task_free: the running task is its owner's to free [misuse-owner]");
		return;
	}
	if (!task->done && task->waiter != NULL) {
		log_error(task_subject(task_current()),
			"bay_task_free: a task waits for it: the handle belongs to the one who waits [misuse-owner]");
		return;
	}
	if (!task->done) {
		task->collected = true;
		task->kind->cancel(task, "its handle was freed");
	} else if (task->status != BAY_OK && !task->collected && task->scope != NULL) {
		scope_failure_unseen(task->scope, task_subject(task_current()),
			task_identify(task, &who) ? who.name : "call", task->status, task->error);
	}
	if (task->done)
		list_remove(&task->in_scope);
	task->kind->release(task);
}
