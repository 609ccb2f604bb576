/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/lock.h"
#include "runtime/scheduler.h"
#include "runtime/spawn.h"
#include "runtime/task_extra.h"

#if defined(BAY_ASAN)
#include <sanitizer/asan_interface.h>
#endif

static void task_handle_cancel(struct bay_task *handle, const char *reason);
static void task_handle_release(struct bay_task *handle);

const struct handle_kind task_kind = {
	.cancel = task_handle_cancel,
	.release = task_handle_release,
	.shares_memory = true,
};

static inline struct task *
task_of_own_handle(struct bay_task *handle)
{
	return container_of(handle, struct task, own_handle);
}

struct task *
task_of_handle(struct bay_task *handle)
{
	const struct spawn *spawn = spawn_of_handle(handle);

	if (spawn != NULL)
		return spawn->ready.task;
	return handle->kind == &task_kind ? task_of_own_handle(handle) : NULL;
}

static const char *
task_subject_of(const struct bay_instance *instance)
{
	const struct scheduler *here = scheduler_here;

	return instance != NULL && here != NULL && here->subject != NULL ? here->subject(instance) : NULL;
}

const char *
task_subject(const struct task *task)
{
	return task != NULL ? task_subject_of(task->instance) : NULL;
}

bool
task_identify(const struct bay_task *handle, struct task_identity *identity_r)
{
	const struct spawn *spawn = spawn_of_handle((struct bay_task *)handle);
	const struct task *task = spawn == NULL ? task_of_handle((struct bay_task *)handle) : NULL;

	if (spawn == NULL && task == NULL)
		return false;
	identity_r->id = spawn != NULL ? spawn->id : task->id;
	identity_r->name = spawn != NULL ? spawn->name : task->name;
	identity_r->instance = spawn != NULL ? spawn->instance : task->instance;
	identity_r->subject = task_subject_of(identity_r->instance);
	return true;
}

void
task_fix_deadline(struct task *task)
{
	int64_t now_ns = loop_now(&task->scheduler->loop);

	if (task->timeout_ns < task->deadline - now_ns)
		task->deadline = now_ns + task->timeout_ns;
	task->timeout_ns = 0;
}

static void task_leave(struct task *self);

/* Below a parked stack pointer, for all that a compiler may keep there. */
enum { TASK_RED_ZONE_BYTES = 128 };

/* --- poison ------------------------------------------------------------------- */

#if defined(BAY_ASAN)
static size_t
task_free_bytes(const struct task *task)
{
	const uint8_t *sp = fiber_parked_sp(&task->fiber);

	return sp != NULL ? (size_t)(sp - task->stack.low) - TASK_RED_ZONE_BYTES : 0;
}

void
task_poison(struct task *task)
{
	__asan_poison_memory_region(task->stack.low, task_free_bytes(task));
}

void
task_unpoison(struct task *task)
{
	__asan_unpoison_memory_region(task->stack.low, task_free_bytes(task));
}

/* Whoever runs next poisons the stack of a task that has ended: it could not do so itself. */
static inline void
task_arrive(struct scheduler *scheduler)
{
	if (scheduler->left != NULL)
		task_poison(scheduler->left);
	scheduler->left = NULL;
}

static inline void
task_depart(struct task *self)
{
	self->scheduler->left = self;
}
#else
static inline void
task_arrive(struct scheduler *scheduler)
{
	(void)scheduler;
}

static inline void
task_depart(struct task *self)
{
	(void)self;
}
#endif

/* --- life ------------------------------------------------------------------- */

static int
task_never_begins(void *arg)
{
	(void)arg;
	return BAY_CANCELED;
}

static bool
task_has_on_stack(const struct task *self, const void *arg)
{
	return (uintptr_t)arg >= (uintptr_t)self->stack.low && (uintptr_t)arg < (uintptr_t)self->stack.top;
}

/* The frame of self's function is gone. Of those who were given a pointer into it, one that has
 * not begun never does; that another one goes on is at least said. */
