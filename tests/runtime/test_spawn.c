/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/spawn.h"

#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

enum { MANY = 1000 };

static int
count(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

static int
wait_for_cancel(void *arg)
{
	(void)arg;
	return bay_sleep(100 * BAY_SECOND);
}

/* --- stacks ----------------------------------------------------------------------------- */

static size_t
stacks_taken(void)
{
	return stack_pool_taken(task_current()->class->pool);
}

TASK_TEST(tasks_that_do_not_wait_share_one_stack)
{
	struct bay_task *tasks[MANY];
	size_t before = stacks_taken();
	int n = 0;

	for (int i = 0; i < MANY; i++)
		tasks[i] = bay_spawn("counts", count, &n);
	ck_assert_uint_eq(stacks_taken(), before);
	ck_assert_uint_eq(run_tasks_scheduler.task_count, MANY + 1);
	ck_assert_int_eq(bay_gather(tasks, MANY, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(n, MANY);
	ck_assert_uint_eq(stacks_taken(), before + 1);
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 1);
	for (int i = 0; i < MANY; i++)
		bay_task_free(tasks[i]);
	return BAY_OK;
}

/* The stack of one that has ended is the next one's while its handle is still held. */
TASK_TEST(a_handle_tells_how_it_ended_without_a_stack)
{
	int n = 0;
	struct bay_task *first = bay_spawn("first", count, &n), *second;
	struct task *task;

	ck_assert_ptr_null(task_of_handle(first));
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_ptr_null(task_of_handle(first));
	second = bay_spawn("second", wait_for_cancel, NULL);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	task = task_of_handle(second);
	ck_assert_ptr_nonnull(task);
	ck_assert_ptr_eq(task->handle, second);
	/* Who still has that of a former task on this stack has none of this one. */
	ck_assert_ptr_eq(task->own_handle.kind, &handle_gone);
	ck_assert_uint_eq(stacks_taken(), 2);
	ck_assert(bay_task_done(first));
	ck_assert_str_eq(bay_task_name(first), "first");
	ck_assert_uint_eq(bay_task_id(first) + 1, bay_task_id(second));
	ck_assert_int_eq(bay_join(first, BAY_INHERIT), BAY_OK);
	bay_task_cancel(second, "enough");
	ck_assert_int_eq(bay_join(second, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

/* Who is spawned without a handle has one of his own once he runs. */
static int
look_at_own_handle(void *arg)
{
	struct task *self = task_current();

	ck_assert_ptr_eq(self->handle, &self->own_handle);
	ck_assert_ptr_eq(task_of_handle(bay_task_current()), self);
	ck_assert_str_eq(bay_task_name(bay_task_current()), "goes");
	ck_assert_ptr_eq(self->handle->scope, arg);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

TASK_TEST(without_a_handle_only_the_stack_is_left)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	char name[] = "goes";

	ck_assert_int_eq(bay_scope_go(scope, name, look_at_own_handle, scope), BAY_OK);
	name[0] = 'x';
	ck_assert_uint_eq(bay_scope_size(scope), 1);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

/* --- before the first turn ------------------------------------------------------------------ */

static int began_canceled;

static int
expect_canceled(void *arg)
{
	began_canceled++;
	ck_assert_str_eq(bay_cancel_reason(), arg);
	return bay_sleep(BAY_SECOND);
}

TASK_TEST(one_that_has_not_begun_can_be_cancelled)
{
	struct bay_task *task = bay_spawn("early", expect_canceled, (void *)(uintptr_t)"the first");

	bay_task_cancel(task, "the first");
	bay_task_cancel(task, "and no other");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	/* By its number, too. */
	task = bay_spawn("early", expect_canceled, (void *)(uintptr_t)"by number");
	ck_assert_int_eq(bay_task_cancel_id(bay_task_id(task), "by number"), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	/* And with its handle. */
	task = bay_spawn("early", expect_canceled, (void *)(uintptr_t)"its handle was freed");
	bay_task_free(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(began_canceled, 3);
	return BAY_OK;
}

TASK_TEST(a_cancelled_scope_cancels_what_is_spawned_into_it)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct bay_task *task;

	bay_scope_cancel(scope, "of the scope");
	task = bay_scope_spawn(scope, "late", expect_canceled, (void *)(uintptr_t)"of the scope");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	bay_scope_close(scope);
	return BAY_OK;
}

static int
expect_name(void *arg)
{
	ck_assert_str_eq(bay_task_name(bay_task_current()), arg);
	return BAY_OK;
}

TASK_TEST(one_that_has_not_begun_is_in_the_list_and_can_be_renamed)
{
	struct bay_task *task = bay_spawn("old", expect_name, (void *)(uintptr_t)"new");
	struct bay_task_info infos[3];

	ck_assert_int_eq(bay_task_rename(task, "new"), BAY_OK);
	ck_assert_uint_eq(bay_task_list(infos, 3), 2);
	ck_assert_str_eq(infos[1].name, "new");
	ck_assert_uint_eq(infos[1].id, bay_task_id(task));
	ck_assert_uint_eq(infos[1].parent, bay_task_id(bay_task_current()));
	ck_assert_int_eq(infos[1].state, BAY_TASK_READY);
	ck_assert(!infos[1].canceled);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(bay_task_list(NULL, 0), 1);
	return BAY_OK;
}

/* Also while it runs: its handle goes on to tell it. */
static int
rename_itself(void *arg)
{
	(void)arg;
	return bay_task_rename(bay_task_current(), "renamed");
}

TASK_TEST(a_new_name_outlives_the_stack)
{
	struct bay_task *task = bay_spawn("old", rename_itself, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(task));
	ck_assert_str_eq(bay_task_name(task), "renamed");
	ck_assert_int_eq(bay_task_rename(task, "too late"), BAY_INVALID);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static void
on_end(struct bay_task *task, int status, void *arg)
{
	(void)task;
	*(int *)arg = status;
}

TASK_TEST(callbacks_can_be_added_before_the_first_turn)
{
	int n = 0, first = -1, second = -1;
	struct bay_task *task = bay_spawn("counts", count, &n);

	ck_assert_int_eq(bay_task_add_callback(task, on_end, &first), BAY_OK);
	ck_assert_int_eq(bay_task_add_callback(task, on_end, &second), BAY_OK);
	ck_assert_uint_eq(bay_task_remove_callback(task, on_end, &second), 1);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(first, BAY_OK);
	ck_assert_int_eq(second, -1);
	return BAY_OK;
}

/* --- no stack --------------------------------------------------------------------------------- */

static size_t ended_before;

static void
note_end(struct bay_task *task, int status, void *arg)
{
	ck_assert_int_eq(status, BAY_NO_MEMORY);
	ck_assert_ptr_eq(task, *(struct bay_task **)arg);
	ended_before++;
}

/* From now on one stack at a time for what the running task spawns. Returns its own class, which
 * it must have again when it ends. */
static struct stack_class *
leave_one_stack(void)
{
	struct stack_class *own = task_current()->class, *class = scheduler_stack_class(&run_tasks_scheduler, 64 << 10);

	ck_assert_ptr_nonnull(class);
	stack_pool_destroy(class->pool);
	class->pool = stack_pool_create(class->bytes, 1);
	task_current()->class = class;
	return own;
}

TASK_TEST(who_gets_no_stack_ends_so_and_nobody_else)
{
	struct bay_task *tasks[3];
	int n = 0;
	struct stack_class *own = leave_one_stack();

	tasks[0] = bay_spawn("holds", wait_for_cancel, NULL);
	tasks[1] = bay_spawn("none", count, &n);
	tasks[2] = bay_spawn("none either", count, &n);
	ck_assert_int_eq(bay_task_add_callback(tasks[1], note_end, &tasks[1]), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[1], BAY_INHERIT), BAY_NO_MEMORY);
	ck_assert_uint_eq(ended_before, 1);
	ck_assert_int_eq(bay_task_status(tasks[2]), BAY_NO_MEMORY);
	ck_assert_ptr_nonnull(strstr(bay_task_error(tasks[2]), "all 1 stacks of 64 KiB are in use"));
	bay_task_free(tasks[2]);
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 2);
	ck_assert(!bay_task_done(tasks[0]));
	bay_task_cancel(tasks[0], "enough");
	ck_assert_int_eq(bay_join(tasks[0], BAY_INHERIT), BAY_CANCELED);
	/* Now there is one again. */
	ck_assert_int_eq(bay_join(bay_spawn("runs", count, &n), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(n, 1);
	task_current()->class = own;
	return BAY_OK;
}

static const char *
say_whose(const struct bay_instance *instance)
{
	return (const char *)instance;
}

TASK_TEST(a_task_of_nobody_without_a_stack_fails_its_scope)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct bay_scope_failure failure;
	int n = 0;
	struct stack_class *own = leave_one_stack();

	log_lines_keep();
	run_tasks_scheduler.subject = say_whose;
	ck_assert_int_eq(bay_scope_go(scope, "holds", wait_for_cancel, NULL), BAY_OK);
	task_current()->instance = (struct bay_instance *)"service poor";
	ck_assert_int_eq(bay_scope_go(scope, "poor", count, &n), BAY_OK);
	task_current()->instance = NULL;
	ck_assert_int_eq(bay_scope_wait(scope), BAY_NO_MEMORY);
	ck_assert_uint_eq(bay_scope_failures(scope, &failure, 1), 1);
	ck_assert_str_eq(failure.name, "poor");
	ck_assert_int_eq(bay_scope_close(scope), BAY_NO_MEMORY);
	ck_assert_int_eq(log_lines_with("task poor failed: no-memory: no stack for it: all 1 stacks"), 1);
	/* Not by that of who happened to run before. */
	ck_assert_int_eq(log_lines_with("service poor: task poor failed"), 1);
	ck_assert_int_eq(n, 0);
	task_current()->class = own;
	return BAY_OK;
}

CHECK_MAIN("runtime/spawn",
	tasks_that_do_not_wait_share_one_stack,
	a_handle_tells_how_it_ended_without_a_stack,
	without_a_handle_only_the_stack_is_left,
	one_that_has_not_begun_can_be_cancelled,
	a_cancelled_scope_cancels_what_is_spawned_into_it,
	one_that_has_not_begun_is_in_the_list_and_can_be_renamed,
	a_new_name_outlives_the_stack,
	callbacks_can_be_added_before_the_first_turn,
	who_gets_no_stack_ends_so_and_nobody_else,
	a_task_of_nobody_without_a_stack_fails_its_scope)
