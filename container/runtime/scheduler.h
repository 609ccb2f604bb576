/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the tasks of one thread. A pass: ready tasks within a budget, then what
 * other threads posted, then work of the floor above (find_work), then libevent,
 * by time. A task that parks switches straight to the next ready one; the thread's
 * own stack only runs the passes.
 *
 *	          ready list              parks / ends / yields
 *	wake ---> [t1][t2][t3] ---> running ---> next of the list, or the caller that
 *	                                          ran it eagerly, or the idle fiber
 *
 * One scheduler a thread; owning thread only, except scheduler_stop().
 */
#ifndef BAY_RUNTIME_SCHEDULER_H
#define BAY_RUNTIME_SCHEDULER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slab.h"
#include "base/status_page.h"
#include "fiber/fiber.h"
#include "fiber/stack.h"
#include "loop/loop.h"
#include "runtime/graveyard.h"

struct bay_instance;
struct bay_request;
struct scheduler;
struct task;

/* Calls that a task may make before it goes behind the others. */
#define SCHEDULER_SLICE 256
/* Distinct stack sizes of one scheduler. */
#define SCHEDULER_STACK_CLASSES 16

/* Stacks of one size, with those of tasks that ended not long ago kept warm in front. */
struct stack_class {
	struct stack_pool *pool;
	size_t bytes;
	struct graveyard graves; /* struct task.grave */
};

/* What stands in the ready list: a task that goes on, or what was spawned and begins (struct spawn). */
struct ready {
	struct ready *next;
	struct task *task;             /* whose struct it is in; NULL: a spawn */
};

/* What a task waited in, of the last ones of all tasks: for reports of one that is stuck. */
#define SCHEDULER_AWAITS 32

struct scheduler_await {
	const char *function; /* NULL: none yet */
	const void *where;
	uint64_t task_id;
};

/* Starts what waits above; returns whether anything was. */
typedef bool scheduler_find_work_fn(struct scheduler *scheduler, void *arg);

/* What the log calls those whose code is run: "service NAME", borrowed. The floor above knows. */
typedef const char *scheduler_subject_fn(const struct bay_instance *instance);

/* Whether an instance may let nobody in for the time being. */
typedef bool scheduler_held_back_fn(const struct bay_instance *instance);

/* Whether an instance may have one task more. */
typedef bool scheduler_may_spawn_fn(const struct bay_instance *instance);

/* The deadline of what a leaf handler serves. The floor above knows. */
typedef int64_t scheduler_leaf_deadline_fn(const struct bay_request *leaf);

/* What every switch and call touches comes first: the loop is 24 KiB long. */
struct scheduler {
	struct task *current;          /* NULL: the idle fiber runs */
	int slice;                     /* calls left */
	int budget;                    /* switches left in this pass */
	unsigned await_count;          /* of those that awaits[] tells the last of */
	struct bay_request *leaf;      /* a leaf handler runs on the current task's stack */
	const char *leaf_awaits;       /* the function in which the leaf tried to wait */
	struct ready *ready_head;
	struct ready *ready_tail;
	struct status_loop *status;    /* who runs, for the master to read; own_status at first */
	struct status_counters *figures; /* of the first slot on this loop, or NULL: nobody counts; ... */
	size_t figures_step;           /* ... and bytes from there to the next slot's */
	struct hop_ring *hops;         /* likewise: requests that are traced */
	uint32_t nameless;             /* TASK_NAMELESS as part of a phase (status_loop_phase) */
	unsigned index;
	unsigned class_count;
	size_t task_count;
	uint64_t switches;
	uint64_t next_task_id;
	uint64_t random;               /* state of scheduler_random */
	uint64_t trace_high;           /* of the ids of all traces that begin here */
	bool singly;                   /* a task a pass: see scheduler_run_singly() */
	uint64_t shuffle;              /* state of the order of ready tasks; 0: as they come */
	size_t round;                  /* ready tasks of this round that have not run yet */
	bool hushed;                   /* plugin code runs that may not wait, */
	struct bay_instance *hushed_for; /* of this instance: see task_hush_begin() */
	struct slab_pool spawns;       /* struct spawn */
	struct list tasks;             /* struct task.in_scheduler: those that have a stack */
	struct list belongings;        /* struct belonging.link, the latest first */
	struct fiber idle;
	struct loop loop;
	struct stack_class classes[SCHEDULER_STACK_CLASSES];
	scheduler_find_work_fn *find_work;
	void *find_work_arg;
	scheduler_subject_fn *subject; /* or NULL: log lines about tasks have no subject */
	scheduler_may_spawn_fn *may_spawn; /* or NULL: all may */
	scheduler_held_back_fn *held_back; /* or NULL: none is */
	scheduler_leaf_deadline_fn *leaf_deadline; /* NULL: there are no leaves */
	struct scheduler_await awaits[SCHEDULER_AWAITS];
	unsigned find_work_turn;       /* its own, for taking turns */
	atomic_bool stopping;
	uint64_t passes;
#if defined(BAY_ASAN)
	struct task *left;             /* ended, and its stack is not poisoned yet */
#endif
	struct status_loop own_status;
};