static void
task_forsake_scope(const struct task *self, struct bay_scope *scope)
{
	list_for_each(pos, &scope->handles) {
		struct bay_task *handle = container_of(pos, struct bay_task, in_scope);
		struct spawn *spawn = spawn_of_handle(handle);
		const struct task *task = task_of_handle(handle);

		if (handle->done)
			continue;
		if (spawn != NULL && task == NULL && task_has_on_stack(self, spawn->arg))
			spawn->fn = task_never_begins;
		else if (task != NULL && task_has_on_stack(self, task->arg))
			log_error(task_subject(self), "task %s goes on with what task %s, which has returned, had on its "
				"stack: close its scope or join it before [misuse-freed]", task->name, self->name);
	}
	if (!scope_is_empty(scope))
		scope_cancel(scope, "its owner has ended");
}

/* Everything that the task opened is closed before it ends: nothing outlives it. */
static __attribute__((noinline)) void
task_close_scopes(struct task *self, int status)
{
	if (self->extra != NULL) {
		list_remove(&self->extra->in_task);
		task_extra_end_blocks(self);
	}
	/* All of them before the first wait, in which the tasks of the others run. */
	list_for_each(pos, &self->scopes)
		task_forsake_scope(self, container_of(pos, struct bay_scope, in_task));
	task_forsake_scope(self, &self->scope);
	while (!list_empty(&self->scopes)) {
		struct bay_scope *scope = container_of(list_first(&self->scopes), struct bay_scope, in_task);

		/* Made while we waited. */
		if (self->extra != NULL && list_first(&self->scopes) == &self->extra->in_task) {
			list_remove(&self->extra->in_task);
			continue;
		}
		log_warn(task_subject(self), "task %s ended with an open scope: it is cancelled and closed", self->name);
		scope_wait(scope, "its owner has ended");
		scope_finish(scope);
		free(scope);
	}
	if (!scope_is_empty(&self->scope)) {
		scope_wait(&self->scope, "its owner has ended");
		scope_release(&self->scope);
	}
	if (self->extra != NULL)
		task_extra_end(&self->extra, self->handle, self->instance, status);
}

/* The end of a task that failed, or whose own tasks were cancelled. One that was asked to end
 * owes nobody an explanation, unless it was asked because of a failure below it: then that
 * failure goes on upwards. */
static __attribute__((noinline)) void
task_end_badly(struct task *self, int status)
{
	struct bay_scope *owner = self->handle->scope;
	char *error = NULL;

	if (status != BAY_OK) {
		error = self->scope.error;
		self->scope.error = NULL;
		self->handle->collected |= self->canceled != NULL && error == NULL;
		if (self->handle->detached && owner != NULL && !self->handle->collected)
			scope_failure_unseen(owner, task_subject(self), self->name,
				error != NULL && status == BAY_CANCELED ? self->scope.status : status, error);
	}
	scope_finish(&self->scope);
	handle_end(self->handle, status, error);
}

/* One life: what the task is for, from its first instruction to its last. */
static inline void
task_live(struct task *self)
{
	int status = self->fn(self->arg);

	/* First, since what it started may wait for them. */
	if (__builtin_expect(self->locks != NULL, 0))
		lock_abandon_all(self);
	if (__builtin_expect(!scope_is_empty(&self->scope) || !list_empty(&self->scopes), 0))
		task_close_scopes(self, status);
	if (self->ended != NULL)
		self->ended(self, status);
	self->state = TASK_DONE;
	if (!list_empty(&self->in_scheduler))
		list_remove(&self->in_scheduler);
	self->scheduler->task_count--;
	if (self->counted)
		scheduler_count_task(self->scheduler, self->slot, (uint64_t)-1);
	if (__builtin_expect(status != BAY_OK || self->scope.canceled != NULL, 0))
		task_end_badly(self, status);
	else
		handle_end(self->handle, BAY_OK, NULL);
	if (self->spawn != NULL) {
		spawn_end(self->spawn);
		self->spawn = NULL;
		self->handle = &self->own_handle;
		task_bury(self);
	} else if (self->own_handle.detached) {
		task_bury(self);
	}
}

/* The first thing on a new stack. A stack keeps its fiber from one task to the next, parked
 * here: that is most of what makes a warm stack warm. */
static void
task_main(void *arg)
{
	struct task *self = arg;

	for (;;) {
		task_arrive(self->scheduler);
		task_live(self);
		task_leave(self);
		if (self->fn == NULL)
			fiber_exit_to(&self->fiber, &self->scheduler->idle);
	}
}

