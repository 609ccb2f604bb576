/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include <bay/task.h>

#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

/* --- what tasks do here ------------------------------------------------------------ */

struct part {
	int64_t span_ns;
	int status;
	int ended;      /* the number of those that ended before, plus one */
	int canceled;
	int *clock;
};

static int
sleep_and_end(void *arg)
{
	struct part *part = arg;
	int status = part->span_ns == 0 ? bay_yield() : bay_sleep(part->span_ns);

	part->canceled = status == BAY_CANCELED;
	if (part->clock != NULL)
		part->ended = ++*part->clock;
	return status != BAY_OK ? status : part->status;
}

static int
join_it(void *arg)
{
	return bay_join(arg, BAY_INHERIT);
}

static int
gather_it(void *arg)
{
	struct bay_task *tasks[] = {arg};

	return bay_gather(tasks, 1, BAY_INHERIT);
}

static struct bay_task *
start(struct part *part)
{
	struct bay_task *task = bay_spawn("part", sleep_and_end, part);

	ck_assert_ptr_nonnull(task);
	return task;
}

static void
free_all(struct bay_task **tasks, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		bay_task_free(tasks[i]);
}

/* --- join ---------------------------------------------------------------------------- */

TASK_TEST(a_join_that_times_out_leaves_the_handle)
{
	struct part part = {.span_ns = 20 * BAY_MS, .status = 5};
	struct bay_task *task = start(&part);
	int64_t deadline = bay_after(BAY_MS);

	ck_assert_int_eq(bay_join(task, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert(!bay_task_done(task));
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), 5);
	return BAY_OK;
}

TASK_TEST(a_result_that_is_there_is_given_even_after_the_deadline)
{
	struct part part = {.status = BAY_TIMEOUT};
	struct bay_task *task = start(&part);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(task));
	ck_assert_int_eq(bay_join(task, 0), BAY_TIMEOUT);
	return BAY_OK;
}

