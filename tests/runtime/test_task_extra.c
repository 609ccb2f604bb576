/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "runtime/task_extra.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

/* What was called, in order. */
static char seen[128];

static void
note_end(struct bay_task *task, int status, void *arg)
{
	size_t length = strlen(seen);

	ck_assert_ptr_null(bay_task_current());
	snprintf(seen + length, sizeof seen - length, "%s:%s:%s ", (char *)arg, bay_task_name(task),
		bay_status_name(status));
}

static int
yield_and_give(void *arg)
{
	int status = bay_yield();

	strcat(seen, "body ");
	return status != BAY_OK ? status : *(int *)arg;
}

TASK_TEST(callbacks_are_called_in_order_at_the_end_and_before_who_waits)
{
	int io = BAY_IO;
	struct bay_task *task = bay_spawn("worker", yield_and_give, &io);

	seen[0] = '\0';
	ck_assert_int_eq(bay_task_add_callback(task, note_end, (void *)(uintptr_t)"a"), BAY_OK);
	ck_assert_int_eq(bay_task_add_callback(task, note_end, (void *)(uintptr_t)"b"), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(seen, "");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_IO);
	ck_assert_str_eq(seen, "body a:worker:io b:worker:io ");
	return BAY_OK;
}

TASK_TEST(a_callback_is_taken_back_and_called_at_once_when_it_comes_too_late)
{
	int ok = BAY_OK;
	struct bay_task *task = bay_spawn("worker", yield_and_give, &ok);

	seen[0] = '\0';
	ck_assert_int_eq(bay_task_add_callback(task, note_end, (void *)(uintptr_t)"a"), BAY_OK);
	ck_assert_uint_eq(bay_task_remove_callback(task, note_end, (void *)(uintptr_t)"other"), 0);
	ck_assert_uint_eq(bay_task_remove_callback(task, note_end, (void *)(uintptr_t)"a"), 1);
	while (!bay_task_done(task))
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(seen, "body ");
	ck_assert_int_eq(bay_task_add_callback(task, note_end, (void *)(uintptr_t)"late"), BAY_OK);
	ck_assert_str_eq(seen, "body late:worker:ok ");
	ck_assert_int_eq(bay_task_add_callback(NULL, note_end, (void *)(uintptr_t)"none"), BAY_INVALID);
	bay_task_free(task);
	return BAY_OK;
}

/* Its handle is given up, and it opens and forgets a scope. */
static int
forget_scope(void *arg)
{
	(void)arg;
	ck_assert_ptr_nonnull(bay_scope_open(BAY_INHERIT));
	strcat(seen, "body ");
	return BAY_OK;
}

TASK_TEST(a_callback_is_called_though_the_handle_is_gone)
{
	struct bay_task *task = bay_spawn("worker", forget_scope, NULL);

	seen[0] = '\0';
	log_lines_keep();
	ck_assert_int_eq(bay_task_add_callback(task, note_end, (void *)(uintptr_t)"a"), BAY_OK);
	bay_task_free(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(seen, "body a:worker:ok ");
	ck_assert_int_eq(log_lines_with("ended with an open scope"), 1);
	return BAY_OK;
}

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static void
try_to_wait(struct bay_task *task, int status, void *arg)
{
	(void)task;
	(void)status;
	ck_assert_int_eq(bay_yield(), BAY_INVALID);
	ck_assert_int_eq(bay_sleep(1), BAY_INVALID);
	ck_assert_ptr_null(bay_spawn("child", nothing, NULL));
	bay_event_set(arg);
}

TASK_TEST(a_callback_can_neither_wait_nor_spawn_and_may_wake_others)
{
	struct bay_event *event = bay_event_create("ended");
	struct bay_task *task = bay_spawn("worker", nothing, NULL);

	log_lines_keep();
	ck_assert_int_eq(bay_task_add_callback(task, try_to_wait, event), BAY_OK);
	ck_assert_int_eq(bay_event_wait(event, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(log_lines_with("in a callback or a destructor"), 3);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_event_destroy(event);
	return BAY_OK;
}

CHECK_MAIN("runtime/task_extra",
	callbacks_are_called_in_order_at_the_end_and_before_who_waits,
	a_callback_is_taken_back_and_called_at_once_when_it_comes_too_late,
	a_callback_is_called_though_the_handle_is_gone,
	a_callback_can_neither_wait_nor_spawn_and_may_wake_others)