struct task *
task_carve(struct scheduler *scheduler, struct stack_class *class)
{
	struct stack stack;
	struct task *task;

	if (!stack_take(class->pool, &stack))
		return NULL;
	task = (struct task *)((uintptr_t)(stack.top - sizeof *task) & ~(uintptr_t)63);
	memset(task, 0, sizeof *task);
	task->class = class;
	task->stack = stack;
	task->scheduler = scheduler;
	handle_init(&task->own_handle, &handle_gone);
	task->handle = &task->own_handle;
	task->ready.task = task;
	scope_init(&task->scope, task, BAY_INHERIT);
	list_init(&task->scopes);
	list_init(&task->in_scheduler);
	wait_init_timer(&task->timer);
	fiber_init(&task->fiber, stack.low, task, task_main, task);
	return task;
}

void
task_log_no_stack(const struct scheduler *scheduler, const struct stack_class *class)
{
	log_error(task_subject(scheduler->current), "no stack for a new task: %s", stack_pool_error(class->pool));
}

uint32_t
task_phase(struct scheduler *scheduler, enum status_phase phase, const char *name)
{
	struct status_name packed = status_name_make(name);

	return status_loop_phase(scheduler->status, phase, &packed);
}

void
task_join_scope(struct task *task, struct bay_scope *scope)
{
	scope_adopt(scope, task->handle);
	if (scope->canceled != NULL)
		task->canceled = xstrdup(scope->canceled);
}

/* As every task has been at the end: what it may have got, it has given back. */
static inline void
task_clear(struct task *task)
{
	handle_finish(&task->own_handle);
	if (timer_armed(&task->timer))
		wheel_remove(&task->scheduler->loop.wheel, &task->timer);
	if (task->canceled != NULL || task->call_error != NULL) {
		free(task->canceled);
		free(task->call_error);
		task->canceled = NULL;
		task->call_error = NULL;
	}
}

void
task_set_error(struct task *task, char *error)
{
	free(task->call_error);
	task->call_error = error;
}

void
task_bury(struct task *task)
{
	task_clear(task);
	task->own_handle.kind = &handle_gone;
	graveyard_add(&task->class->graves, &task->grave, task->scheduler->loop.now_ns);
}

/* --- running ---------------------------------------------------------------- */

void
task_start(struct task *task)
{
	list_push_back(&task->scheduler->tasks, &task->in_scheduler);
	task_make_ready(task);
	task->state = TASK_NEW;
}

/* Its first turn, which only fails without memory. */
static inline struct task *
task_next(struct scheduler *scheduler)
{
	struct ready *ready;
	struct task *task;

	while ((ready = scheduler->ready_head) != NULL && scheduler->budget > 0) {
		scheduler->budget--;
		scheduler->slice = SCHEDULER_SLICE;
		scheduler->ready_head = ready->next;
		if (__builtin_expect(ready->task != NULL, 1))
			return container_of(ready, struct task, ready);
		task = spawn_begin(scheduler, container_of(ready, struct spawn, ready));
		if (task != NULL)
			return task;
	}
	return NULL;
}

struct task *
task_take_ready(struct scheduler *scheduler)
{
	return task_next(scheduler);
}

/* Who runs when self does not: its eager caller, the next ready task, or, as NULL,
 * the idle fiber. */
static inline struct task *
task_successor(struct scheduler *scheduler, struct task *self)
{
	struct task *next = self->caller;

	if (next != NULL) {
		self->caller = NULL;
		return next;
	}
	return task_next(scheduler);
}

static inline void
task_enter(struct scheduler *scheduler, struct task *next)
{
	scheduler->current = next;
	scheduler->switches++;
	next->state = TASK_RUNNING;
	atomic_store_explicit(&scheduler->status->slot, next->slot, memory_order_relaxed);
	atomic_store_explicit(&scheduler->status->phase, next->phase, memory_order_relaxed);
}

