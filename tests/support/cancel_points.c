/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/cancel_points.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"
#include "runtime/wait.h"
#include "support/check_main.h"

enum { STACK_BYTES = 256 << 10, POINTS_MAX = 2000, SWEEPS = 24 };

enum whom { ROOT, WHO_AWAITS };
enum when { BEFORE_THE_OTHERS, AFTER_THE_OTHERS };
enum how { CANCEL, EXPIRE };

struct way {
	enum whom whom;
	enum when when;
	enum how how;
};

/* One run. What is atomic is met by all loops, the rest belongs to the root's. */
static struct {
	struct way way;
	unsigned at;                  /* the point of this run */
	const struct points_scenario *scenario;
	atomic_uint passed;           /* points so far */
	atomic_bool counting;
	atomic_bool disturbed;
	_Atomic(struct waiter *) cut_short;
	struct scheduler *scheduler;  /* of the root */
	struct task *root;            /* NULL: before it and after it */
	struct inbox_item item;       /* brings the disturbance from another loop */
	uint64_t tasks_before;
	uint64_t switches_before;
	atomic_uint in_place;         /* points at which nobody else could run */
} run;

/* --- the disturbance -------------------------------------------------------------------- */

static bool
waits_cancelably(const struct task *task)
{
	return task->waiter != NULL && task->waiter->kind == AWAIT_CANCELABLE;
}

/* How an await ends that is disturbed. */
static int
points_status(void)
{
	return run.way.how == CANCEL ? BAY_CANCELED : BAY_TIMEOUT;
}

/* As if its deadline were now: the timer fires. */
static void
expire(struct task *task)
{
	struct deadline_block *block;

	task->timeout_ns = 0;
	task->deadline = task->scheduler->loop.now_ns;
	for (block = task->extra != NULL ? task->extra->blocks : NULL; block != NULL; block = block->outer)
		block->outer_ns = task->deadline;
	if (!waits_cancelably(task))
		return;
	task->wake_ns = task->deadline;
	wheel_remove(&task->scheduler->loop.wheel, &task->timer);
	task->timer.fn(&task->timer);
}

static void
disturb(struct task *task)
{
	if (task == NULL || task->state == TASK_DONE)
		return;
	atomic_store(&run.disturbed, true);
	if (waits_cancelably(task) && !task->waiter->woken && task->canceled == NULL)
		atomic_store(&run.cut_short, task->waiter);
	if (run.way.how == CANCEL)
		task_cancel(task, POINTS_REASON);
	else
		expire(task);
}

static int
disturb_main(void *arg)
{
	disturb(arg != NULL ? arg : run.root);
	return BAY_OK;
}

static void
disturb_from_another_loop(struct inbox_item *item)
{
	(void)item;
	disturb(run.root);
}

/* A task of the loop that does it while the victim is off the processor. */
static void
disturb_soon(struct scheduler *scheduler, struct task *victim)
{
	struct task_spec spec = {
		.name = "disturbs",
		.fn = disturb_main,
		.arg = victim,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.class = scheduler_stack_class(scheduler, STACK_BYTES),
	};
	struct task *task = task_create(scheduler, &spec);

	ck_assert_ptr_nonnull(task);
	task->handle->detached = true;
	if (run.way.when == AFTER_THE_OTHERS) {
		task_start(task);
		return;
	}
	list_push_back(&scheduler->tasks, &task->in_scheduler);
	task->ready.next = scheduler->ready_head;
	if (scheduler->ready_head == NULL)
		scheduler->ready_tail = &task->ready;
	scheduler->ready_head = &task->ready;
}

/* Whether this is the point of the run. */
static bool
is_the_point(void)
{
	return atomic_load(&run.counting) && atomic_fetch_add(&run.passed, 1) + 1 == run.at;
}

/* Self is about to leave the processor. */
static void
pass_point(struct task *self)
{
	if (!is_the_point())
		return;
	if (run.way.whom == WHO_AWAITS)
		disturb_soon(self->scheduler, self);
	else if (self->scheduler == run.scheduler)
		disturb_soon(self->scheduler, NULL);
	else
		loop_post(&run.scheduler->loop, &run.item);
}

