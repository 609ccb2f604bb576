/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task: a coroutine with a stack of its own, pinned to one scheduler. Its record
 * lies at the top of its own stack, so a parked task touches about one page. What a task
 * spawns gets its stack at its first turn: see spawn.h.
 *
 *	top  +-----------------------+
 *	     | struct task           |
 *	     +-----------------------+
 *	     | frames, growing down  |
 *	     |          v            |
 *	low  +-----------------------+
 *	     | guard                 |
 *	     +-----------------------+
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_TASK_H
#define BAY_RUNTIME_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/task.h>

#include "base/list.h"
#include "fiber/fiber.h"
#include "fiber/stack.h"
#include "loop/timer.h"
#include "runtime/handle.h"
#include "runtime/scheduler.h"
#include "runtime/scope.h"
#include "runtime/wait.h"

struct bay_instance;
struct bay_lock;
struct bay_request;
struct scheduler;
struct spawn;
struct stack_class;
struct task;
struct task_extra;

/* Called on the task's own stack when all that it spawned has ended, as its last deed. */
typedef void task_ended_fn(struct task *task, int status);

enum task_state {
	TASK_NEW,       /* has not run yet: in the ready list, or about to be */
	TASK_READY,     /* in the ready list again */
	TASK_RUNNING,   /* on the processor, or waiting for an eager callee to come back */
	TASK_WAITING,   /* parked in an await */
	TASK_DONE
};

/* What every task touches comes first, what only some need last. */
struct task {
	struct bay_task *handle;      /* own_handle, or its spawn's */
	struct ready ready;
	enum task_state state;
	struct fiber fiber;
	struct scheduler *scheduler;
	struct task *caller;          /* ran us eagerly and goes on when we park or end */
	struct waiter *waiter;        /* what it is parked on, or NULL */
	struct bay_instance *instance;/* whose code it runs; NULL: the container's own */
	struct bay_request *request;  /* that it serves or works for, or NULL */
	bay_task_fn *fn;
	void *arg;
	task_ended_fn *ended;         /* or NULL */
	int64_t deadline;             /* absolute; BAY_INHERIT: none */
	int64_t timeout_ns;           /* becomes a deadline at the first wait; 0: none */
	uint32_t slot;                /* for the status page: whose code it runs, */
	uint32_t phase;               /* what for, and its name (status_loop_phase) */
	bool counted;                 /* among its service's tasks, which handlers are not: see there */
	bool probed;                  /* how much of its stack it uses is measured */
	uint32_t waits;               /* how many there were on this stack, to tell one from another */
	char *canceled;               /* the reason, malloc'd; NULL: not cancelled */
	char *call_error;             /* why its last call, look-up or transfer failed, malloc'd,
	                               * or NULL */
	const char *awaiting;         /* public function it waits in, or NULL */
	const void *where;            /* its caller's address */
	struct list in_scheduler;     /* in scheduler->tasks, once it has been off the processor */
	const char *name;             /* borrowed for its life, or name_copy */
	int64_t started_ns;           /* by the loop's clock */
	uint64_t id;
	struct grave grave;
	struct stack_class *class;
	struct list scopes;           /* opened by it and not closed; and extra */
	struct bay_lock *locks;       /* that it owns, the latest, or NULL */
	struct task_extra *extra;     /* callbacks and values, or NULL */
	struct spawn *spawn;          /* as which somebody has its handle, or NULL */
	struct bay_task own_handle;
	struct bay_scope scope;       /* of what it spawns */
	int64_t wake_ns;              /* when the wait ends at the latest, or BAY_INHERIT */
	struct timer timer;           /* see wait_init_timer */
	struct stack stack;
	char name_copy[24];
};

/* The name of a task that nobody named. */
#define TASK_NAMELESS "task"

/* What a new task is made of. */
struct task_spec {
	const char *name;               /* borrowed for the task's life */
	bay_task_fn *fn;
	void *arg;
	task_ended_fn *ended;           /* or NULL */
	struct bay_scope *scope;        /* owner, or NULL */
	struct bay_instance *instance;
	struct bay_request *request;
	int64_t deadline;
	int64_t timeout_ns;
	uint32_t slot;                  /* or STATUS_NO_SLOT */
	uint32_t phase;                 /* enum status_phase, or task_phase() of the name */
	bool counted;
	struct stack_class *class;
};

/* Of the handles of tasks that nobody spawned, until they are buried. */
extern const struct handle_kind task_kind;

/* The slow parts of task_create: makes a record on a fresh stack, as task_bury leaves one, or
 * NULL; gives a task its owner. */
struct task *task_carve(struct scheduler *scheduler, struct stack_class *class);
void task_join_scope(struct task *task, struct bay_scope *scope);
void task_log_no_stack(const struct scheduler *scheduler, const struct stack_class *class);

/* What lies below the parked fiber of an ended task belongs to nobody: for ASan. Unpoison before
 * it runs again. */
#if defined(BAY_ASAN)
void task_poison(struct task *task);
void task_unpoison(struct task *task);
#else
static inline void
task_unpoison(struct task *task)
{
	(void)task;
}
#endif

/* A stack with a record on which the lines below need not set what task_bury leaves as it should
 * be; its own handle is gone until somebody is to hold it. NULL without memory. */
static inline struct task *
task_take(struct scheduler *scheduler, struct stack_class *class)
{
	struct grave *grave = graveyard_take(&class->graves);
	struct task *task;

	if (__builtin_expect(grave != NULL, 1)) {
		task = container_of(grave, struct task, grave);
		task_unpoison(task);
	} else {
		task = task_carve(scheduler, class);
		if (task == NULL)
			return NULL;
	}
	task->state = TASK_NEW;
	task->awaiting = NULL;
	task->where = NULL;
	return task;
}

