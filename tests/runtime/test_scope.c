/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scope.h"

#include <stdlib.h>
#include <string.h>

#include <bay/scope.h>

#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

static int
count(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

static int
fails(void *arg)
{
	(void)arg;
	return BAY_IO;
}

static int
fail_later(void *arg)
{
	(void)arg;
	(void)bay_sleep(2 * BAY_MS);
	return BAY_FULL;
}

/* Keeps the first letters of why it was cancelled. */
static int
wait_for_cancel(void *arg)
{
	int status = bay_sleep(100 * BAY_SECOND);

	if (arg != NULL && bay_cancel_reason() != NULL)
		strncpy(arg, bay_cancel_reason(), 63);
	return status;
}

TASK_TEST(closing_waits_for_all)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int i, n = 0;

	for (i = 0; i < 100; i++)
		ck_assert_int_eq(bay_scope_go(scope, "count", count, &n), BAY_OK);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(n, 100);
	return BAY_OK;
}

TASK_TEST(an_empty_scope_closes_at_once)
{
	ck_assert_int_eq(bay_scope_close(bay_scope_open(BAY_INHERIT)), BAY_OK);
	ck_assert_int_eq(bay_scope_close(NULL), BAY_INVALID);
	return BAY_OK;
}

TASK_TEST(the_first_failure_cancels_the_others_and_is_the_result)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	char reason[64] = "";

	ck_assert_int_eq(bay_scope_go(scope, "waits", wait_for_cancel, reason), BAY_OK);
	ck_assert_int_eq(bay_scope_go(scope, "fails later", fail_later, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_go(scope, "fails", fails, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_IO);
	ck_assert_str_eq(reason, "task fails failed: io");
	/* Only the scope has failed, not we. */
	ck_assert_ptr_null(bay_cancel_reason());
	return BAY_OK;
}

TASK_TEST(a_handle_that_nobody_collected_gives_its_failure_to_the_scope)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct bay_task *task = bay_scope_spawn(scope, "fails", fails, NULL);

	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_scope_close(scope), BAY_IO);
	return BAY_OK;
}

TASK_TEST(a_handle_that_somebody_collected_does_not)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct bay_task *task = bay_scope_spawn(scope, "fails", fails, NULL);
	struct bay_task *seen = bay_scope_spawn(scope, "fails too", fails, NULL);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_IO);
	ck_assert_int_eq(bay_task_status(seen), BAY_IO);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

