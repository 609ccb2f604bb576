/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What few tasks have: callbacks for their end, task-local values, deadlines of blocks. It stands among the
 * task's open scopes, so that the end of a task that has none of it need not ask.
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_TASK_EXTRA_H
#define BAY_RUNTIME_TASK_EXTRA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/traceparent.h"

struct bay_instance;
struct bay_task;
struct locals;
struct scheduler;
struct task;

/* See bay_deadline_push(). */
struct deadline_block {
	struct deadline_block *outer;  /* around it, or NULL */
	int64_t outer_ns;              /* the task's deadline around it */
	int64_t own_ns;
};

struct task_extra {
	struct list in_task;     /* in task->scopes, or in none while the task ends */
	struct list callbacks;   /* oldest first */
	struct locals *locals;   /* shared with other tasks, or NULL */
	struct traceparent trace; /* that it works for, without a request; see service/trace.h */
	bool has_span;           /* trace.parent is its own */
	struct deadline_block *blocks; /* that it is in, innermost first, or NULL */
};

/* The task's own, made at first use. */
struct task_extra *task_extra(struct task *task);

/* The same for one that has no stack yet; and for when it gets one. */
struct task_extra *task_extra_make(struct task_extra **extra);
void task_extra_give(struct task *task, struct task_extra *extra);

/* A new task begins with what its parent has that is handed on. NULL: nothing. */
void task_extra_inherit(struct task_extra **extra, const struct task_extra *parent);

/* A task ends with this status: calls back with its handle, gives up the values, frees. On its
 * own stack if it has one. */
void task_extra_end(struct task_extra **extra_r, struct bay_task *handle, struct bay_instance *instance,
	int status);

/* The task's function has returned: its blocks end. See <bay/deadline.h>. */
void task_extra_end_blocks(struct task *self);

/* Plugin code that runs between these has no task: whatever it calls, it cannot wait. */
struct task_hush {
	struct task *current;
	bool was_hushed;
	const struct bay_instance *instance;
};

struct task_hush task_hush_begin(struct scheduler *here, struct bay_instance *instance);
void task_hush_end(struct scheduler *here, struct task_hush hush);

/* One task more has the values that are here, or NULL: a new task begins with those of its
 * parent. See <bay/local.h>. */
struct locals *locals_share(const struct task_extra *extra);

/* One task fewer has them; NULL is allowed. */
void locals_unref(struct locals *locals);

#endif