TASK_TEST(a_task_cannot_wait_for_itself)
{
	struct bay_task *self = task_current()->handle;
	struct part part = {.span_ns = BAY_MS};
	struct bay_task *both[] = {start(&part), self};
	size_t which;

	log_lines_keep();
	ck_assert_int_eq(bay_join(self, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_gather(both, 2, bay_after(10 * BAY_MS)), BAY_INVALID);
	ck_assert_int_eq(bay_wait_first(&self, 1, &which, bay_after(BAY_MS)), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("wait for itself"), 3);
	ck_assert_int_eq(bay_join(both[0], BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_second_waiter_is_refused)
{
	struct part part = {.span_ns = 2 * BAY_MS};
	struct bay_task *task = start(&part);
	struct bay_task *first = bay_spawn("first", join_it, task);
	struct bay_task *list[] = {task};
	size_t which;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	log_lines_keep();
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_BUSY);
	ck_assert_int_eq(bay_gather(list, 1, BAY_INHERIT), BAY_BUSY);
	ck_assert_int_eq(bay_wait_first(list, 1, &which, BAY_INHERIT), BAY_BUSY);
	ck_assert_int_eq(log_lines_with("one at a time"), 3);
	ck_assert_int_eq(bay_join(first, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

struct shared {
	struct bay_task *task;
	int status;
};

static int
join_shared(void *arg)
{
	struct shared *shared = arg;

	shared->status = bay_join(shared->task, BAY_INHERIT);
	return BAY_OK;
}

static int
make_and_leave(void *arg)
{
	struct shared *shared = arg;
	static struct part part = {.span_ns = BAY_MS, .status = 9};

	shared->task = start(&part);
	/* So we run between the end of the task and the one who joins it. */
	while (!bay_task_done(shared->task))
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

/* It must not be given back twice, by its owner's end and by the joiner. */
TASK_TEST(a_handle_joined_by_another_task_survives_its_owner)
{
	struct shared shared = {.status = BAY_BUSY};
	struct bay_task *owner = bay_spawn("owner", make_and_leave, &shared);
	struct bay_task *joins, *more[3];
	struct part parts[3] = {{.status = 1}, {.status = 2}, {.status = 3}};
	size_t i;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	joins = bay_spawn("joins", join_shared, &shared);
	ck_assert_int_eq(bay_join(owner, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(joins, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(shared.status, 9);
	/* No stack is given to two. */
	for (i = 0; i < 3; i++)
		more[i] = start(&parts[i]);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(bay_join(more[i], BAY_INHERIT), (int)i + 1);
	return BAY_OK;
}

/* --- gather ---------------------------------------------------------------------------- */

TASK_TEST(a_gather_waits_for_all)
{
	struct part parts[10];
	struct bay_task *tasks[10];
	int clock = 0, i;

	for (i = 0; i < 10; i++) {
		parts[i] = (struct part){.span_ns = (10 - i) * BAY_MS / 4, .clock = &clock};
		tasks[i] = start(&parts[i]);
	}
	ck_assert_int_eq(bay_gather(tasks, 10, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(clock, 10);
	/* Once more: all have ended. */
	ck_assert_int_eq(bay_gather(tasks, 10, 0), BAY_OK);
	ck_assert_int_eq(bay_gather(NULL, 0, BAY_INHERIT), BAY_OK);
	free_all(tasks, 10);
	return BAY_OK;
}

TASK_TEST(the_first_failure_cancels_the_others_which_then_have_ended)
{
	int clock = 0;
	struct part parts[] = {
		{.span_ns = 100 * BAY_SECOND, .clock = &clock},
		{.span_ns = 100 * BAY_SECOND, .status = BAY_FULL, .clock = &clock},
		{.span_ns = BAY_MS, .status = BAY_IO, .clock = &clock},
	};
	struct bay_task *tasks[] = {start(&parts[0]), start(&parts[1]), start(&parts[2])};

	log_lines_keep();
	ck_assert_int_eq(bay_gather(tasks, 3, BAY_INHERIT), BAY_IO);
	ck_assert_int_eq(parts[2].ended, 1);
	ck_assert_int_eq(parts[0].canceled + parts[1].canceled, 2);
	ck_assert_int_eq(clock, 3);
	ck_assert_int_eq(bay_task_status(tasks[0]), BAY_CANCELED);
	ck_assert_int_eq(bay_task_status(tasks[2]), BAY_IO);
	free_all(tasks, 3);
	ck_assert_int_eq(log_lines_with(""), 0);
	return BAY_OK;
}

TASK_TEST(a_failure_that_was_there_before_cancels_the_others_too)
{
	struct part slow = {.span_ns = 100 * BAY_SECOND}, bad = {.status = BAY_IO};
	struct bay_task *tasks[] = {start(&slow), start(&bad)};

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(tasks[1]));
	ck_assert_int_eq(bay_gather(tasks, 2, BAY_INHERIT), BAY_IO);
	ck_assert(bay_task_done(tasks[0]));
	ck_assert(slow.canceled);
	free_all(tasks, 2);
	return BAY_OK;
}

TASK_TEST(a_missing_handle_counts_as_no_memory)
{
	struct part slow = {.span_ns = 100 * BAY_SECOND};
	struct bay_task *tasks[] = {start(&slow), NULL};
	size_t which = 7;

	ck_assert_int_eq(bay_wait_first(tasks, 2, &which, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(which, 1);
	ck_assert_int_eq(bay_gather(tasks, 2, BAY_INHERIT), BAY_NO_MEMORY);
	ck_assert(slow.canceled);
	free_all(tasks, 2);
	return BAY_OK;
}

TASK_TEST(at_the_deadline_all_are_cancelled)
{
	struct part slow = {.span_ns = 100 * BAY_SECOND}, quick = {.span_ns = 1};
	struct bay_task *tasks[] = {start(&slow), start(&quick)};
	int64_t deadline;

	while (!bay_task_done(tasks[1]))
		ck_assert_int_eq(bay_yield(), BAY_OK);
	deadline = bay_after(2 * BAY_MS);
	ck_assert_int_eq(bay_gather(tasks, 2, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	/* That is the cause, and nobody asks who did it. */
	ck_assert_int_eq(bay_task_status(tasks[0]), BAY_TIMEOUT);
	ck_assert_int_eq(bay_task_status(tasks[1]), BAY_OK);
	free_all(tasks, 2);
	return BAY_OK;
}

struct told {
	struct bay_task *task;
	const char *reason;
};

static int
tell_reason(void *arg)
{
	struct told *told = arg;

	ck_assert_int_eq(bay_sleep(100 * BAY_SECOND), BAY_CANCELED);
	told->reason = strcmp(bay_cancel_reason(), "operator") == 0 ? "as it should be" : "something else";
	return BAY_OK;
}

static int
gather_one_that_tells(void *arg)
{
	struct told *told = arg;
	int status;

	told->task = bay_spawn("tells", tell_reason, told);
	status = bay_gather(&told->task, 1, BAY_INHERIT);
	bay_task_free(told->task);
	return status;
}

TASK_TEST(a_cancelled_gather_cancels_with_its_own_reason)
{
	struct told told = {.reason = NULL};
	struct bay_task *task = bay_spawn("gathers", gather_one_that_tells, &told);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "operator");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(told.reason, "as it should be");
	return BAY_OK;
}

TASK_TEST(the_same_handle_twice_is_refused)
{
	struct part part = {.span_ns = BAY_MS};
	struct bay_task *task = start(&part);
	struct bay_task *twice[] = {task, task};

	ck_assert_int_eq(bay_gather(twice, 2, BAY_INHERIT), BAY_BUSY);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* Also one that would fail at once. */
TASK_TEST(a_gather_leaves_the_waiters_of_others)
{
	struct part bad = {.status = BAY_IO}, waited = {.span_ns = 3 * BAY_MS};
	struct bay_task *other = start(&waited), *fails = start(&bad);
	struct bay_task *joins = bay_spawn("joins", gather_it, other);
	struct bay_task *both[] = {fails, other};

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(fails));
	ck_assert_int_eq(bay_gather(both, 2, BAY_INHERIT), BAY_BUSY);
	ck_assert_int_eq(bay_join(joins, bay_after(2 * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(bay_task_status(fails), BAY_IO);
	free_all(both, 2);
	return BAY_OK;
}

/* --- wait_first -------------------------------------------------------------------------- */

TASK_TEST(the_first_that_ends_is_named_and_the_others_go_on)
{
	struct part parts[] = {{.span_ns = BAY_SECOND}, {.span_ns = BAY_MS, .status = BAY_IO}, {.span_ns = BAY_SECOND}};
	struct bay_task *tasks[] = {start(&parts[0]), start(&parts[1]), start(&parts[2])};
	size_t which = 7;

	ck_assert_int_eq(bay_wait_first(tasks, 3, &which, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(which, 1);
	ck_assert(!bay_task_done(tasks[0]));
	ck_assert(!bay_task_done(tasks[2]));
	ck_assert_int_eq(bay_task_status(tasks[1]), BAY_IO);
	/* It stays the first as long as it is in the list. */
	ck_assert_int_eq(bay_wait_first(tasks, 3, &which, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(which, 1);
	ck_assert_int_eq(bay_wait_first(&tasks[2], 1, &which, bay_after(1)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_join(tasks[2], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[0], BAY_INHERIT), BAY_OK);
	bay_task_free(tasks[1]);
	return BAY_OK;
}

TASK_TEST(nothing_to_wait_for_is_refused)
{
	size_t which;

	ck_assert_int_eq(bay_wait_first(NULL, 0, &which, BAY_INHERIT), BAY_INVALID);
	return BAY_OK;
}

TASK_TEST(of_failures_in_one_turn_the_first_is_the_result)
{
	struct part parts[] = {{.status = BAY_IO}, {.status = BAY_FULL}};
	struct bay_task *tasks[] = {start(&parts[0]), start(&parts[1])};

	ck_assert_int_eq(bay_gather(tasks, 2, BAY_INHERIT), BAY_IO);
	ck_assert(!parts[1].canceled);
	free_all(tasks, 2);
	return BAY_OK;
}

/* A failure that a gather told of is no surprise to anybody later. */
TASK_TEST(gathered_failures_are_collected)
{
	struct part parts[] = {{.status = BAY_IO}, {.status = BAY_FULL}};
	struct bay_task *tasks[] = {start(&parts[0]), start(&parts[1])};

	log_lines_keep();
	ck_assert_int_eq(bay_gather(tasks, 2, BAY_INHERIT), BAY_IO);
	free_all(tasks, 2);
	ck_assert_ptr_null(bay_cancel_reason());
	tasks[0] = start(&parts[0]);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(tasks[0]));
	ck_assert_int_eq(bay_gather(tasks, 1, BAY_INHERIT), BAY_IO);
	bay_task_free(tasks[0]);
	ck_assert_ptr_null(bay_cancel_reason());
	ck_assert_int_eq(log_lines_with("failed"), 0);
	return BAY_OK;
}

struct late_join {
	struct bay_task *task;
	int status;
};

static int
join_late(void *arg)
{
	struct late_join *join = arg;

	join->status = bay_join(join->task, BAY_INHERIT);
	return BAY_OK;
}

/* Cancelled first; but by its turn what it waited for has ended, and is its to collect. */
TASK_TEST(a_join_that_is_cut_short_still_gives_a_result_that_came)
{
	struct part part = {.status = 7};
	struct late_join join = {.task = start(&part)};
	struct bay_task *joins = bay_spawn("joins", join_late, &join);

	/* The part now yields for the second time before the one who joins it has its turn. */
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(joins, "enough");
	ck_assert_int_eq(bay_join(joins, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(join.status, 7);
	return BAY_OK;
}

static int
join_and_look(void *arg)
{
	ck_assert_int_eq(bay_join(arg, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert(bay_task_done(arg));
	ck_assert_int_eq(bay_task_status(arg), BAY_TIMEOUT);
	return BAY_OK;
}

/* The one who joins has to ask: so there must be somebody left to be asked. */
TASK_TEST(a_task_that_itself_timed_out_can_be_asked_after_the_join)
{
	static const int results[] = {BAY_TIMEOUT, BAY_CANCELED};
	struct part late = {.status = BAY_TIMEOUT};
	struct bay_task *joins;

	for (size_t i = 0; i < 2; i++) {
		struct part part = {.status = results[i]}, early = {.status = results[i]};
		struct bay_task *task = start(&part), *over = start(&early);

		ck_assert_int_eq(bay_join(task, BAY_INHERIT), results[i]);
		ck_assert(bay_task_done(task));
		ck_assert_int_eq(bay_task_status(task), results[i]);
		bay_task_free(task);
		ck_assert_int_eq(bay_yield(), BAY_OK);
		ck_assert(bay_task_done(over));
		ck_assert_int_eq(bay_join(over, 0), results[i]);
		ck_assert_int_eq(bay_task_status(over), results[i]);
		bay_task_free(over);
	}
	/* Who neither frees it nor owns it keeps it to its own end. */
	joins = bay_spawn("joins", join_and_look, start(&late));
	ck_assert_int_eq(bay_join(joins, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

struct ended {
	struct bay_task *task;
	bool begun;
	int status[5];
};

/* Waits in every way for a task that has ended, itself cancelled before it could begin to. */
static int
wait_cancelled(void *arg)
{
	struct ended *ended = arg;
	size_t which = 0;

	ended->begun = true;
	while (bay_yield() == BAY_OK)
		;
	ended->status[0] = bay_join(ended->task, BAY_INHERIT);
	ended->status[1] = bay_gather(&ended->task, 1, BAY_INHERIT);
	ended->status[2] = bay_gather_all(&ended->task, 1, BAY_INHERIT);
	ended->status[3] = bay_wait(&ended->task, 1, BAY_UNTIL_ANY, BAY_INHERIT);
	ended->status[4] = bay_wait_first(&ended->task, 1, &which, BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(a_cancelled_task_hears_that_first_and_the_result_stays)
{
	struct part part = {.status = BAY_OK};
	struct ended ended = {.task = start(&part)};
	struct bay_task *waits = bay_spawn("waits", wait_cancelled, &ended);
	size_t i;

	while (!ended.begun || !bay_task_done(ended.task))
		ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(waits, "enough");
	ck_assert_int_eq(bay_join(waits, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 5; i++)
		ck_assert_msg(ended.status[i] == BAY_CANCELED, "way %zu: %d", i, ended.status[i]);
	ck_assert_int_eq(bay_task_status(ended.task), BAY_OK);
	ck_assert_int_eq(bay_join(ended.task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static int
count_turns(void *arg)
{
	int *turns = arg;

	++*turns;
	return BAY_OK;
}

/* Whatever a wait says at once, a loop of it lets others run. */
TASK_TEST(a_loop_of_waits_that_need_not_wait_lets_others_run)
{
	struct part part = {.span_ns = 3600 * BAY_SECOND}, over = {.status = BAY_OK};
	struct bay_task *task = start(&part), *joins = bay_spawn("joins", join_it, task);
	struct bay_task *ended = start(&over);
	int turns = 0, i, way;
	size_t which;

	while (!bay_task_done(ended))
		ck_assert_int_eq(bay_yield(), BAY_OK);
	log_lines_keep();
	for (way = 0; way < 7; way++) {
		ck_assert_int_eq(bay_go("counts", count_turns, &turns), BAY_OK);
		for (i = 0; i < 2 * SCHEDULER_SLICE && turns == way; i++) {
			int status = way == 0 ? bay_join(NULL, BAY_INHERIT)
				: way == 1 ? bay_join(task, BAY_INHERIT)
				: way == 2 ? bay_gather(&ended, 1, BAY_INHERIT)
				: way == 3 ? bay_gather_all(&ended, 1, BAY_INHERIT)
				: way == 4 ? bay_wait(&ended, 1, BAY_UNTIL_ALL, BAY_INHERIT)
				: way == 5 ? bay_wait_first(&ended, 1, &which, BAY_INHERIT)
				: bay_wait(&joins, 1, BAY_UNTIL_ANY, 0);

			(void)status;
		}
		ck_assert_msg(turns == way + 1, "way %d", way);
	}
	ck_assert_int_eq(bay_join(ended, BAY_INHERIT), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(joins, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

CHECK_MAIN("runtime/join",
	a_task_that_itself_timed_out_can_be_asked_after_the_join,
	a_join_that_times_out_leaves_the_handle,
	a_result_that_is_there_is_given_even_after_the_deadline,
	a_task_cannot_wait_for_itself,
	a_second_waiter_is_refused,
	a_handle_joined_by_another_task_survives_its_owner,
	a_gather_waits_for_all,
	the_first_failure_cancels_the_others_which_then_have_ended,
	a_failure_that_was_there_before_cancels_the_others_too,
	a_missing_handle_counts_as_no_memory,
	at_the_deadline_all_are_cancelled,
	a_cancelled_gather_cancels_with_its_own_reason,
	the_same_handle_twice_is_refused,
	a_gather_leaves_the_waiters_of_others,
	the_first_that_ends_is_named_and_the_others_go_on,
	nothing_to_wait_for_is_refused,
	of_failures_in_one_turn_the_first_is_the_result,
	gathered_failures_are_collected,
	a_join_that_is_cut_short_still_gives_a_result_that_came,
	a_cancelled_task_hears_that_first_and_the_result_stays,
	a_loop_of_waits_that_need_not_wait_lets_others_run)