TASK_TEST(cancelling_reaches_those_to_come)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	char before[64] = "", after[64] = "";

	ck_assert_int_eq(bay_scope_go(scope, "before", wait_for_cancel, before), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_scope_cancel(scope, "enough");
	ck_assert_int_eq(bay_scope_go(scope, "after", wait_for_cancel, after), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_str_eq(before, "enough");
	ck_assert_str_eq(after, "enough");
	return BAY_OK;
}

static int
check_inherited(void *arg)
{
	ck_assert_int_eq(bay_deadline(), *(int64_t *)arg);
	return BAY_OK;
}

TASK_TEST(its_tasks_inherit_the_earlier_deadline)
{
	int64_t early = bay_after(BAY_SECOND), late = bay_after(2 * BAY_SECOND);
	struct bay_scope *outer = bay_scope_open(early);

	ck_assert_int_eq(bay_scope_go(outer, "inherits", check_inherited, &early), BAY_OK);
	ck_assert_int_eq(bay_scope_close(outer), BAY_OK);
	outer = bay_scope_open(late);
	task_current()->deadline = early;
	ck_assert_int_eq(bay_scope_go(outer, "inherits", check_inherited, &early), BAY_OK);
	ck_assert_int_eq(bay_scope_close(outer), BAY_OK);
	return BAY_OK;
}

TASK_TEST(at_its_deadline_all_are_cancelled_and_waited_for)
{
	int64_t deadline = bay_after(3 * BAY_MS);
	struct bay_scope *scope = bay_scope_open(deadline);
	int i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(bay_scope_go(scope, "waits", wait_for_cancel, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 1);
	return BAY_OK;
}

static int
open_and_forget(void *arg)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	ck_assert_ptr_nonnull(bay_scope_open(BAY_INHERIT));
	ck_assert_int_eq(bay_scope_go(scope, "waits", wait_for_cancel, arg), BAY_OK);
	return bay_yield();
}

TASK_TEST(one_that_is_forgotten_is_cancelled_and_closed)
{
	char reason[64] = "";

	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("forgets", open_and_forget, reason), BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(reason, "its owner has ended");
	ck_assert_int_eq(log_lines_with("open scope"), 2);
	return BAY_OK;
}

struct late {
	struct bay_scope *scope;
	int ran;
};

/* Is ready at the moment at which the last task of the scope ends, and runs before the one
 * who closes. */
static int
come_late(void *arg)
{
	struct late *late = arg;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	return bay_scope_go(late->scope, "late", count, &late->ran);
}

TASK_TEST(closing_waits_for_those_who_come_while_it_waits)
{
	struct late late = {.scope = bay_scope_open(BAY_INHERIT)};
	int n = 0;

	ck_assert_int_eq(bay_go("comes late", come_late, &late), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_scope_go(late.scope, "count", count, &n), BAY_OK);
	/* Now ready: who comes late, then the one who ends. Turn them around. */
	ck_assert_ptr_nonnull(run_tasks_scheduler.ready_head->next);
	{
		struct ready *first = run_tasks_scheduler.ready_head, *second = first->next;

		run_tasks_scheduler.ready_head = second;
		second->next = first;
		first->next = NULL;
		run_tasks_scheduler.ready_tail = first;
	}
	ck_assert_int_eq(bay_scope_close(late.scope), BAY_OK);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(late.ran, 1);
	return BAY_OK;
}

static int
close_what_is_not_mine(void *arg)
{
	ck_assert_int_eq(bay_scope_close(arg), BAY_INVALID);
	return BAY_OK;
}

TASK_TEST(only_the_task_that_opened_it_closes_it)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("closes", close_what_is_not_mine, scope), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(log_lines_with("only the task that opened"), 1);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

static int
go_into(void *arg)
{
	task_current()->request = (struct bay_request *)1; /* what it must not hand on */
	return bay_scope_go(arg, "guest", wait_for_cancel, NULL);
}

/* What lives in a scope belongs to the scope's owner, whoever put it there. */
TASK_TEST(another_task_may_add_to_it_and_end)
{
	struct bay_scope *scope = bay_scope_open(bay_after(5 * BAY_MS));
	struct bay_task *guest = bay_spawn("adds", go_into, scope);

	ck_assert_int_eq(bay_join(guest, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_ptr_null(container_of(list_last(&run_tasks_scheduler.tasks), struct task, in_scheduler)->request);
	ck_assert_int_eq(bay_scope_close(scope), BAY_TIMEOUT);
	return BAY_OK;
}

static int
open_two(void *arg)
{
	struct bay_scope *inner, *outer = bay_scope_open(BAY_INHERIT);

	ck_assert_int_eq(bay_scope_go(outer, "outer", wait_for_cancel, NULL), BAY_OK);
	inner = bay_scope_open(BAY_INHERIT);
	ck_assert_int_eq(bay_scope_go(inner, "inner", wait_for_cancel, arg), BAY_OK);
	ck_assert_int_eq(bay_scope_close(inner), BAY_CANCELED);
	ck_assert_int_eq(bay_scope_close(outer), BAY_CANCELED);
	return BAY_CANCELED;
}

TASK_TEST(cancelling_the_one_who_waits_cancels_those_it_waits_for)
{
	char reason[64] = "";
	struct bay_task *task = bay_spawn("opens two", open_two, reason);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(reason, "enough");
	return BAY_OK;
}

static int
end_by_a_child(void *arg)
{
	ck_assert_int_eq(bay_go("child", arg, NULL), BAY_OK);
	return bay_sleep(100 * BAY_SECOND);
}

static int
fails_too(void *arg)
{
	(void)arg;
	return BAY_FULL;
}

/* Both are cancelled by failures of their own, in the same turn, so that neither end is an
 * effect of the other. */
TASK_TEST(of_two_failures_the_first_is_the_result)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	log_lines_keep();
	ck_assert_int_eq(bay_scope_go(scope, "first", end_by_a_child, (void *)fails), BAY_OK);
	ck_assert_int_eq(bay_scope_go(scope, "second", end_by_a_child, (void *)fails_too), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_IO);
	ck_assert_int_eq(log_lines_with("task first failed"), 1);
	ck_assert_int_eq(log_lines_with("task second failed"), 1);
	return BAY_OK;
}

/* Does not care for its deadline, only for being cancelled. */
static int
go_on_until_cancelled(void *arg)
{
	(void)arg;
	while (bay_cancel_reason() == NULL)
		task_yield();
	return BAY_OK;
}

TASK_TEST(its_deadline_cancels_those_who_do_not_see_theirs)
{
	struct bay_scope *scope = bay_scope_open(bay_after(BAY_MS));

	ck_assert_int_eq(bay_scope_go(scope, "goes on", go_on_until_cancelled, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_TIMEOUT);
	return BAY_OK;
}

TASK_TEST(its_owners_deadline_is_its_own)
{
	struct bay_scope *scope;

	task_current()->deadline = bay_after(BAY_MS);
	scope = bay_scope_open(BAY_INHERIT);
	ck_assert_int_eq(bay_scope_go(scope, "goes on", go_on_until_cancelled, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_TIMEOUT);
	task_current()->deadline = BAY_INHERIT;
	return BAY_OK;
}

/* Ends when its waiter is woken, cancelled or not. */
static int
end_late(void *arg)
{
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_TO_THE_END);
	*(struct waiter **)arg = &waiter;
	return task_await(&waiter, BAY_INHERIT);
}

static int
close_with_one_that_ends_late(void *arg)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	ck_assert_int_eq(bay_scope_go(scope, "ends late", end_late, arg), BAY_OK);
	return bay_scope_close(scope);
}

/* Who is cancelled waits for the others' end, and does not ask for it again and again. */
TASK_TEST(a_cancelled_close_waits_in_peace)
{
	struct waiter *late = NULL;
	struct bay_task *task = bay_spawn("closes", close_with_one_that_ends_late, &late);
	uint64_t switches;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	switches = run_tasks_scheduler.switches;
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_sleep(3 * BAY_MS), BAY_OK);
	ck_assert(!bay_task_done(task));
	waiter_wake(late, BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_uint_lt(run_tasks_scheduler.switches - switches, 10);
	return BAY_OK;
}

/* --- the frame of an owner that has returned ------------------------------------------------ */

static int begun;

static int
write_there(void *arg)
{
	begun++;
	*(volatile int *)arg = 7;
	return bay_sleep(BAY_SECOND);
}

static int
free_there(void *arg)
{
	begun++;
	ck_assert_ptr_nonnull(bay_cancel_reason());
	free(arg);
	return BAY_OK;
}

static int
leave_behind_not_begun(void *arg)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int local[64];

	(void)arg;
	ck_assert_int_eq(bay_go("local", write_there, &local[0]), BAY_OK);
	ck_assert_int_eq(bay_scope_go(scope, "local", write_there, &local[63]), BAY_OK);
	ck_assert_int_eq(bay_go("heap", free_there, malloc(100)), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_task_never_begins_with_a_frame_that_is_gone)
{
	begun = 0;
	ck_assert_int_eq(bay_join(bay_spawn("owner", leave_behind_not_begun, NULL), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(begun, 1);
	return BAY_OK;
}

static int
leave_behind_begun(void *arg)
{
	int local = 0;

	(void)arg;
	ck_assert_int_eq(bay_go("late", write_there, &local), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(local, 7);
	return BAY_OK;
}

TASK_TEST(a_task_that_goes_on_with_a_frame_that_is_gone_is_told_of)
{
	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("owner", leave_behind_begun, NULL), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(log_lines_with("task late goes on with what task owner, which has returned, had on its stack"), 1);
	return BAY_OK;
}

CHECK_MAIN("runtime/scope",
	a_task_never_begins_with_a_frame_that_is_gone,
	a_task_that_goes_on_with_a_frame_that_is_gone_is_told_of,
	closing_waits_for_all,
	an_empty_scope_closes_at_once,
	the_first_failure_cancels_the_others_and_is_the_result,
	a_handle_that_nobody_collected_gives_its_failure_to_the_scope,
	a_handle_that_somebody_collected_does_not,
	cancelling_reaches_those_to_come,
	its_tasks_inherit_the_earlier_deadline,
	at_its_deadline_all_are_cancelled_and_waited_for,
	one_that_is_forgotten_is_cancelled_and_closed,
	closing_waits_for_those_who_come_while_it_waits,
	only_the_task_that_opened_it_closes_it,
	another_task_may_add_to_it_and_end,
	cancelling_the_one_who_waits_cancels_those_it_waits_for,
	of_two_failures_the_first_is_the_result,
	its_deadline_cancels_those_who_do_not_see_theirs,
	its_owners_deadline_is_its_own,
	a_cancelled_close_waits_in_peace)
