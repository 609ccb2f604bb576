/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/run_tasks.h"

#include "runtime/task.h"

enum { STACK_BYTES = 256 << 10 };

struct scheduler run_tasks_scheduler;

static int root_status;

static void
root_ended(struct task *task, int status)
{
	root_status = status;
	scheduler_stop(task->scheduler);
}

void
run_tasks_begin(void)
{
	ck_assert(scheduler_init(&run_tasks_scheduler, 0, "test"));
}

int
run_tasks(bay_task_fn *fn, void *arg)
{
	struct scheduler *scheduler = &run_tasks_scheduler;
	struct task_spec spec = {
		.name = "test",
		.fn = fn,
		.arg = arg,
		.ended = root_ended,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.phase = STATUS_PHASE_RUN,
		.class = scheduler_stack_class(scheduler, STACK_BYTES),
	};
	struct task *task;

	ck_assert_ptr_nonnull(spec.class);
	task = task_create(scheduler, &spec);
	ck_assert_ptr_nonnull(task);
	task->handle->detached = true;
	task_start(task);
	scheduler_run(scheduler);
	atomic_store(&scheduler->stopping, false);
	return root_status;
}

void
run_tasks_check_nothing_left(void)
{
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 0);
	ck_assert(list_empty(&run_tasks_scheduler.tasks));
	ck_assert_ptr_null(run_tasks_scheduler.ready_head);
	ck_assert_int_eq(wheel_next_ns(&run_tasks_scheduler.loop.wheel), INT64_MAX);
}

void
run_tasks_end(void)
{
	run_tasks_check_nothing_left();
	scheduler_finish(&run_tasks_scheduler);
}

int
run_task(bay_task_fn *fn, void *arg)
{
	int status;

	run_tasks_begin();
	status = run_tasks(fn, arg);
	run_tasks_end();
	return status;
}
