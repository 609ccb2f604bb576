/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scheduler.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/belonging.h"
#include "runtime/spawn.h"
#include "runtime/task.h"

/* Switches of one pass: about 10 us of short tasks between looks at the inbox. */
#define SCHEDULER_BUDGET 256
/* Under load libevent is asked this often. */
#define SCHEDULER_POLL_NS (50 * 1000)
/* Cold stacks that give their memory back in one pass: about 100 us of system calls. */
#define SCHEDULER_COLD_STACKS 64
/* Bounds the address space of one class of stacks. */
#define SCHEDULER_MAX_STACKS (4u << 20)

__thread struct scheduler *scheduler_here __attribute__((tls_model("initial-exec")));

static bool scheduler_has_work(void *arg);

/* Two containers that were started at the same time must not have the same. */
static uint64_t
scheduler_trace_high(uint64_t otherwise)
{
	uint64_t high = 0;

	if (getrandom(&high, sizeof high, GRND_NONBLOCK) != sizeof high || high == 0)
		return otherwise;
	return high;
}

bool
scheduler_init(struct scheduler *scheduler, unsigned index, const char *name)
{
	memset(scheduler, 0, sizeof *scheduler);
	if (!loop_init(&scheduler->loop, name))
		return false;
	loop_set_has_work(&scheduler->loop, scheduler_has_work, scheduler);
	fiber_init_thread(&scheduler->idle);
	scheduler->index = index;
	scheduler_set_status(scheduler, &scheduler->own_status);
	scheduler->random = (uint64_t)clock_monotonic_ns() * 2 + index * UINT64_C(0x9E3779B97F4A7C15) + 1;
	scheduler->trace_high = scheduler_trace_high(scheduler->random);
	scheduler->slice = SCHEDULER_SLICE;
	slab_pool_init(&scheduler->spawns, sizeof(struct spawn), SPAWN_MAX);
	list_init(&scheduler->tasks);
	list_init(&scheduler->belongings);
	loop_now(&scheduler->loop);
	scheduler_here = scheduler;
	return true;
}

void
scheduler_set_status(struct scheduler *scheduler, struct status_loop *status)
{
	struct status_name name = status_name_make(TASK_NAMELESS);

	scheduler->status = status;
	scheduler->nameless = status_loop_phase(status, STATUS_PHASE_IDLE, &name);
}

void
scheduler_set_figures(struct scheduler *scheduler, const struct status_page *page)
{
	scheduler->hops = status_page_hops(page, scheduler->index);
	scheduler->figures = status_page_counters(page, 0, scheduler->index);
	scheduler->figures_step = page->services > 1 ?
		(size_t)((char *)status_page_counters(page, 1, scheduler->index) - (char *)scheduler->figures) : 0;
}

static void
scheduler_clear_graves(struct stack_class *class)
{
	struct grave *grave;

	while ((grave = graveyard_take(&class->graves)) != NULL)
		task_destroy(container_of(grave, struct task, grave));
}

void
scheduler_finish(struct scheduler *scheduler)
{
	unsigned i;

	belonging_end_all(scheduler);
	for (i = 0; i < scheduler->class_count; i++) {
		scheduler_clear_graves(&scheduler->classes[i]);
		stack_pool_destroy(scheduler->classes[i].pool);
	}
	scheduler->class_count = 0;
	slab_pool_finish(&scheduler->spawns);
	loop_finish(&scheduler->loop);
	fiber_finish(&scheduler->idle);
	scheduler_here = NULL;
}

/* --- one at a time, for tests ---------------------------------------------------- */

void
scheduler_run_singly(struct scheduler *scheduler, uint64_t seed)
{
	scheduler->singly = true;
	scheduler->shuffle = seed;
	/* What is random is so in the same way again. */
	if (seed != 0)
		scheduler->random = scheduler->trace_high = seed;
}