static inline void
task_enter_idle(struct scheduler *scheduler)
{
	scheduler->current = NULL;
	atomic_store_explicit(&scheduler->status->slot, STATUS_NO_SLOT, memory_order_relaxed);
	atomic_store_explicit(&scheduler->status->phase, STATUS_PHASE_IDLE, memory_order_relaxed);
}

/* Off the processor, until somebody switches back to self. The list of tasks is only looked at
 * while it is: a task that never is need not stand in it. */
static void
task_switch_away(struct task *self)
{
	struct scheduler *scheduler = self->scheduler;
	struct task *next;

	if (__builtin_expect(list_empty(&self->in_scheduler), 0))
		list_push_back(&scheduler->tasks, &self->in_scheduler);
	next = task_successor(scheduler, self);

	if (next == self) {
		self->state = TASK_RUNNING;
		return;
	}
	if (next == NULL) {
		task_enter_idle(scheduler);
		fiber_switch(&self->fiber, &scheduler->idle);
	} else {
		task_enter(scheduler, next);
		fiber_switch(&self->fiber, &next->fiber);
	}
	task_arrive(scheduler);
}

void
task_park(struct task *self)
{
	self->state = TASK_WAITING;
	task_switch_away(self);
}

void
task_yield(void)
{
	struct task *self = scheduler_here->current;

	task_make_ready(self);
	task_switch_away(self);
}

void
task_pause(void)
{
	scheduler_here->budget = 0;
	task_yield();
}

/* The end of a task: its fiber stays parked for the next one on this stack, unless that is the
 * next of all and goes on here. */
static void
task_leave(struct task *self)
{
	struct scheduler *scheduler = self->scheduler;
	struct task *next = task_successor(scheduler, self);

	if (next == self) {
		task_enter(scheduler, self);
		return;
	}
	task_depart(self);
	if (next == NULL) {
		task_enter_idle(scheduler);
		fiber_switch(&self->fiber, &scheduler->idle);
	} else {
		task_enter(scheduler, next);
		fiber_switch(&self->fiber, &next->fiber);
	}
}

/* Not what its parked fiber stands on, nor its record. */
void
task_probe(struct task *task)
{
	const uint8_t *sp = fiber_parked_sp(&task->fiber);

	task->probed = sp != NULL && stack_cool_below(&task->stack, sp - TASK_RED_ZONE_BYTES);
}

size_t
task_stack_used(struct task *task)
{
	bool probed = task->probed;

	task->probed = false;
	return probed ? stack_used(&task->stack) : 0;
}

void
task_destroy(struct task *grave)
{
	struct scheduler *scheduler = grave->scheduler;
	struct stack stack = grave->stack;
	struct stack_class *class = grave->class;

	grave->fn = NULL;
	task_unpoison(grave);
	fiber_switch(&scheduler->idle, &grave->fiber);
	fiber_finish(&grave->fiber);
	stack_cool(class->pool, &stack);
	stack_give(class->pool, stack);
}

bool
task_run_eagerly(struct task *task)
{
	struct scheduler *scheduler = task->scheduler;
	struct task *self = scheduler->current;

	task->caller = self;
	task_enter(scheduler, task);
	fiber_switch(&self->fiber, &task->fiber);
	task_arrive(scheduler);
	return task->state == TASK_DONE;
}

void
task_run_from_idle(struct scheduler *scheduler, struct task *task)
{
	task_enter(scheduler, task);
	fiber_switch(&scheduler->idle, &task->fiber);
	task_arrive(scheduler);
}

/* --- cancelling and handles --------------------------------------------------- */

char *
task_reason_copy(const char *reason)
{
	return xstrndup(reason != NULL ? reason : "cancelled", 63);
}

void
task_cancel(struct task *task, const char *reason)
{
	if (task->state == TASK_DONE || task->canceled != NULL)
		return;
	task->canceled = task_reason_copy(reason);
	if (task->waiter != NULL && task->waiter->kind == AWAIT_CANCELABLE)
		waiter_interrupt(task->waiter, BAY_CANCELED);
}

static void
task_handle_cancel(struct bay_task *handle, const char *reason)
{
	task_cancel(task_of_own_handle(handle), reason);
}

static void
task_handle_release(struct bay_task *handle)
{
	if (handle->done)
		task_bury(task_of_own_handle(handle));
	else
		handle->detached = true;
}
