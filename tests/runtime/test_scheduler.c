/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scheduler.h"

#include <errno.h>
#include <pthread.h>

#include <bay/scope.h>
#include <bay/task.h>

#include "base/clock.h"
#include "runtime/task.h"
#include "support/run_tasks.h"

static int
count(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

START_TEST(one_thread_has_one_scheduler)
{
	ck_assert_ptr_null(scheduler_here);
	run_tasks_begin();
	ck_assert_ptr_eq(scheduler_here, &run_tasks_scheduler);
	ck_assert_ptr_null(task_current());
	run_tasks_end();
	ck_assert_ptr_null(scheduler_here);
}
END_TEST

static int
spin_and_yield(void *arg)
{
	bool *stop = arg;

	while (!*stop)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

static int
sleep_and_stop(void *arg)
{
	ck_assert_int_eq(bay_sleep(2 * BAY_MS), BAY_OK);
	*(bool *)arg = true;
	return BAY_OK;
}

TASK_TEST(timers_fire_while_tasks_are_ready_all_the_time)
{
	bool stop = false;

	ck_assert_int_eq(bay_go("spins", spin_and_yield, &stop), BAY_OK);
	ck_assert_int_eq(bay_go("spins", spin_and_yield, &stop), BAY_OK);
	return bay_join(bay_spawn("stops", sleep_and_stop, &stop), BAY_INHERIT);
}

struct posted {
	struct inbox_item item;
	bool stop;
};

static void
posted_run(struct inbox_item *item)
{
	ck_assert_ptr_null(task_current());
	container_of(item, struct posted, item)->stop = true;
}

static void *
post(void *arg)
{
	struct posted *posted = arg;

	posted->item.run = posted_run;
	loop_post(&run_tasks_scheduler.loop, &posted->item);
	return NULL;
}

TASK_TEST(posts_are_heard_while_tasks_are_ready_all_the_time)
{
	struct posted posted = {.stop = false};
	struct bay_task *task = bay_spawn("spins", spin_and_yield, &posted.stop);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, post, &posted), 0);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	pthread_join(thread, NULL);
	return BAY_OK;
}

static int work_asked;

static bool
find_work(struct scheduler *scheduler, void *arg)
{
	(void)scheduler;
	work_asked++;
	if (work_asked == 3)
		*(bool *)arg = true;
	return false;
}

TASK_TEST(work_above_is_looked_for_while_tasks_are_ready_all_the_time)
{
	bool stop = false;
	int status;

	run_tasks_scheduler.find_work = find_work;
	run_tasks_scheduler.find_work_arg = &stop;
	status = bay_join(bay_spawn("spins", spin_and_yield, &stop), BAY_INHERIT);
	run_tasks_scheduler.find_work = NULL;
	return status;
}

TASK_TEST(equal_sizes_share_a_class)
{
	struct scheduler *here = &run_tasks_scheduler;
	size_t bytes;
	unsigned i;

	ck_assert_ptr_eq(scheduler_stack_class(here, 256 << 10), task_current()->class);
	ck_assert_ptr_eq(scheduler_stack_class(here, (256 << 10) - 1), task_current()->class);
	for (i = 1; i < SCHEDULER_STACK_CLASSES; i++)
		ck_assert_ptr_nonnull(scheduler_stack_class(here, (512 + i * 64) << 10));
	ck_assert_ptr_null(scheduler_stack_class(here, 4 << 20));
	bytes = (512 + 64) << 10;
	ck_assert_uint_eq(scheduler_stack_class(here, bytes)->bytes, bytes);
	return BAY_OK;
}

TASK_TEST(cold_stacks_go_back_to_their_pool)
{
#if defined(BAY_TSAN)
	enum { COUNT = 1500 };
#else
	enum { COUNT = 5000 };
#endif
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct stack_class *class = task_current()->class;
	int i, n = 0;

	for (i = 0; i < COUNT; i++)
		ck_assert_int_eq(bay_scope_go(scope, "counts", count, &n), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(n, COUNT);
	ck_assert_uint_le(class->grave_count, 256);
	ck_assert_uint_le(stack_pool_taken(class->pool), 257);
	return BAY_OK;
}

static int
check_errno(void *arg)
{
	/* One thread runs all tasks of a loop for life. */
	ck_assert(pthread_equal(pthread_self(), *(pthread_t *)arg));
	errno = ENOENT;
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert(pthread_equal(pthread_self(), *(pthread_t *)arg));
	return BAY_OK;
}

TASK_TEST(a_task_stays_on_its_thread)
{
	pthread_t here = pthread_self();

	return bay_join(bay_spawn("stays", check_errno, &here), BAY_INHERIT);
}

static void *
stop_scheduler(void *arg)
{
	(void)arg;
	scheduler_stop(&run_tasks_scheduler);
	return NULL;
}

START_TEST(another_thread_may_stop_it)
{
	pthread_t thread;
	int i;

	run_tasks_begin();
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, stop_scheduler, NULL), 0);
		scheduler_run(&run_tasks_scheduler);
		pthread_join(thread, NULL);
		atomic_store(&run_tasks_scheduler.stopping, false);
	}
	run_tasks_end();
}
END_TEST

TASK_TEST(the_status_page_says_who_runs)
{
	struct status_loop *status = run_tasks_scheduler.status;
	struct task *self = task_current();

	ck_assert_uint_eq(status->slot, STATUS_NO_SLOT);
	ck_assert_uint_eq(status->phase, STATUS_PHASE_RUN);
	self->slot = 3;
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(status->slot, 3);
	ck_assert_uint_gt(status->passes, 0);
	ck_assert_uint_gt(status->switches, 0);
	ck_assert_uint_eq(status->tasks, 1);
	ck_assert_uint_gt(status->stacks, 0);
	self->slot = STATUS_NO_SLOT;
	return BAY_OK;
}

CHECK_MAIN("runtime/scheduler",
	one_thread_has_one_scheduler,
	timers_fire_while_tasks_are_ready_all_the_time,
	posts_are_heard_while_tasks_are_ready_all_the_time,
	work_above_is_looked_for_while_tasks_are_ready_all_the_time,
	equal_sizes_share_a_class,
	cold_stacks_go_back_to_their_pool,
	a_task_stays_on_its_thread,
	another_thread_may_stop_it,
	the_status_page_says_who_runs)