/* splitmix64: every seed is as good as any other. */
static uint64_t
scheduler_draw(struct scheduler *scheduler)
{
	uint64_t x = scheduler->shuffle += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

/* Takes what stands at place n of the ready list to its front. */
static void
scheduler_bring_forward(struct scheduler *scheduler, size_t n)
{
	struct ready *before = NULL, *ready = scheduler->ready_head;

	for (; n > 0; n--) {
		before = ready;
		ready = ready->next;
	}
	if (before == NULL)
		return;
	before->next = ready->next;
	if (scheduler->ready_tail == ready)
		scheduler->ready_tail = before;
	ready->next = scheduler->ready_head;
	scheduler->ready_head = ready;
}

/* Chooses who runs next among those of this round: who became ready since it began stands
 * behind them. */
static void
scheduler_choose(struct scheduler *scheduler)
{
	const struct ready *ready;

	if (scheduler->shuffle == 0 || scheduler->ready_head == NULL)
		return;
	if (scheduler->round == 0) {
		for (ready = scheduler->ready_head; ready != NULL; ready = ready->next)
			scheduler->round++;
	}
	scheduler_bring_forward(scheduler, scheduler_draw(scheduler) % scheduler->round--);
}

/* --- passes --------------------------------------------------------------------- */

/* One turn of the ready list: what becomes ready meanwhile waits for the next. */
static void
scheduler_run_some(struct scheduler *scheduler)
{
	struct task *task;

	scheduler->budget = SCHEDULER_BUDGET;
	if (__builtin_expect(scheduler->singly, 0)) {
		scheduler->budget = 1;
		scheduler_choose(scheduler);
	}
	while ((task = task_take_ready(scheduler)) != NULL)
		task_run_from_idle(scheduler, task);
}

static bool
scheduler_find(struct scheduler *scheduler)
{
	return scheduler->find_work != NULL && scheduler->find_work(scheduler, scheduler->find_work_arg);
}

/* What the master may read at any time. */
static void
scheduler_publish(struct scheduler *scheduler)
{
	struct status_loop *status = scheduler->status;
	uint64_t stacks = 0;
	unsigned i;

	for (i = 0; i < scheduler->class_count; i++)
		stacks += stack_pool_mapped(scheduler->classes[i].pool);
	status_set(&status->stacks, stacks);
	status_set(&status->passes, scheduler->passes);
	status_set(&status->switches, scheduler->switches);
	status_set(&status->tasks, scheduler->task_count);
	status_set(&status->polls, scheduler->loop.polls);
	status_set(&status->wakes, scheduler->loop.sleeps);
}

/* Gives the memory of cold stacks back, some in each pass: the tasks must not wait long. */
static void
scheduler_cool_stacks(struct scheduler *scheduler)
{
	unsigned i, left = SCHEDULER_COLD_STACKS;
	struct grave *grave;

	for (i = 0; i < scheduler->class_count; i++) {
		struct graveyard *yard = &scheduler->classes[i].graves;

		while (left > 0 && (grave = graveyard_take_cold(yard, scheduler->loop.now_ns)) != NULL) {
			task_destroy(container_of(grave, struct task, grave));
			left--;
		}
	}
}

/* When there will be cold stacks. */
static int64_t
scheduler_cold_ns(const struct scheduler *scheduler)
{
	int64_t first_ns = INT64_MAX;
	unsigned i;

	for (i = 0; i < scheduler->class_count; i++) {
		int64_t cold_ns = graveyard_cold_ns(&scheduler->classes[i].graves);

		if (cold_ns < first_ns)
			first_ns = cold_ns;
	}
	return first_ns;
}

static void
scheduler_pass(struct scheduler *scheduler)
{
	scheduler->passes++;
	/* Before, so that a pass that does not end can be told by its age; the rest after, so that
	 * it is right while the loop sleeps. */
	status_set(&scheduler->status->pass_ns, (uint64_t)scheduler->loop.now_ns);
	scheduler_run_some(scheduler);
	loop_drain_inbox(&scheduler->loop);
	scheduler_find(scheduler);
	scheduler_cool_stacks(scheduler);
	scheduler_publish(scheduler);
}

/* How long events and timers have waited for this pass, at most. */
static void
scheduler_record_lag(struct scheduler *scheduler, int64_t now_ns)
{
	int64_t lag_ns = now_ns - scheduler->loop.looked_ns;

	if (lag_ns >= 0)
		histogram_record(&scheduler->status->lag, (uint64_t)lag_ns);
}

bool
scheduler_poll_is_due(const struct scheduler *scheduler)
{
	return clock_monotonic_ns() - scheduler->loop.now_ns >= SCHEDULER_POLL_NS || clock_stands_still();
}

/* Under load: libevent by time, not by pass. */
static void
scheduler_poll_by_time(struct scheduler *scheduler)
{
	int64_t now_ns = clock_monotonic_ns();

	if (now_ns - scheduler->loop.now_ns < SCHEDULER_POLL_NS && !clock_stands_still())
		return;
	scheduler_record_lag(scheduler, now_ns);
	loop_poll(&scheduler->loop);
}

static void
scheduler_wait(struct scheduler *scheduler)
{
	scheduler_record_lag(scheduler, loop_now(&scheduler->loop));
	loop_wait(&scheduler->loop, scheduler_cold_ns(scheduler));
}

/* What loop_wait asks before it sleeps: the answer may start tasks. */
static bool
scheduler_has_work(void *arg)
{
	struct scheduler *scheduler = arg;

	return scheduler->ready_head != NULL || scheduler_find(scheduler) ||
		atomic_load_explicit(&scheduler->stopping, memory_order_acquire);
}

void
scheduler_run(struct scheduler *scheduler)
{
	while (!atomic_load_explicit(&scheduler->stopping, memory_order_acquire)) {
		scheduler_pass(scheduler);
		if (scheduler->ready_head != NULL)
			scheduler_poll_by_time(scheduler);
		else
			scheduler_wait(scheduler);
	}
	/* What was posted before the stop owns memory, and may post more. */
	while (loop_drain_inbox(&scheduler->loop))
		;
}

void
scheduler_run_ready(struct scheduler *scheduler)
{
	do {
		scheduler_pass(scheduler);
		scheduler_poll_by_time(scheduler);
	} while (scheduler->ready_head != NULL);
}

void
scheduler_rearm(struct scheduler *scheduler)
{
	atomic_store_explicit(&scheduler->stopping, false, memory_order_relaxed);
}

void
scheduler_stop(struct scheduler *scheduler)
{
	atomic_store_explicit(&scheduler->stopping, true, memory_order_release);
	loop_wake(&scheduler->loop);
}

struct stack_class *
scheduler_stack_class(struct scheduler *scheduler, size_t bytes)
{
	struct stack_class *class;
	unsigned i;

	bytes = stack_rounded_bytes(bytes);
	for (i = 0; i < scheduler->class_count; i++) {
		if (scheduler->classes[i].bytes == bytes)
			return &scheduler->classes[i];
	}
	if (scheduler->class_count == SCHEDULER_STACK_CLASSES)
		return NULL;
	class = &scheduler->classes[scheduler->class_count];
	class->pool = stack_pool_create(bytes, SCHEDULER_MAX_STACKS);
	if (class->pool == NULL)
		return NULL;
	class->bytes = bytes;
	scheduler->class_count++;
	return class;
}
