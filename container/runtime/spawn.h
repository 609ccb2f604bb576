/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task as its owner has it: what it is to do until its first turn, how it ended from its end
 * on. It has a stack, and is a struct task, only in between:
 *
 *	spawn ---> [ struct spawn in the ready list ] first turn ---> [ struct task, on a stack ]
 *	join  <--- [ status and text in its handle  ] <-------------- ends, the stack is free
 *
 * So a stack goes from a task that ends straight to the next that begins, as warm as it is: ten
 * thousand that are spawned at once and never wait need one. Who was given no handle needs none
 * of this any more once he has a stack.
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_SPAWN_H
#define BAY_RUNTIME_SPAWN_H

#include <stdint.h>

#include <bay/task.h>

#include "runtime/handle.h"
#include "runtime/scheduler.h"

struct bay_instance;
struct bay_request;
struct stack_class;
struct task;
struct task_extra;

/* Three cache lines; the last is for those who are named. */
struct spawn {
	struct bay_task handle;       /* first: a handle of this kind is its spawn */
	struct ready ready;           /* .task: the task while it has a stack, or NULL */
	bay_task_fn *fn;
	void *arg;
	struct bay_instance *instance;/* see struct task */
	struct bay_request *request;
	int64_t deadline;
	struct stack_class *class;
	const char *name;             /* borrowed for its life, or name_copy */
	char *canceled;               /* before it began: the reason, malloc'd, or NULL */
	struct task_extra *extra;     /* before it began: callbacks and values, or NULL */
	uint32_t slot;
	uint32_t phase;
	uint64_t id;
	int64_t started_ns;           /* by the loop's clock */
	char name_copy[24];
};

/* How many there may be of a loop at a time, as there may be stacks. */
#define SPAWN_MAX (4u << 20)

/* What the running task spawns into a scope, in the ready list; NULL without memory. name may be
 * NULL. */
struct spawn *spawn_create(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg);

/* Its first turn: gives it a stack. NULL: there is none, so it has ended with BAY_NO_MEMORY. */
struct task *spawn_begin(struct scheduler *scheduler, struct spawn *spawn);

/* Nobody wants to know any more how it ended. */
void spawn_free(struct spawn *spawn);

/* Its task has ended, and the handle says how; it may be gone after this. */
static inline void
spawn_end(struct spawn *spawn)
{
	spawn->ready.task = NULL;
	if (spawn->handle.detached)
		spawn_free(spawn);
}

/* Keeps a copy, cut at 23 bytes. */
void spawn_set_name(struct spawn *spawn, const char *name);

/* The spawn of a handle, or NULL when it is something else. */
struct spawn *spawn_of_handle(struct bay_task *handle);

/* Those that wait for their first turn, in its order: the next after one, or the first after
 * NULL. */
const struct spawn *spawn_next(const struct scheduler *scheduler, const struct spawn *after);

#endif
