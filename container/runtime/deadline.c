/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/deadline.h>. The blocks of a task stand in its extra part. */
#include "config.h"

#include <bay/deadline.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"
#include "runtime/wait.h"

static int64_t
deadline_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
bay_deadline_push(int64_t deadline)
{
	struct deadline_block *block;
	struct task_extra *extra;
	struct task *self;

	if (!AWAIT_BEGIN("bay_deadline_push"))
		return BAY_INVALID;
	self = task_current();
	extra = task_extra(self);
	block = xcalloc(1, sizeof *block);
	block->outer = extra->blocks;
	block->outer_ns = task_deadline(self, BAY_INHERIT);
	block->own_ns = deadline;
	extra->blocks = block;
	self->deadline = deadline_earlier(deadline, block->outer_ns);
	return BAY_OK;
}

/* The innermost block of the running task; NULL, and a line in the log, when there is none. */
static struct deadline_block *
deadline_innermost(const char *function)
{
	const struct task *self = task_current();

	if (self->extra != NULL && self->extra->blocks != NULL)
		return self->extra->blocks;
	log_error(task_subject(self), "%s: task %s is in no block (bay_deadline_push) [misuse-argument]", function, self->name);
	return NULL;
}

int
bay_deadline_move(int64_t deadline)
{
	struct deadline_block *block;

	if (!AWAIT_BEGIN("bay_deadline_move"))
		return BAY_INVALID;
	block = deadline_innermost("bay_deadline_move");
	if (block == NULL)
		return BAY_INVALID;
	block->own_ns = deadline;
	task_current()->deadline = deadline_earlier(deadline, block->outer_ns);
	return BAY_OK;
}

int
bay_deadline_pop(void)
{
	struct deadline_block *block;
	struct task *self;
	bool own;

	if (!AWAIT_BEGIN("bay_deadline_pop"))
		return BAY_INVALID;
	self = task_current();
	block = deadline_innermost("bay_deadline_pop");
	if (block == NULL)
		return BAY_INVALID;
	/* By the clock that awaits go by. */
	own = block->own_ns < block->outer_ns && block->own_ns <= self->scheduler->loop.now_ns;
	self->deadline = block->outer_ns;
	self->extra->blocks = block->outer;
	free(block);
	return own ? BAY_TIMEOUT : BAY_OK;
}

void
task_extra_end_blocks(struct task *self)
{
	struct deadline_block *block;

	while ((block = self->extra->blocks) != NULL) {
		self->deadline = block->outer_ns;
		self->extra->blocks = block->outer;
		free(block);
	}
}

/* --- shield ---------------------------------------------------------------------------- */

/* Its scope is in no list, so nobody cancels it; it only says whose the task is. */
static struct task *
shield_task(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	struct task *self = task_current();
	struct task_spec spec = {
		.name = TASK_NAMELESS,
		.fn = fn,
		.arg = arg,
		.scope = scope,
		.instance = self->instance,
		.request = self->request,
		.deadline = scope->deadline,
		.slot = self->slot,
		.phase = status_phase_of(self->phase) | self->scheduler->nameless,
		.counted = true,
		.class = self->class,
	};
	struct task *task = task_create(self->scheduler, &spec);
	struct task_extra *extra = NULL;

	if (task == NULL)
		return NULL;
	if (name != NULL)
		task_set_name(task, name);
	task_extra_inherit(&extra, self->extra);
	if (extra != NULL)
		task_extra_give(task, extra);
	return task;
}

/* Waits for what goes on by itself. */
static void
shield_await(struct task *task)
{
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_TO_THE_END);
	task->handle->waiter = &waiter;
	(void)task_await(&waiter, BAY_INHERIT);
}

int
bay_shield(const char *name, bay_task_fn *fn, void *arg, int64_t deadline)
{
	struct bay_scope scope;
	struct task *self, *task;
	int status;

	if (!AWAIT_BEGIN("bay_shield"))
		return BAY_INVALID;
	self = task_current();
	if (fn == NULL || deadline == BAY_INHERIT) {
		log_error(task_subject(self), "bay_shield: %s [misuse-argument]", fn == NULL ? "there is no function to run" :
			"what no cancellation ends needs a deadline of its own");
		return BAY_INVALID;
	}
	scope_init(&scope, self, deadline);
	task = shield_task(&scope, name, fn, arg);
	if (task == NULL)
		return BAY_NO_MEMORY;
	if (!task_run_eagerly(task))
		shield_await(task);
	status = task->handle->status;
	task->handle->collected = true;
	list_remove(&task->handle->in_scope);
	task->handle->kind->release(task->handle);
	/* Whoever always shields what never waits would otherwise never let anybody else run. */
	return await_refused(self, status);
}