void
points_here(void)
{
	if (is_the_point())
		disturb(run.root);
}

/* --- where tasks leave the processor ------------------------------------------------------- */

/* The linker sends all calls of these to ours (--wrap). */
void __real_task_park(struct task *self);
void __real_task_yield(void);
void __real_task_pause(void);
bool __real_task_run_eagerly(struct task *task);
void __wrap_task_park(struct task *self);
void __wrap_task_yield(void);
void __wrap_task_pause(void);
bool __wrap_task_run_eagerly(struct task *task);

static void
check_may_park(const struct task *self)
{
	if (!waits_cancelably(self))
		return;
	ck_assert_msg(self->canceled == NULL, "%s waits in %s although it is cancelled", self->name, self->awaiting);
	ck_assert_msg(self->deadline > self->scheduler->loop.now_ns,
		"%s waits in %s although its deadline has passed", self->name, self->awaiting);
}

/* It comes back from a wait. What was disturbed ends so and not otherwise. */
static void
check_wait(const struct task *self)
{
	int status = self->waiter->status;

	ck_assert_msg(status != BAY_CANCELED || (self->canceled != NULL && self->canceled[0] != '\0'),
		"%s was cancelled in %s without a reason", self->name, self->awaiting);
	if (atomic_load(&run.cut_short) != self->waiter)
		return;
	atomic_store(&run.cut_short, NULL);
	ck_assert_msg(status == points_status(), "the wait of %s in %s was cut short and ended as %s", self->name,
		self->awaiting, bay_status_name(status));
}

void
__wrap_task_park(struct task *self)
{
	check_may_park(self);
	pass_point(self);
	__real_task_park(self);
	check_wait(self);
}

/* Yields, by one of the two ways. Who was alone goes on without a switch. */
static void
yield(void (*way)(void))
{
	struct scheduler *here = scheduler_here;
	uint64_t switches = here->switches;

	pass_point(here->current);
	way();
	if (atomic_load(&run.counting) && here->switches == switches)
		atomic_fetch_add(&run.in_place, 1);
}

void
__wrap_task_yield(void)
{
	ck_assert_msg(task_current()->canceled == NULL, "%s yields although it is cancelled", task_current()->name);
	yield(__real_task_yield);
}

void
__wrap_task_pause(void)
{
	yield(__real_task_pause);
}

/* The caller is off the processor while the callee runs: disturbing it then needs somebody
 * who runs in between, which is the callee. */
static struct {
	bay_task_fn *fn;
	struct task *caller;
} eager;

static int
eager_main(void *arg)
{
	bay_task_fn *fn = eager.fn;

	disturb(run.way.whom == ROOT ? run.root : eager.caller);
	task_current()->fn = fn;
	return fn(arg);
}

bool
__wrap_task_run_eagerly(struct task *task)
{
	/* Only the root's loop calls eagerly while it counts: the others serve. */
	if (is_the_point()) {
		eager.fn = task->fn;
		eager.caller = task->scheduler->current;
		ck_assert_ptr_eq(task->scheduler, run.scheduler);
		task->fn = eager_main;
	}
	return __real_task_run_eagerly(task);
}

/* --- runs ------------------------------------------------------------------------------------ */

bool
points_allow(int status)
{
	if (status == BAY_OK)
		return true;
	if (!atomic_load(&run.disturbed))
		return false;
	/* Of whom was disturbed, others see the effects. */
	if (run.way.whom == WHO_AWAITS || task_current() != run.root)
		return status == BAY_CANCELED || status == BAY_TIMEOUT;
	return status == points_status();
}

int
points_expect(int status)
{
	ck_assert_msg(points_allow(status), "an await ended as %s at point %u", bay_status_name(status), run.at);
	return status;
}