/* A new task that is not ready yet, or NULL without memory, with a line in the log. Inline, so
 * that nobody has to write a spec down. */
static inline struct task *
task_create(struct scheduler *scheduler, const struct task_spec *spec)
{
	struct task *task = task_take(scheduler, spec->class);

	if (__builtin_expect(task == NULL, 0)) {
		task_log_no_stack(scheduler, spec->class);
		return NULL;
	}
	handle_renew(&task->own_handle);
	task->own_handle.kind = &task_kind;
	task->instance = spec->instance;
	task->request = spec->request;
	task->fn = spec->fn;
	task->arg = spec->arg;
	task->ended = spec->ended;
	task->deadline = spec->deadline;
	task->timeout_ns = spec->timeout_ns;
	task->slot = spec->slot;
	task->phase = spec->phase;
	task->counted = spec->counted;
	task->name = spec->name;
	task->started_ns = scheduler->loop.now_ns;
	task->id = ++scheduler->next_task_id;
	scheduler->task_count++;
	if (spec->counted)
		scheduler_count_task(scheduler, spec->slot, 1);
	if (spec->scope != NULL)
		task_join_scope(task, spec->scope);
	return task;
}

/* The phase of tasks with this name, for those who make many. */
uint32_t task_phase(struct scheduler *scheduler, enum status_phase phase, const char *name);

/* Puts a new task into the list of the scheduler's tasks and at the end of the ready list. */
void task_start(struct task *task);

/* Puts a parked task at the end of the ready list. */
static inline void
task_make_ready(struct task *task)
{
	task->state = TASK_READY;
	ready_push(task->scheduler, &task->ready);
}

/* The next task that is ready, which leaves the list, unless the pass is over; NULL: none. What was
 * spawned begins. */
struct task *task_take_ready(struct scheduler *scheduler);

/* Runs a new task now, on its own stack, until it first parks or ends; then we go on. True:
 * it has ended. Inside a task. */
bool task_run_eagerly(struct task *task);

/* The same for the idle fiber. */
void task_run_from_idle(struct scheduler *scheduler, struct task *task);

/* Takes the memory of a new task's stack away, so that task_stack_used() tells in its end how much
 * of it was needed: 0 when that is not so. System calls. */
void task_probe(struct task *task);
size_t task_stack_used(struct task *task);

/* Parks the running task, which is self; somebody makes it ready again. */
void task_park(struct task *self);

/* Puts a task that has ended among the warm stacks of its class, for the next one. */
void task_bury(struct task *task);

/* Gives the stack of a buried task back to its pool, and its memory to the kernel. From the
 * idle fiber. */
void task_destroy(struct task *grave);

/* Remembers why its last call, look-up or transfer failed; takes error, NULL: it did not. */
void task_set_error(struct task *task, char *error);

/* A copy of a name, cut at 23 bytes and filled up with zeroes, which it returns; of why somebody
 * is cancelled, cut at 63 bytes, malloc'd. */
const char *task_name_copy(char copy[24], const char *name);
char *task_reason_copy(const char *reason);

/* Keeps a copy, cut at 23 bytes, and shows it in the status page when the task runs next. */
void task_set_name(struct task *task, const char *name);

/* What it waits for, and for whom; or the function that it waits in and, where that has one,
 * the name of what it waits for. NULL while it does not wait. Text is room for it. */
const char *task_waiting_on(const struct task *task, char *text, size_t size);

/* Of the task whose scope owns it, or 0. */
uint64_t task_parent_id(const struct bay_task *handle);

/* Cancels with a reason; wakes it when it waits in a cancelable await. */
void task_cancel(struct task *task, const char *reason);

/* Lets everybody else run once. Inside a task; suspends. */
void task_yield(void);

/* The same and lets the loop look at its timers, inbox and queues: for a task that has gone on
 * for long. Inside a task; suspends. */
void task_pause(void);

/* The running task, or NULL: on a thread without a scheduler or between tasks. */
static inline struct task *
task_current(void)
{
	return scheduler_here != NULL ? scheduler_here->current : NULL;
}

/* Makes a deadline of a timeout. */
void task_fix_deadline(struct task *task);

/* The earlier of deadline and the running task's own, which it fixes first when it
 * is still a timeout. Inside a task. */
static inline int64_t
task_deadline(struct task *task, int64_t deadline)
{
	if (__builtin_expect(task->timeout_ns != 0, 0))
		task_fix_deadline(task);
	return deadline < task->deadline ? deadline : task->deadline;
}

/* Bytes of the task's stack below something that lies in the running frame. */
static inline size_t
task_stack_below(const struct task *task, const void *in_frame)
{
	return (size_t)((uintptr_t)in_frame - (uintptr_t)task->stack.low);
}

/* Whose task it is, for the log: "service NAME". NULL for one of the container's own, and for
 * NULL. Borrowed. */
const char *task_subject(const struct task *task);

/* The task of a handle; NULL when it is something else, or has no stack (yet, or any more). */
struct task *task_of_handle(struct bay_task *handle);

/* Who a handle stands for, whether it has a stack or not. */
struct task_identity {
	uint64_t id;
	const char *name;               /* borrowed until it is renamed or freed */
	struct bay_instance *instance;
	const char *subject;            /* see task_subject() */
};

/* False: it is not a task's. */
bool task_identify(const struct bay_task *handle, struct task_identity *identity_r);

#endif
