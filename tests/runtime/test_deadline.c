/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/deadline.h>

#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "runtime/task_extra.h"
#include "support/cancel_everywhere.h"
#include "support/log_lines.h"

enum { FAR = 3600 };

/* --- blocks ----------------------------------------------------------------------------- */

TASK_TEST(a_block_ends_what_waits_too_long)
{
	ck_assert_int_eq(bay_deadline_push(bay_after(2 * BAY_MS)), BAY_OK);
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline(), BAY_INHERIT);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_block_that_was_fast_enough_leaves_nothing_behind)
{
	ck_assert_int_eq(bay_deadline_push(bay_after(FAR * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	ck_assert_int_eq(bay_deadline(), BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(the_earliest_of_nested_blocks_counts)
{
	int64_t early = bay_after(BAY_SECOND), late = bay_after(2 * BAY_SECOND);

	bay_deadline_push(late);
	ck_assert_int_eq(bay_deadline(), late);
	bay_deadline_push(early);
	ck_assert_int_eq(bay_deadline(), early);
	bay_deadline_push(late);
	ck_assert_int_eq(bay_deadline(), early);
	bay_deadline_pop();
	bay_deadline_pop();
	ck_assert_int_eq(bay_deadline(), late);
	bay_deadline_pop();
	ck_assert_int_eq(bay_deadline(), BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(an_outer_timeout_is_told_from_the_own_one)
{
	bay_deadline_push(bay_after(2 * BAY_MS));
	bay_deadline_push(bay_after(FAR * BAY_SECOND));
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_TIMEOUT);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

TASK_TEST(the_deadline_of_the_task_itself_is_not_the_blocks)
{
	task_current()->deadline = bay_after(2 * BAY_MS);
	bay_deadline_push(bay_after(FAR * BAY_SECOND));
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_TIMEOUT);
	return BAY_OK;
}

TASK_TEST(a_block_can_be_moved_both_ways)
{
	int64_t outer = bay_after(2 * FAR * BAY_SECOND), later = bay_after(FAR * BAY_SECOND);

	bay_deadline_push(outer);
	bay_deadline_push(bay_after(2 * BAY_MS));
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_move(later), BAY_OK);
	ck_assert_int_eq(bay_deadline(), later);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_deadline_move(BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_deadline(), outer);
	ck_assert_int_eq(bay_deadline_move(0), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	return BAY_OK;
}

static int
check_deadline(void *arg)
{
	ck_assert_int_eq(bay_deadline(), *(int64_t *)arg);
	return BAY_OK;
}

TASK_TEST(what_is_spawned_in_a_block_inherits_it)
{
	int64_t deadline = bay_after(FAR * BAY_SECOND);
	struct bay_task *task;

	bay_deadline_push(deadline);
	task = bay_spawn("inherits", check_deadline, &deadline);
	bay_deadline_pop();
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* The wait of the block armed the timer; the next wait is longer. */
TASK_TEST(a_wait_after_a_block_is_not_ended_by_it)
{
	int64_t begun = bay_now();

	bay_deadline_push(bay_after(2 * BAY_MS));
	ck_assert_int_eq(bay_sleep(BAY_US), BAY_OK);
	bay_deadline_pop();
	ck_assert_int_eq(bay_sleep(6 * BAY_MS), BAY_OK);
	ck_assert_int_ge(bay_now() - begun, 6 * BAY_MS);
	return BAY_OK;
}

static int
check_no_block_left(void *arg)
{
	int64_t *deadline = arg;
	struct bay_task *task = bay_task_current();

	(void)task;
	bay_deadline_push(0);
	bay_deadline_push(0);
	*deadline = task_current()->extra->blocks->outer->outer_ns;
	return BAY_OK;
}

static void
see_end(struct bay_task *task, int status, void *arg)
{
	(void)status;
	*(int64_t *)arg = task_of_handle(task)->deadline;
}

TASK_TEST(blocks_that_are_forgotten_end_with_the_task)
{
	int64_t before = 0, after = 0;
	struct bay_task *task = bay_spawn("forgets", check_no_block_left, &before);

	ck_assert_int_eq(bay_task_add_callback(task, see_end, &after), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(before, BAY_INHERIT);
	ck_assert_int_eq(after, BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(who_is_in_no_block_is_told)
{
	log_lines_keep();
	ck_assert_int_eq(bay_deadline_pop(), BAY_INVALID);
	ck_assert_int_eq(bay_deadline_move(0), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_deadline_pop: task test is in no block"), 1);
	ck_assert_int_eq(log_lines_with("bay_deadline_move: task test is in no block"), 1);
	return BAY_OK;
}

/* The clock that awaits go by, which a yield that has to wait moves on. */
static void
pass_until(int64_t when_ns)
{
	while (task_current()->scheduler->loop.now_ns <= when_ns)
		(void)bay_yield();
}

/* When both are over, it is the outer one's doing. */
TASK_TEST(a_block_within_one_that_was_earlier_is_not_what_ended)
{
	int64_t outer = bay_after(2 * BAY_MS), inner = outer + BAY_MS;

	bay_deadline_push(outer);
	bay_deadline_push(inner);
	pass_until(inner);
	ck_assert_int_eq(bay_sleep(BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	ck_assert_int_eq(bay_deadline_pop(), BAY_TIMEOUT);
	return BAY_OK;
}

TASK_TEST(a_block_that_was_moved_is_judged_by_its_new_deadline)
{
	bay_deadline_push(bay_after(FAR * BAY_SECOND));
	bay_deadline_move(bay_after(BAY_MS));
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_deadline_pop(), BAY_TIMEOUT);
	bay_deadline_push(bay_after(BAY_MS));
	bay_deadline_move(bay_after(FAR * BAY_SECOND));
	ck_assert_int_eq(bay_sleep(2 * BAY_MS), BAY_OK);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	return BAY_OK;
}

/* As a handler, whose time begins at its first wait. */
static int
block_and_yield(void *arg)
{
	int status;

	(void)arg;
	bay_deadline_push(bay_after(FAR * BAY_SECOND));
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	ck_assert_int_ne(bay_deadline(), BAY_INHERIT);
	do
		status = bay_yield();
	while (status == BAY_OK);
	return status;
}

TASK_TEST(a_timeout_that_begins_in_a_block_outlives_it)
{
	struct task *self = task_current();
	struct task_spec spec = {.name = "timed", .fn = block_and_yield, .scope = &self->scope, .deadline = BAY_INHERIT,
		.timeout_ns = 2 * BAY_MS, .slot = STATUS_NO_SLOT, .class = self->class};
	struct task *task = task_create(self->scheduler, &spec);

	task_start(task);
	ck_assert_int_eq(bay_join(task->handle, bay_after(20 * BAY_SECOND)), BAY_TIMEOUT);
	return BAY_OK;
}

/* --- shield ------------------------------------------------------------------------------ */

struct shielded {
	int status;             /* of its own sleep */
	int64_t deadline;
	const char *reason;
	int result;
};

static int
sleep_in_shield(void *arg)
{
	struct shielded *shielded = arg;

	shielded->status = bay_sleep(2 * BAY_MS);
	shielded->deadline = bay_deadline();
	shielded->reason = bay_cancel_reason();
	return shielded->result;
}

TASK_TEST(a_shield_gives_the_result)
{
	struct shielded shielded = {.result = 7};
	int64_t deadline = bay_after(FAR * BAY_SECOND);

	ck_assert_int_eq(bay_shield("commits", sleep_in_shield, &shielded, deadline), 7);
	ck_assert_int_eq(shielded.status, BAY_OK);
	ck_assert_int_eq(shielded.deadline, deadline);
	return BAY_OK;
}

static int
look_around(void *local)
{
	ck_assert_str_eq(bay_task_name(bay_task_current()), "commits");
	ck_assert_ptr_eq(bay_local_get(local), local);
	return bay_local_set(local, NULL);
}

TASK_TEST(a_shield_has_its_name_and_the_values_of_its_task)
{
	struct bay_local *local = bay_local_create("value", NULL);

	ck_assert_int_eq(bay_local_set(local, local), BAY_OK);
	ck_assert_int_eq(bay_shield("commits", look_around, local, bay_after(FAR * BAY_SECOND)), BAY_OK);
	ck_assert_ptr_eq(bay_local_get(local), local);
	bay_local_destroy(local);
	return BAY_OK;
}

static int
shield_and_wait(void *arg)
{
	struct shielded *shielded = arg;
	int status = bay_shield("commits", sleep_in_shield, shielded, bay_after(FAR * BAY_SECOND));

	ck_assert_int_eq(status, shielded->result);
	ck_assert_str_eq(bay_cancel_reason(), "enough");
	return bay_yield();
}

TASK_TEST(a_cancellation_does_not_reach_into_it_and_is_seen_behind_it)
{
	struct shielded shielded = {.result = 7, .status = BAY_BUSY};
	struct bay_task *task = bay_spawn("shields", shield_and_wait, &shielded);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(shielded.status, BAY_OK);
	ck_assert_ptr_null(shielded.reason);
	bay_task_free(task);
	return BAY_OK;
}

static int
shield_when_cancelled(void *arg)
{
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_CANCELED);
	return shield_and_wait(arg);
}

TASK_TEST(a_task_that_is_cancelled_already_can_still_clean_up)
{
	struct shielded shielded = {.result = 7, .status = BAY_BUSY};
	struct bay_task *task = bay_spawn("shields", shield_when_cancelled, &shielded);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(shielded.status, BAY_OK);
	bay_task_free(task);
	return BAY_OK;
}

TASK_TEST(the_inherited_deadline_does_not_reach_into_it)
{
	struct shielded shielded = {.result = BAY_OK};

	bay_deadline_push(bay_after(BAY_US));
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_shield(NULL, sleep_in_shield, &shielded, bay_after(FAR * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(shielded.status, BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_TIMEOUT);
	bay_deadline_pop();
	return BAY_OK;
}

static int
sleep_long(void *arg)
{
	(void)arg;
	return bay_sleep(FAR * BAY_SECOND);
}

static int
spawn_and_join(void *arg)
{
	return bay_join(bay_spawn("below", sleep_long, arg), BAY_INHERIT);
}

TASK_TEST(its_own_deadline_ends_it_and_all_below)
{
	ck_assert_int_eq(bay_shield("slow", sleep_long, NULL, bay_after(2 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_shield("slow", spawn_and_join, NULL, bay_after(2 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

static bool below_has_ended;

static int
end_slowly(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_sleep(FAR * BAY_SECOND), BAY_CANCELED);
	below_has_ended = true;
	return BAY_CANCELED;
}

static int
forget_below(void *arg)
{
	ck_assert_int_eq(bay_go("below", end_slowly, arg), BAY_OK);
	return bay_yield();
}

TASK_TEST(what_it_spawned_has_ended_when_it_has)
{
	below_has_ended = false;
	ck_assert_int_eq(bay_shield("forgets", forget_below, NULL, bay_after(FAR * BAY_SECOND)), BAY_OK);
	ck_assert(below_has_ended);
	return BAY_OK;
}

static int
fail_at_once(void *arg)
{
	(void)arg;
	return BAY_IO;
}

static int
shield_among_failures(void *arg)
{
	struct shielded *shielded = arg;

	ck_assert_int_eq(bay_go("fails", fail_at_once, NULL), BAY_OK);
	ck_assert_int_eq(bay_shield("commits", sleep_in_shield, shielded, bay_after(FAR * BAY_SECOND)), BAY_OK);
	return bay_yield();
}

TASK_TEST(the_failure_of_a_sibling_does_not_reach_into_it)
{
	struct shielded shielded = {.result = BAY_OK, .status = BAY_BUSY};
	struct bay_task *task = bay_spawn("shields", shield_among_failures, &shielded);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(shielded.status, BAY_OK);
	bay_task_free(task);
	return BAY_OK;
}

static int
nested(void *arg)
{
	return bay_shield("inner", sleep_in_shield, arg, bay_after(FAR * BAY_SECOND));
}

TASK_TEST(a_shield_in_a_shield_has_a_deadline_of_its_own)
{
	struct shielded shielded = {.result = BAY_OK};

	ck_assert_int_eq(bay_shield("outer", nested, &shielded, 0), BAY_OK);
	ck_assert_int_eq(shielded.status, BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_shield_without_a_deadline_is_refused)
{
	log_lines_keep();
	ck_assert_int_eq(bay_shield("endless", sleep_long, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_shield("nothing", NULL, NULL, 0), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_shield: what no cancellation ends needs a deadline"), 1);
	ck_assert_int_eq(log_lines_with("bay_shield: there is no function"), 1);
	return BAY_OK;
}

static int
return_at_once(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static int
count_turns(void *arg)
{
	for (;;) {
		int status = bay_yield();

		if (status != BAY_OK)
			return status;
		++*(int *)arg;
	}
}

TASK_TEST(a_loop_of_shields_lets_others_run)
{
	int i, turns = 0;
	struct bay_task *task = bay_spawn("turns", count_turns, &turns);

	for (i = 0; i < 4 * SCHEDULER_SLICE; i++)
		ck_assert_int_eq(bay_shield("short", return_at_once, NULL, bay_after(BAY_SECOND)), BAY_OK);
	ck_assert_int_ge(turns, 2);
	bay_task_free(task);
	return BAY_OK;
}

/* --- at every await ------------------------------------------------------------------------ */

EVERYWHERE(blocks_and_waits, 4, run_tasks_check_nothing_left)
{
	int status;

	bay_deadline_push(bay_after(FAR * BAY_SECOND));
	status = points_expect(bay_yield());
	bay_deadline_push(bay_after(FAR * BAY_SECOND));
	if (status == BAY_OK)
		status = points_expect(bay_sleep(20 * BAY_US));
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	if (status == BAY_OK)
		status = points_expect(bay_yield());
	ck_assert_int_eq(bay_deadline_pop(), BAY_OK);
	if (status == BAY_OK)
		status = points_expect(bay_sleep(20 * BAY_US));
	return status;
}

static int commits;

static int
commit(void *arg)
{
	int status = points_expect(bay_yield());

	(void)arg;
	if (status == BAY_OK)
		status = points_expect(bay_sleep(20 * BAY_US));
	commits++;
	return status;
}

EVERYWHERE(shields, 4, run_tasks_check_nothing_left)
{
	int status = points_expect(bay_yield()), done;

	/* Whatever has happened until now, it comes to its end. */
	commits = 0;
	done = points_expect(bay_shield("commits", commit, NULL, bay_after(FAR * BAY_SECOND)));
	ck_assert_int_eq(commits, 1);
	return status != BAY_OK ? status : done;
}

CHECK_MAIN("runtime/deadline",
	a_block_ends_what_waits_too_long,
	a_block_that_was_fast_enough_leaves_nothing_behind,
	a_block_within_one_that_was_earlier_is_not_what_ended,
	a_block_that_was_moved_is_judged_by_its_new_deadline,
	a_timeout_that_begins_in_a_block_outlives_it,
	a_shield_has_its_name_and_the_values_of_its_task,
	the_earliest_of_nested_blocks_counts,
	an_outer_timeout_is_told_from_the_own_one,
	the_deadline_of_the_task_itself_is_not_the_blocks,
	a_block_can_be_moved_both_ways,
	what_is_spawned_in_a_block_inherits_it,
	a_wait_after_a_block_is_not_ended_by_it,
	blocks_that_are_forgotten_end_with_the_task,
	who_is_in_no_block_is_told,
	a_shield_gives_the_result,
	a_cancellation_does_not_reach_into_it_and_is_seen_behind_it,
	a_task_that_is_cancelled_already_can_still_clean_up,
	the_inherited_deadline_does_not_reach_into_it,
	its_own_deadline_ends_it_and_all_below,
	what_it_spawned_has_ended_when_it_has,
	the_failure_of_a_sibling_does_not_reach_into_it,
	a_shield_in_a_shield_has_a_deadline_of_its_own,
	a_shield_without_a_deadline_is_refused,
	a_loop_of_shields_lets_others_run,
	blocks_and_waits,
	shields)
