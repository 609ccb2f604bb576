/* SPDX-License-Identifier: BSD-2-Clause */
/* The waits of runtime/join.c in which a failure is nothing special, or nobody is cancelled. */
#include "config.h"

#include <bay/task.h>

#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

struct part {
	int64_t span_ns;
	int status;
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
		++*part->clock;
	return status != BAY_OK ? status : part->status;
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

TASK_TEST(a_gather_of_all_lets_failures_be)
{
	int clock = 0;
	struct part parts[] = {
		{.status = BAY_FULL, .clock = &clock},
		{.span_ns = BAY_MS, .status = BAY_IO, .clock = &clock},
		{.span_ns = 2 * BAY_MS, .clock = &clock},
	};
	struct bay_task *tasks[] = {start(&parts[0]), start(&parts[1]), start(&parts[2]), NULL};

	log_lines_keep();
	ck_assert_int_eq(bay_gather_all(tasks, 4, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(clock, 3);
	ck_assert_int_eq(parts[2].canceled, 0);
	ck_assert_int_eq(bay_gather_all(tasks, 4, 0), BAY_OK);
	ck_assert_int_eq(bay_gather_all(NULL, 0, 0), BAY_OK);
	free_all(tasks, 4);
	/* They count as collected. */
	ck_assert_int_eq(log_lines_with(""), 0);
	return BAY_OK;
}

static int
give_status(void *arg)
{
	return *(int *)arg;
}

TASK_TEST(the_deadline_of_a_gather_of_all_is_the_status_of_those_it_cancelled_only)
{
	struct part slow = {.span_ns = 100 * BAY_SECOND};
	int canceled = BAY_CANCELED;
	struct bay_task *tasks[] = {start(&slow), bay_spawn("gives", give_status, &canceled)};

	ck_assert_int_eq(bay_gather_all(tasks, 2, bay_after(2 * BAY_MS)), BAY_TIMEOUT);
	ck_assert(slow.canceled);
	ck_assert_int_eq(bay_task_status(tasks[0]), BAY_TIMEOUT);
	ck_assert_int_eq(bay_task_status(tasks[1]), BAY_CANCELED);
	free_all(tasks, 2);
	return BAY_OK;
}

TASK_TEST(a_wait_for_any_ends_with_the_first_end)
{
	struct part slow = {.span_ns = 100 * BAY_SECOND}, quick = {.span_ns = BAY_MS};
	struct bay_task *tasks[] = {start(&slow), start(&quick)};

	ck_assert_int_eq(bay_wait(tasks, 2, BAY_UNTIL_ANY, BAY_INHERIT), BAY_OK);
	ck_assert(!bay_task_done(tasks[0]));
	ck_assert(bay_task_done(tasks[1]));
	/* Again: it has happened already. */
	ck_assert_int_eq(bay_wait(tasks, 2, BAY_UNTIL_ANY, 0), BAY_OK);
	/* Somebody else may wait now. */
	ck_assert_int_eq(bay_wait(tasks, 1, BAY_UNTIL_ANY, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(slow.canceled, 0);
	bay_task_cancel(tasks[0], "enough");
	ck_assert_int_eq(bay_join(tasks[0], BAY_INHERIT), BAY_CANCELED);
	bay_task_free(tasks[1]);
	return BAY_OK;
}

TASK_TEST(a_wait_for_all_goes_on_after_a_failure_and_cancels_nobody_at_its_deadline)
{
	struct part bad = {.status = BAY_IO}, quick = {.span_ns = BAY_MS};
	struct part slow = {.span_ns = 100 * BAY_SECOND};
	struct bay_task *tasks[] = {start(&bad), start(&quick), start(&slow)};

	ck_assert_int_eq(bay_wait(tasks, 2, BAY_UNTIL_ALL, BAY_INHERIT), BAY_OK);
	ck_assert(bay_task_done(tasks[0]) && bay_task_done(tasks[1]));
	ck_assert_int_eq(bay_wait(tasks, 3, BAY_UNTIL_ALL, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert(!bay_task_done(tasks[2]));
	ck_assert_int_eq(bay_wait(tasks, 0, BAY_UNTIL_ALL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_task_status(tasks[0]), BAY_IO);
	bay_task_cancel(tasks[2], "enough");
	ck_assert_int_eq(bay_join(tasks[2], BAY_INHERIT), BAY_CANCELED);
	free_all(tasks, 2);
	return BAY_OK;
}

TASK_TEST(a_wait_for_an_error_ends_with_the_first_failure_or_with_all)
{
	struct part slow = {.span_ns = 100 * BAY_SECOND}, good = {.status = BAY_OK};
	struct part also_good = {.span_ns = BAY_MS}, bad = {.span_ns = BAY_MS, .status = BAY_IO};
	struct bay_task *tasks[] = {start(&slow), start(&good), start(&bad)};
	struct bay_task *missing[] = {tasks[0], NULL}, *well[] = {tasks[1], start(&also_good)};

	ck_assert_int_eq(bay_wait(missing, 2, BAY_UNTIL_ERROR, 0), BAY_OK);
	ck_assert_int_eq(bay_wait(tasks, 3, BAY_UNTIL_ERROR, BAY_INHERIT), BAY_OK);
	ck_assert(!bay_task_done(tasks[0]));
	ck_assert(bay_task_done(tasks[1]) && bay_task_done(tasks[2]));
	ck_assert_int_eq(bay_wait(tasks, 3, BAY_UNTIL_ERROR, 0), BAY_OK);
	ck_assert_int_eq(bay_wait(well, 2, BAY_UNTIL_ERROR, BAY_INHERIT), BAY_OK);
	ck_assert(bay_task_done(well[1]));
	ck_assert_int_eq(bay_task_status(tasks[2]), BAY_IO);
	bay_task_cancel(tasks[0], "enough");
	ck_assert_int_eq(bay_join(tasks[0], BAY_INHERIT), BAY_CANCELED);
	free_all(&tasks[1], 2);
	bay_task_free(well[1]);
	return BAY_OK;
}

TASK_TEST(a_wait_does_not_collect)
{
	struct part bad = {.status = BAY_IO};
	struct bay_task *task = start(&bad);

	log_lines_keep();
	ck_assert_int_eq(bay_wait(&task, 1, BAY_UNTIL_ALL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_wait(&task, 1, (enum bay_wait_until)9, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("no way 9 to wait"), 1);
	bay_task_free(task);
	ck_assert_int_eq(log_lines_with("task part failed: io"), 1);
	return BAY_OK;
}

CHECK_MAIN("runtime/join_modes",
	a_gather_of_all_lets_failures_be,
	the_deadline_of_a_gather_of_all_is_the_status_of_those_it_cancelled_only,
	a_wait_for_any_ends_with_the_first_end,
	a_wait_for_all_goes_on_after_a_failure_and_cancels_nobody_at_its_deadline,
	a_wait_for_an_error_ends_with_the_first_failure_or_with_all,
	a_wait_does_not_collect)