/* The scheduler of this thread, or NULL. */
extern __thread struct scheduler *scheduler_here __attribute__((tls_model("initial-exec")));

/* Prepares the scheduler of the calling thread; index is its loop's number. False
 * without memory or descriptors. */
bool scheduler_init(struct scheduler *scheduler, unsigned index, const char *name);

/* Where to write who runs, for as long as the scheduler lives. Before the first task. */
void scheduler_set_status(struct scheduler *scheduler, struct status_loop *status);

/* Where to count the tasks of each service. Likewise. */
void scheduler_set_figures(struct scheduler *scheduler, const struct status_page *page);

/* A slot's figures on this loop, or NULL. */
static inline struct status_counters *
scheduler_figures(const struct scheduler *scheduler, uint32_t slot)
{
	if (scheduler->figures == NULL || slot == STATUS_NO_SLOT)
		return NULL;
	return (struct status_counters *)((char *)scheduler->figures + slot * scheduler->figures_step);
}

/* One task of a service more, or (uint64_t)-1 less: not one that handles a request. */
static inline void
scheduler_count_task(const struct scheduler *scheduler, uint32_t slot, uint64_t n)
{
	struct status_counters *figures = scheduler_figures(scheduler, slot);

	if (figures != NULL)
		status_add(&figures->tasks, n);
}

/* Ends what belongs to it and frees; no task may be left. */
void scheduler_finish(struct scheduler *scheduler);

/* Runs until scheduler_stop(), and then what was posted before that. */
void scheduler_run(struct scheduler *scheduler);

/* Runs until nothing is ready, once: for tests and benchmarks. */
void scheduler_run_ready(struct scheduler *scheduler);

/*
 * For tests: only one task is run in each pass, so that find_work sees the moment after each.
 * With a seed (not 0) those that are ready run in an order that it determines, each once
 * before any of them runs again. Before the first task.
 */
void scheduler_run_singly(struct scheduler *scheduler, uint64_t seed);

/* Ends scheduler_run() after the pass. Any thread. */
void scheduler_stop(struct scheduler *scheduler);

/* Lets scheduler_run() run again after it has been stopped. */
void scheduler_rearm(struct scheduler *scheduler);

/* Whether the loop should have been asked by now for what it has: tasks that work for long
 * between two awaits that do not wait must not keep it for a whole budget of them. */
bool scheduler_poll_is_due(const struct scheduler *scheduler);

/* The class of stacks of this many bytes, made at first use; NULL when there are
 * too many sizes or no memory. */
struct stack_class *scheduler_stack_class(struct scheduler *scheduler, size_t bytes);

/* Puts it at the end of the ready list. */
static inline void
ready_push(struct scheduler *scheduler, struct ready *ready)
{
	ready->next = NULL;
	if (scheduler->ready_head == NULL)
		scheduler->ready_head = ready;
	else
		scheduler->ready_tail->next = ready;
	scheduler->ready_tail = ready;
}

/* A number that is hard to meet twice (xorshift64*): trace ids, sampling. */
static inline uint64_t
scheduler_random(struct scheduler *scheduler)
{
	uint64_t x = scheduler->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	scheduler->random = x;
	return x * UINT64_C(0x2545F4914F6CDD1D);
}

#endif
