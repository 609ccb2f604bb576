/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/run_tasks.h"

static int
sleep_long(void *arg)
{
	(void)arg;
	return bay_sleep(100 * BAY_SECOND);
}

TASK_TEST(a_task_knows_itself_and_can_be_renamed)
{
	struct bay_task *self = bay_task_current();
	struct bay_task *task = bay_spawn("child", sleep_long, NULL);

	ck_assert_ptr_eq(self, task_current()->handle);
	ck_assert_str_eq(bay_task_name(self), "test");
	ck_assert_uint_eq(bay_task_id(task), bay_task_id(self) + 1);
	ck_assert_int_eq(bay_task_rename(task, "a name that is longer than there is room"), BAY_OK);
	ck_assert_str_eq(bay_task_name(task), "a name that is longer t");
	ck_assert_int_eq(bay_task_rename(self, "me"), BAY_OK);
	ck_assert_str_eq(bay_task_name(self), "me");
	ck_assert_uint_eq(atomic_load(&run_tasks_scheduler.status->phase), task_current()->phase);
	ck_assert_int_eq(bay_task_rename(NULL, "nobody"), BAY_INVALID);
	ck_assert_uint_eq(bay_task_id(NULL), 0);
	/* It is not its own to free. */
	bay_task_free(self);
	ck_assert_ptr_null(bay_cancel_reason());
	return BAY_OK;
}

TASK_TEST(a_list_of_tasks_outlives_them)
{
	struct bay_task_info infos[4];
	struct bay_task *task = bay_spawn("sleeper", sleep_long, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(bay_task_list(NULL, 0), 2);
	ck_assert_uint_eq(bay_task_list(infos, 4), 2);
	ck_assert_int_eq(bay_task_cancel_id(infos[1].id, "known by its number"), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(bay_task_cancel_id(infos[1].id, "gone"), BAY_NOT_FOUND);
	ck_assert_str_eq(infos[0].name, "test");
	ck_assert_int_eq(infos[0].state, BAY_TASK_RUNNING);
	ck_assert_uint_eq(infos[0].parent, 0);
	ck_assert_str_eq(infos[1].name, "sleeper");
	ck_assert_int_eq(infos[1].state, BAY_TASK_WAITING);
	ck_assert_str_eq(infos[1].waiting_on, "bay_sleep");
	ck_assert_uint_eq(infos[1].parent, infos[0].id);
	ck_assert(!infos[1].canceled);
	return BAY_OK;
}

static int
count_tasks(void *arg)
{
	struct bay_task_info infos[4];

	*(size_t *)arg = bay_task_list(infos, 4);
	ck_assert_uint_eq(infos[1].id, bay_task_id(bay_task_current()));
	return BAY_OK;
}

TASK_TEST(a_task_that_runs_eagerly_is_in_the_list)
{
	struct task *self = task_current();
	size_t count = 0;
	struct task_spec spec = {.name = "eager", .fn = count_tasks, .arg = &count, .deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT, .phase = STATUS_PHASE_RUN, .class = self->class};
	struct task *task = task_create(self->scheduler, &spec);

	task->handle->detached = true;
	ck_assert(task_run_eagerly(task));
	ck_assert_uint_eq(count, 2);
	return BAY_OK;
}

CHECK_MAIN("runtime/task_info",
	a_task_knows_itself_and_can_be_renamed,
	a_list_of_tasks_outlives_them,
	a_task_that_runs_eagerly_is_in_the_list)
