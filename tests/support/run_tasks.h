/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs tasks in the test's own thread.
 *
 *	TASK_TEST(a_task_gives_its_result)
 *	{
 *		struct bay_task *task = bay_spawn("seven", seven, NULL);
 *
 *		ck_assert_int_eq(bay_join(task, BAY_INHERIT), 7);
 *		return BAY_OK;
 *	}
 *
 * The body is a task. When it has returned BAY_OK, nothing may be left of it: no task, no
 * timer, no memory.
 */
#ifndef BAY_TESTS_SUPPORT_RUN_TASKS_H
#define BAY_TESTS_SUPPORT_RUN_TASKS_H

#include <bay/task.h>

#include "runtime/scheduler.h"
#include "support/check_main.h"

/* The scheduler of the test's thread, between run_tasks_begin and run_tasks_end. */
extern struct scheduler run_tasks_scheduler;

/* Makes it, as loop 0. */
void run_tasks_begin(void);

/* Runs fn(arg) as a task, with all that becomes ready, until it has ended; returns its
 * result. Repeatable. */
int run_tasks(bay_task_fn *fn, void *arg);

/* Fails the test when tasks or timers are left. */
void run_tasks_check_nothing_left(void);

/* Checks that, and frees the scheduler. */
void run_tasks_end(void);

/* All of it. */
int run_task(bay_task_fn *fn, void *arg);

#define TASK_TEST(name)                                         \
	static int name##_main(void *arg);                          \
	START_TEST(name)                                            \
	{                                                           \
		ck_assert_int_eq(run_task(name##_main, NULL), BAY_OK);  \
	}                                                           \
	END_TEST                                                    \
	static int name##_main(void *arg __attribute__((unused)))

#endif