/* The root has been disturbed: it knows, and every further await says so. */
static void
check_root(int status)
{
	bool canceled = run.way.how == CANCEL && atomic_load(&run.disturbed);

	if (run.way.whom != ROOT)
		return;
	ck_assert_int_eq(bay_cancel_reason() != NULL, canceled);
	if (canceled)
		ck_assert_str_eq(bay_cancel_reason(), POINTS_REASON);
	if (atomic_load(&run.disturbed)) {
		ck_assert_int_eq(bay_sleep(BAY_SECOND), points_status());
		/* Last: others run meanwhile, and what they make of it may come to the root. */
		ck_assert_int_eq(bay_yield(), points_status());
	}
	ck_assert(status == BAY_OK || status == points_status());
}

static int
root_main(void *arg)
{
	int status;

	(void)arg;
	run.scheduler = scheduler_here;
	run.root = task_current();
	run.tasks_before = scheduler_here->next_task_id;
	run.switches_before = scheduler_here->switches;
	atomic_store(&run.counting, true);
	status = points_expect(run.scenario->body(NULL));
	check_root(status);
	/* What it left behind on this loop ends with it, which are points too. */
	if (!run.scenario->one_loop) {
		run.root = NULL;
		atomic_store(&run.counting, false);
	}
	return BAY_OK;
}

/* Each task that began was switched to once, and once more after each of its awaits. */
static void
check_switches(void)
{
	uint64_t switches = run.scheduler->switches - run.switches_before;
	uint64_t tasks = run.scheduler->next_task_id - run.tasks_before;

	ck_assert_uint_eq(switches, tasks + atomic_load(&run.passed) - atomic_load(&run.in_place));
}

void
points_check_stacks(const struct scheduler *scheduler)
{
	size_t taken = 0, warm = 0;
	unsigned i;

	for (i = 0; i < scheduler->class_count; i++) {
		taken += stack_pool_taken(scheduler->classes[i].pool);
		warm += scheduler->classes[i].graves.count;
	}
	ck_assert_uint_eq(taken - warm, scheduler->task_count);
}

/* False: it was over before its point came. */
static bool
run_to_point(const struct points_scenario *scenario, struct way way, unsigned at)
{
	run.way = way;
	run.at = at;
	run.scenario = scenario;
	run.item.run = disturb_from_another_loop;
	atomic_store(&run.passed, 0);
	atomic_store(&run.in_place, 0);
	atomic_store(&run.disturbed, false);
	atomic_store(&run.cut_short, NULL);
	ck_assert_int_eq(scenario->run(root_main, NULL), BAY_OK);
	atomic_store(&run.counting, false);
	run.root = NULL;
	if (scenario->one_loop) {
		check_switches();
		points_check_stacks(run.scheduler);
	}
	if (scenario->check != NULL)
		scenario->check();
	return atomic_load(&run.passed) >= at;
}

static unsigned
sweep(const struct points_scenario *scenario)
{
	unsigned i, at;

	for (i = 0; i < 8; i++) {
		struct way way = {i & 1 ? WHO_AWAITS : ROOT, i & 2 ? AFTER_THE_OTHERS : BEFORE_THE_OTHERS,
			i & 4 ? EXPIRE : CANCEL};

		for (at = 1; run_to_point(scenario, way, at); at++)
			ck_assert_uint_lt(at, POINTS_MAX);
	}
	return at - 1;
}

/* Bytes in use of malloc, or 0 where nobody knows. */
static size_t
memory_in_use(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

/* malloc keeps some of what is freed and counts it, more or less of it from time to time; a
 * leak comes every time. */
unsigned
points_everywhere(const struct points_scenario *scenario)
{
	size_t before = 0, now;
	unsigned i, points = 0;
	bool grows = true;

	for (i = 0; i < SWEEPS && grows; i++) {
		points = sweep(scenario);
		now = memory_in_use();
		grows = i == 0 || now > before;
		before = now;
	}
	ck_assert_msg(!grows, "there is more memory in use after each of %d times", SWEEPS);
	return points;
}
