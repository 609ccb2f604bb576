/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/completions.h>

#include <stdlib.h>

#include <bay/bay.h>

#include "runtime/handle.h"
#include "support/cancel_everywhere.h"
#include "support/log_lines.h"

enum { FAR = 3600, MANY = 5000 };

static int
return_it(void *arg)
{
	return (int)(intptr_t)arg;
}

static int
wait_for_event(void *event)
{
	return bay_event_wait(event, BAY_INHERIT);
}

TASK_TEST(they_come_in_the_order_of_their_ending)
{
	struct bay_event *events[3];
	struct bay_task *tasks[3], *task;
	struct bay_completions *ended;
	static const int order[] = {2, 0, 1};
	int i;

	for (i = 0; i < 3; i++) {
		events[i] = bay_event_create(NULL);
		tasks[i] = bay_spawn("waits", wait_for_event, events[i]);
	}
	ended = bay_as_completed(tasks, 3);
	ck_assert_uint_eq(bay_completions_size(ended), 3);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(bay_completions_next(ended, &task, bay_after(BAY_MS)), BAY_TIMEOUT);
		bay_event_set(events[order[i]]);
		ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_OK);
		ck_assert_ptr_eq(task, tasks[order[i]]);
		ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	}
	ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_CLOSED);
	bay_completions_destroy(ended);
	for (i = 0; i < 3; i++)
		bay_event_destroy(events[i]);
	return BAY_OK;
}

TASK_TEST(those_that_have_ended_before_come_too)
{
	struct bay_task *tasks[] = {bay_spawn("seven", return_it, (void *)7), NULL}, *task = NULL;
	struct bay_completions *ended;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ended = bay_as_completed(tasks, 2);
	ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(task, tasks[0]);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), 7);
	ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_null(task);
	ck_assert_int_eq(bay_task_status(task), BAY_NO_MEMORY);
	ck_assert_int_eq(bay_completions_next(ended, &task, 0), BAY_CLOSED);
	bay_completions_destroy(ended);
	return BAY_OK;
}

/* Not one of them is looked at more than once. */
TASK_TEST(thousands_come_one_by_one)
{
	struct bay_task **tasks = calloc(MANY, sizeof *tasks), *task;
	struct bay_completions *ended;
	size_t count = 0, failed = 0;
	int i;

	for (i = 0; i < MANY; i++)
		tasks[i] = bay_spawn("ends", return_it, (void *)(intptr_t)(i % 2 ? BAY_OK : BAY_IO));
	ended = bay_as_completed(tasks, MANY);
	ck_assert_ptr_nonnull(ended);
	while (bay_completions_next(ended, &task, BAY_INHERIT) == BAY_OK) {
		ck_assert_ptr_eq(task, tasks[count]);
		failed += bay_task_status(task) != BAY_OK;
		bay_task_free(task);
		count++;
	}
	ck_assert_uint_eq(count, MANY);
	ck_assert_uint_eq(failed, MANY / 2);
	bay_completions_destroy(ended);
	free(tasks);
	return BAY_OK;
}

TASK_TEST(more_may_be_added_while_others_come)
{
	struct bay_completions *ended = bay_as_completed(NULL, 0);
	struct bay_task *task;
	int i, sum = 0;

	ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_CLOSED);
	ck_assert_int_eq(bay_completions_add(ended, bay_spawn("n", return_it, (void *)1)), BAY_OK);
	for (i = 2; bay_completions_next(ended, &task, BAY_INHERIT) == BAY_OK; i++) {
		sum += bay_join(task, BAY_INHERIT);
		if (i <= 4)
			ck_assert_int_eq(bay_completions_add(ended, bay_spawn("n", return_it, (void *)(intptr_t)i)), BAY_OK);
	}
	ck_assert_int_eq(sum, 10);
	bay_completions_destroy(ended);
	return BAY_OK;
}

/* --- several who wait ------------------------------------------------------------------- */

struct taker {
	struct bay_completions *ended;
	struct bay_task *task;
	int status;
};

