/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for several tasks that are cut short at each of their awaits in turn. */
#include "config.h"

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/cancel_everywhere.h"

enum { SHORT = 20 * 1000, CHILDREN = 3 };

/* Two awaits, then its argument as result. */
static int
child(void *arg)
{
	int status = bay_yield();

	if (status == BAY_OK)
		status = bay_sleep(SHORT);
	return status != BAY_OK ? status : (int)(intptr_t)arg;
}

static void
spawn_children(struct bay_task *tasks[CHILDREN])
{
	tasks[0] = bay_spawn("a", child, NULL);
	tasks[1] = bay_spawn("b", child, (void *)(intptr_t)BAY_IO);
	tasks[2] = bay_spawn("c", child, NULL);
}

static void
free_children(struct bay_task *tasks[CHILDREN])
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		bay_task_free(tasks[i]);
}

/* Whether the wait was cut short or not, all have ended. */
EVERYWHERE(gathers_of_all, 7, run_tasks_check_nothing_left)
{
	struct bay_task *tasks[CHILDREN];
	int i, status;

	spawn_children(tasks);
	status = points_expect(bay_gather_all(tasks, CHILDREN, BAY_INHERIT));
	for (i = 0; i < CHILDREN; i++)
		ck_assert(bay_task_done(tasks[i]));
	free_children(tasks);
	return status;
}

/* After each wait, somebody else may wait. */
EVERYWHERE(waits, 7, run_tasks_check_nothing_left)
{
	struct bay_task *tasks[CHILDREN];
	int i, status, collected = 0;

	spawn_children(tasks);
	status = points_expect(bay_wait(tasks, CHILDREN, BAY_UNTIL_ANY, BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_wait(tasks, CHILDREN, BAY_UNTIL_ERROR, BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_wait(tasks, CHILDREN, BAY_UNTIL_ALL, BAY_INHERIT));
	for (i = 0; i < CHILDREN; i++) {
		ck_assert_ptr_null(tasks[i]->waiter);
		collected += bay_task_status(tasks[i]) != BAY_BUSY;
	}
	ck_assert(status != BAY_OK || collected == CHILDREN);
	free_children(tasks);
	return status;
}

/* --- what goes with the end of a task ------------------------------------------------------ */

static struct bay_local *user;
static int held, called;

static void
release_value(void *value)
{
	(void)value;
	held--;
}

static void
count_call(struct bay_task *task, int status, void *arg)
{
	(void)task;
	(void)arg;
	points_expect(status);
	called++;
}

static int
hold_value(void *arg)
{
	ck_assert_ptr_eq(bay_local_get(user), &held);
	ck_assert_int_eq(bay_local_set(user, arg), BAY_OK);
	held++;
	return child(NULL);
}

static void
check_called_and_released(void)
{
	ck_assert_int_eq(held, 0);
	ck_assert_int_eq(called, 0);
	run_tasks_check_nothing_left();
}

/* However the waits end, each callback is called once and no value is kept. */
EVERYWHERE(callbacks_and_values, 3, check_called_and_released)
{
	struct bay_task *task;
	int status, value;

	user = bay_local_create("user", release_value);
	ck_assert_int_eq(bay_local_set(user, &held), BAY_OK);
	held++;
	task = bay_spawn("holds", hold_value, &value);
	ck_assert_int_eq(bay_task_add_callback(task, count_call, NULL), BAY_OK);
	status = points_expect(bay_gather_all(&task, 1, BAY_INHERIT));
	ck_assert_int_eq(called--, 1);
	ck_assert_int_eq(held, 1);
	bay_task_free(task);
	bay_local_destroy(user);
	return status;
}

CHECK_MAIN("runtime/cancel_tasks",
	gathers_of_all,
	waits,
	callbacks_and_values)
