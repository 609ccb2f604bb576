/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/cpu_meter.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include <bay/time.h>

#include "base/clock.h"
#include "cell/executor.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/ready_set.h"
#include "support/check_main.h"

enum { LOOPS = 2, SERVICES = 3, GUILTY = 1, PART_NS = 30 * CLOCK_NS_PER_MS,
	BURSTS = 80, BURST_NS = CLOCK_NS_PER_MS };

static struct status_page page;
static struct executor *executor;
static atomic_bool may_end;
static atomic_bool has_ended;
static atomic_bool has_worked;

static void
begin(void)
{
	int fd = status_page_create(&page, "test", SERVICES, LOOPS);

	ck_assert_int_ge(fd, 0);
	close(fd);
	executor = executor_create(LOOPS, &page);
	ck_assert_ptr_nonnull(executor);
}

static void
end(void)
{
	executor_destroy(executor);
	ready_sets_finish();
	status_page_close(&page);
}

static uint64_t
cpu_of(uint32_t slot)
{
	struct status_service_view view;

	status_page_read_service(&page, slot, &view);
	return view.cpu_ns;
}

static uint64_t
cpu_of_loop(uint32_t loop)
{
	struct status_loop_view view;

	status_page_read_loop(&page, loop, &view);
	return view.cpu_ns;
}

static int
spins(void *arg)
{
	(void)arg;
	while (!atomic_load(&may_end))
		;
	atomic_store(&has_ended, true);
	return BAY_OK;
}

static int64_t
thread_cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * CLOCK_NS_PER_S + time.tv_nsec;
}

static void
start(bay_task_fn *fn)
{
	struct scheduler *here = scheduler_here;
	struct task_spec spec = {.name = "spin", .fn = fn, .deadline = BAY_INHERIT, .slot = GUILTY,
		.phase = STATUS_PHASE_RUN, .class = scheduler_stack_class(here, 64 << 10)};
	struct task *task = task_create(here, &spec);

	ck_assert_ptr_nonnull(task);
	task->handle->detached = true;
	task_start(task);
}

static void
start_spinning(struct inbox_item *item)
{
	(void)item;
	start(spins);
}

START_TEST(what_keeps_a_loop_is_counted_while_it_does)
{
	static struct inbox_item item = {.run = start_spinning};

	begin();
	loop_post(&executor_scheduler(executor, 1)->loop, &item);
	/* It has not come back, and goes on to be counted. */
	while (cpu_of(GUILTY) < PART_NS)
		sched_yield();
	while (cpu_of(GUILTY) < 2 * (uint64_t)PART_NS)
		sched_yield();
	ck_assert(!atomic_load(&has_ended));
	ck_assert_uint_eq(cpu_of(0), 0);
	ck_assert_uint_eq(cpu_of(2), 0);
	/* Nobody has more than the thread had. */
	ck_assert_uint_le(cpu_of(GUILTY), cpu_of_loop(1));
	atomic_store(&may_end, true);
	end();
}
END_TEST

/* Works for a moment and sleeps for longer, often; then works on. */
static int
works_in_bursts(void *arg)
{
	(void)arg;
	for (int n = 0; n < BURSTS; n++) {
		int64_t until_ns = thread_cpu_ns() + BURST_NS;

		while (thread_cpu_ns() < until_ns)
			;
		if (bay_sleep(9 * BURST_NS) != BAY_OK)
			break;
	}
	atomic_store(&has_worked, true);
	return spins(NULL);
}

static void
start_bursts(struct inbox_item *item)
{
	(void)item;
	start(works_in_bursts);
}

/* Nearly all looks find its loop asleep: what it has had by then waits for one that does not. */
START_TEST(what_works_in_short_bursts_is_counted_as_well)
{
	static struct inbox_item item = {.run = start_bursts};
	uint64_t counted, before;

	begin();
	loop_post(&executor_scheduler(executor, 1)->loop, &item);
	while (!atomic_load(&has_worked))
		sched_yield();
	before = cpu_of(GUILTY);
	do {
		sched_yield();
		counted = cpu_of(GUILTY);
	} while (counted == before);
	ck_assert_uint_ge(cpu_of_loop(1), BURSTS * (uint64_t)BURST_NS);
	ck_assert_msg(counted >= BURSTS * (uint64_t)BURST_NS / 2, "%d ms of %d ms are counted",
		(int)(counted / CLOCK_NS_PER_MS), (int)(cpu_of_loop(1) / CLOCK_NS_PER_MS));
	atomic_store(&may_end, true);
	end();
}
END_TEST

START_TEST(it_ends_at_once_though_it_sleeps)
{
	int i;

	begin();
	for (i = 0; i < 20; i++) {
		pthread_t thread = pthread_self();
		struct scheduler *scheduler = executor_scheduler(executor, 0);
		struct cpu_meter *meter = cpu_meter_start(&page, &scheduler, &thread, 1);

		ck_assert_ptr_nonnull(meter);
		cpu_meter_stop(meter);
	}
	cpu_meter_stop(NULL);
	end();
}
END_TEST

CHECK_MAIN("cell/cpu_meter",
	what_keeps_a_loop_is_counted_while_it_does,
	what_works_in_short_bursts_is_counted_as_well,
	it_ends_at_once_though_it_sleeps)