static int
take_one(void *arg)
{
	struct taker *taker = arg;

	taker->status = bay_completions_next(taker->ended, &taker->task, BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(each_who_waits_gets_another_and_the_last_nothing)
{
	struct bay_event *event = bay_event_create(NULL);
	struct bay_task *tasks[2], *takers[3];
	struct taker taken[3];
	int i;

	for (i = 0; i < 2; i++)
		tasks[i] = bay_spawn("waits", wait_for_event, event);
	taken[0].ended = bay_as_completed(tasks, 2);
	for (i = 0; i < 3; i++) {
		taken[i].ended = taken[0].ended;
		takers[i] = bay_spawn("takes", take_one, &taken[i]);
	}
	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	bay_event_set(event);
	ck_assert_int_eq(bay_gather(takers, 3, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(taken[i].status, BAY_OK);
		ck_assert_ptr_eq(taken[i].task, tasks[i]);
		ck_assert_int_eq(bay_join(tasks[i], BAY_INHERIT), BAY_OK);
	}
	ck_assert_int_eq(taken[2].status, BAY_CLOSED);
	for (i = 0; i < 3; i++)
		bay_task_free(takers[i]);
	bay_completions_destroy(taken[0].ended);
	bay_event_destroy(event);
	return BAY_OK;
}

TASK_TEST(who_waits_while_it_is_destroyed_is_told)
{
	struct bay_event *event = bay_event_create(NULL);
	struct bay_task *task = bay_spawn("waits", wait_for_event, event), *takes;
	struct taker taker = {bay_as_completed(&task, 1), NULL, -1};

	takes = bay_spawn("takes", take_one, &taker);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_completions_destroy(taker.ended);
	bay_completions_destroy(NULL);
	ck_assert_int_eq(bay_join(takes, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(taker.status, BAY_CLOSED);
	/* The task went on, and somebody else may wait for it. */
	bay_event_set(event);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	bay_event_destroy(event);
	return BAY_OK;
}

TASK_TEST(one_waiter_at_a_time)
{
	struct bay_task *task = bay_spawn("seven", return_it, (void *)7), *self = bay_task_current();
	struct bay_completions *ended = bay_as_completed(&task, 1);

	log_lines_keep();
	ck_assert_int_eq(bay_completions_add(ended, task), BAY_BUSY);
	ck_assert_int_eq(bay_completions_add(ended, self), BAY_INVALID);
	ck_assert_ptr_null(bay_as_completed(&self, 1));
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_BUSY);
	ck_assert_int_eq(log_lines_with("bay_completions_add: a task has a waiter already"), 1);
	ck_assert_int_eq(log_lines_with("bay_completions_add: a task cannot wait for itself"), 2);
	ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), 7);
	bay_completions_destroy(ended);
	return BAY_OK;
}

/* What was given was asked about: it is no failure that nobody has seen. */
TASK_TEST(a_failure_that_was_given_is_known)
{
	struct bay_task *task = bay_spawn("io", return_it, (void *)BAY_IO);
	struct bay_completions *ended = bay_as_completed(&task, 1);

	log_lines_keep();
	ck_assert_int_eq(bay_completions_next(ended, &task, BAY_INHERIT), BAY_OK);
	bay_task_free(task);
	ck_assert_int_eq(log_lines_with("failed"), 0);
	bay_completions_destroy(ended);
	return BAY_OK;
}

/* --- at every await ------------------------------------------------------------------------ */

static int
child(void *arg)
{
	int status = bay_yield();

	if (status == BAY_OK)
		status = bay_sleep(20 * BAY_US);
	return status != BAY_OK ? status : (int)(intptr_t)arg;
}

EVERYWHERE(completions, 7, run_tasks_check_nothing_left)
{
	struct bay_task *tasks[3], *task;
	struct bay_completions *ended;
	size_t given = 0;
	int i, status;

	for (i = 0; i < 3; i++)
		tasks[i] = bay_spawn("child", child, (void *)(intptr_t)(i == 1 ? BAY_IO : BAY_OK));
	ended = bay_as_completed(tasks, 3);
	while ((status = bay_completions_next(ended, &task, BAY_INHERIT)) == BAY_OK) {
		ck_assert(bay_task_done(task));
		given++;
	}
	ck_assert_uint_eq(bay_completions_size(ended), 3 - given);
	bay_completions_destroy(ended);
	for (i = 0; i < 3; i++) {
		ck_assert_ptr_null(tasks[i]->waiter);
		bay_task_free(tasks[i]);
	}
	if (status == BAY_CLOSED) {
		ck_assert_uint_eq(given, 3);
		return BAY_OK;
	}
	return points_expect(status);
}

CHECK_MAIN("runtime/completions",
	they_come_in_the_order_of_their_ending,
	those_that_have_ended_before_come_too,
	thousands_come_one_by_one,
	more_may_be_added_while_others_come,
	each_who_waits_gets_another_and_the_last_nothing,
	who_waits_while_it_is_destroyed_is_told,
	one_waiter_at_a_time,
	a_failure_that_was_given_is_known,
	completions)
