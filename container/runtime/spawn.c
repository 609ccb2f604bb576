/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/spawn.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/slab.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"

_Static_assert(sizeof(struct spawn) == 192, "three cache lines");

static void spawn_handle_cancel(struct bay_task *handle, const char *reason);
static void spawn_handle_release(struct bay_task *handle);

static const struct handle_kind spawn_kind = {
	.cancel = spawn_handle_cancel,
	.release = spawn_handle_release,
	.shares_memory = true,
};

struct spawn *
spawn_of_handle(struct bay_task *handle)
{
	return handle->kind == &spawn_kind ? (struct spawn *)handle : NULL;
}

void
spawn_set_name(struct spawn *spawn, const char *name)
{
	spawn->name = task_name_copy(spawn->name_copy, name);
	spawn->phase = task_phase(scheduler_here, status_phase_of(spawn->phase), spawn->name);
}

/* What few have. */
static __attribute__((noinline)) void
spawn_inherit(struct spawn *spawn, const struct task *self)
{
	task_extra_inherit(&spawn->extra, self->extra);
	if (spawn->handle.scope->canceled != NULL)
		spawn->canceled = xstrdup(spawn->handle.scope->canceled);
}

struct spawn *
spawn_create(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg)
{
	struct scheduler *scheduler = scheduler_here;
	struct task *self = scheduler->current;
	struct spawn *spawn = slab_take(&scheduler->spawns);

	if (spawn == NULL)
		return NULL;
	handle_init(&spawn->handle, &spawn_kind);
	spawn->fn = fn;
	spawn->arg = arg;
	spawn->instance = self->instance;
	/* It must not point to a request that it may outlive. */
	spawn->request = scope->owner != NULL ? scope->owner->request : NULL;
	spawn->deadline = scope->owner != NULL ? task_deadline(self, scope->deadline) : BAY_INHERIT;
	spawn->class = self->class;
	spawn->name = TASK_NAMELESS;
	spawn->canceled = NULL;
	spawn->extra = NULL;
	spawn->slot = self->slot;
	spawn->phase = status_phase_of(self->phase) | scheduler->nameless;
	spawn->id = ++scheduler->next_task_id;
	spawn->started_ns = scheduler->loop.now_ns;
	scheduler->task_count++;
	scheduler_count_task(scheduler, spawn->slot, 1);
	scope_adopt(scope, &spawn->handle);
	if (name != NULL)
		spawn_set_name(spawn, name);
	if (__builtin_expect(self->extra != NULL || scope->canceled != NULL, 0))
		spawn_inherit(spawn, self);
	spawn->ready.task = NULL;
	ready_push(scheduler, &spawn->ready);
	return spawn;
}

/* --- its first turn ------------------------------------------------------------------ */

void
spawn_free(struct spawn *spawn)
{
	handle_finish(&spawn->handle);
	spawn->handle.kind = &handle_gone;
	if (spawn->canceled != NULL)
		free(spawn->canceled);
	slab_give(&scheduler_here->spawns, spawn);
}

/* It ends before it began, as what it is to do would have by failing so. */
static void
spawn_fail(struct spawn *spawn)
{
	struct bay_scope *scope = spawn->handle.scope;
	char *error = xasprintf("no stack for it: %s", stack_pool_error(spawn->class->pool));
	struct task_identity who;

	/* Nobody runs. */
	(void)task_identify(&spawn->handle, &who);
	if (spawn->extra != NULL)
		task_extra_end(&spawn->extra, &spawn->handle, spawn->instance, BAY_NO_MEMORY);
	scheduler_here->task_count--;
	scheduler_count_task(scheduler_here, spawn->slot, (uint64_t)-1);
	spawn->handle.collected |= spawn->canceled != NULL;
	if (spawn->handle.detached && scope != NULL && !spawn->handle.collected)
		scope_failure_unseen(scope, who.subject, who.name, BAY_NO_MEMORY, error);
	handle_end(&spawn->handle, BAY_NO_MEMORY, error);
	spawn_end(spawn);
}

/* From now on the task alone is what was spawned: nobody holds the handle. */
static void
spawn_move_handle(struct spawn *spawn, struct task *task)
{
	struct bay_scope *scope = spawn->handle.scope;

	handle_renew(&task->own_handle);
	task->own_handle.kind = &task_kind;
	task->own_handle.detached = true;
	task->own_handle.collected = spawn->handle.collected;
	task->own_handle.scope = scope;
	if (scope != NULL)
		list_insert_before(&spawn->handle.in_scope, &task->own_handle.in_scope);
	spawn_free(spawn);
}

struct task *
spawn_begin(struct scheduler *scheduler, struct spawn *spawn)
{
	struct task *task = task_take(scheduler, spawn->class);

	if (__builtin_expect(task == NULL, 0)) {
		spawn_fail(spawn);
		return NULL;
	}
	task->instance = spawn->instance;
	task->fn = spawn->fn;
	task->ended = NULL;
	task->timeout_ns = 0;
	task->id = spawn->id;
	task->canceled = spawn->canceled;
	task->slot = spawn->slot;
	task->counted = true;
	/* Two neighbours copied at once would have to wait for the two stores that made them. */
	atomic_signal_fence(memory_order_seq_cst);
	task->request = spawn->request;
	task->arg = spawn->arg;
	task->deadline = spawn->deadline;
	task->phase = spawn->phase;
	task->started_ns = spawn->started_ns;
	task->name = spawn->name != spawn->name_copy ? spawn->name : task_name_copy(task->name_copy, spawn->name_copy);
	spawn->canceled = NULL;
	if (__builtin_expect(spawn->extra != NULL, 0)) {
		task_extra_give(task, spawn->extra);
		spawn->extra = NULL;
	}
	if (spawn->handle.detached) {
		spawn_move_handle(spawn, task);
	} else {
		task->handle = &spawn->handle;
		task->spawn = spawn;
		spawn->ready.task = task;
	}
	return task;
}

/* --- its handle ----------------------------------------------------------------------- */

static void
spawn_handle_cancel(struct bay_task *handle, const char *reason)
{
	struct spawn *spawn = (struct spawn *)handle;

	if (spawn->ready.task != NULL)
		task_cancel(spawn->ready.task, reason);
	else if (spawn->canceled == NULL)
		spawn->canceled = task_reason_copy(reason);
}

static void
spawn_handle_release(struct bay_task *handle)
{
	if (handle->done)
		spawn_free((struct spawn *)handle);
	else
		handle->detached = true;
}

const struct spawn *
spawn_next(const struct scheduler *scheduler, const struct spawn *after)
{
	struct ready *ready = after != NULL ? after->ready.next : scheduler->ready_head;

	while (ready != NULL && ready->task != NULL)
		ready = ready->next;
	return ready != NULL ? container_of(ready, struct spawn, ready) : NULL;
}
