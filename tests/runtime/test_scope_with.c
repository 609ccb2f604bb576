/* SPDX-License-Identifier: BSD-2-Clause */
/* Scopes with options: a limit, failures that cancel nobody, and the texts of all. */
#include "config.h"

#include <bay/scope.h>

#include <string.h>

#include <bay/bay.h>

#include "runtime/scope.h"
#include "support/cancel_everywhere.h"
#include "support/log_lines.h"

enum { FAR = 3600, MANY = 20, LIMIT = 3 };

static struct bay_scope *
open_limited(unsigned limit, bool refuse)
{
	struct bay_scope_options options = {.length = sizeof options, .limit = limit, .refuse = refuse};
	struct bay_scope *scope = bay_scope_open_with(&options);

	ck_assert_ptr_nonnull(scope);
	return scope;
}

static unsigned at_once, most_at_once, begun;

static int
take_a_while(void *arg)
{
	int status;

	(void)arg;
	begun++;
	if (++at_once > most_at_once)
		most_at_once = at_once;
	status = bay_sleep(100 * BAY_US);
	at_once--;
	return status;
}

static void
forget_figures(void)
{
	at_once = most_at_once = begun = 0;
}

TASK_TEST(no_more_than_the_limit_run_at_once)
{
	struct bay_scope *scope = open_limited(LIMIT, false);
	int i;

	forget_figures();
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(bay_scope_go(scope, "works", take_a_while, NULL), BAY_OK);
		ck_assert_uint_le(bay_scope_size(scope), LIMIT);
	}
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_uint_eq(begun, MANY);
	ck_assert_uint_eq(most_at_once, LIMIT);
	return BAY_OK;
}

TASK_TEST(a_scope_that_refuses_is_full)
{
	struct bay_scope *scope = open_limited(2, true);
	struct bay_task *task;

	forget_figures();
	ck_assert_int_eq(bay_scope_go(scope, "a", take_a_while, NULL), BAY_OK);
	task = bay_scope_spawn(scope, "b", take_a_while, NULL);
	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_scope_go(scope, "c", take_a_while, NULL), BAY_FULL);
	ck_assert_ptr_null(bay_scope_spawn(scope, "c", take_a_while, NULL));
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_scope_spawn_with(scope, "c", take_a_while, NULL, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_uint_eq(begun, 3);
	return BAY_OK;
}

TASK_TEST(who_waits_for_room_gives_up_at_the_deadline)
{
	struct bay_scope *scope = open_limited(1, false);
	struct bay_task *task;

	forget_figures();
	ck_assert_int_eq(bay_scope_go(scope, "a", take_a_while, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_spawn_with(scope, "b", take_a_while, NULL, &task, 0), BAY_TIMEOUT);
	ck_assert_int_eq(bay_scope_spawn_with(scope, "c", take_a_while, NULL, &task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_uint_eq(begun, 2);
	return BAY_OK;
}

/* --- several who wait ------------------------------------------------------------------- */

struct starter {
	struct bay_scope *scope;
	char name;
	char *order;
	int status;
};

static int
start_one(void *arg)
{
	struct starter *starter = arg;

	starter->status = bay_scope_go(starter->scope, "works", take_a_while, NULL);
	strncat(starter->order, &starter->name, 1);
	return starter->status;
}

TASK_TEST(they_get_room_in_the_order_of_their_coming)
{
	struct bay_scope *scope = open_limited(1, false);
	char order[8] = "";
	struct starter starters[] = {{scope, 'a', order, -1}, {scope, 'b', order, -1}, {scope, 'c', order, -1}};
	struct bay_task *tasks[3];
	int i;

	forget_figures();
	ck_assert_int_eq(bay_scope_go(scope, "first", take_a_while, NULL), BAY_OK);
	for (i = 0; i < 3; i++)
		tasks[i] = bay_spawn("starts", start_one, &starters[i]);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	/* Nobody overtakes. */
	ck_assert_int_eq(bay_scope_spawn_with(scope, "last", take_a_while, NULL, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(order, "abc");
	ck_assert_int_eq(bay_gather(tasks, 3, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_uint_eq(begun, 5);
	ck_assert_uint_eq(most_at_once, 1);
	for (i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	return BAY_OK;
}

TASK_TEST(closing_waits_for_those_who_wait_for_room)
{
	struct bay_scope *scope = open_limited(1, false);
	char order[8] = "";
	struct starter starter = {scope, 'a', order, -1};
	struct bay_task *task;

	forget_figures();
	ck_assert_int_eq(bay_scope_go(scope, "first", take_a_while, NULL), BAY_OK);
	task = bay_spawn("starts", start_one, &starter);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(starter.status, BAY_OK);
	ck_assert_uint_eq(begun, 2);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* Who had a place and could not use it gives it to the next. */
TASK_TEST(a_place_that_nobody_used_is_not_lost)
{
	struct bay_scope *scope = open_limited(1, false);

	log_lines_keep();
	ck_assert_int_eq(bay_scope_go(scope, "nothing", NULL, NULL), BAY_INVALID);
	ck_assert_int_eq(bay_scope_go(scope, "works", take_a_while, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

/* --- failures ---------------------------------------------------------------------------- */

static int
fail_with(void *arg)
{
	return *(const int *)arg;
}

static int
finish_late(void *arg)
{
	int status = bay_sleep(2 * BAY_MS);

	*(int *)arg = status;
	return status;
}

TASK_TEST(where_all_is_collected_a_failure_cancels_nobody)
{
	struct bay_scope_options options = {.length = sizeof options, .collect_all = true};
	struct bay_scope *scope = bay_scope_open_with(&options);
	struct bay_scope_failure failures[4];
	int io = BAY_IO, full = BAY_FULL, late = -1;
	struct bay_task *task;

	ck_assert_int_eq(bay_scope_go(scope, "late", finish_late, &late), BAY_OK);
	ck_assert_int_eq(bay_scope_go(scope, "io", fail_with, &io), BAY_OK);
	task = bay_scope_spawn(scope, "busy", fail_with, &(int){BAY_BUSY});
	ck_assert_int_eq(bay_scope_go(scope, "full", fail_with, &full), BAY_OK);
	ck_assert_int_eq(bay_scope_wait(scope), BAY_IO);
	ck_assert_int_eq(late, BAY_OK);
	ck_assert_uint_eq(bay_scope_failures(scope, failures, 4), 3);
	ck_assert_int_eq(failures[0].status, BAY_IO);
	ck_assert_str_eq(failures[0].name, "io");
	ck_assert_str_eq(failures[0].text, "");
	ck_assert_str_eq(failures[1].name, "full");
	ck_assert_str_eq(failures[2].name, "busy");
	ck_assert_int_eq(failures[2].status, BAY_BUSY);
	ck_assert_uint_eq(bay_scope_failures(scope, failures, 1), 3);
	/* One that was asked about is nobody's secret. */
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_BUSY);
	ck_assert_uint_eq(bay_scope_failures(scope, NULL, 0), 2);
	ck_assert_int_eq(bay_scope_close(scope), BAY_IO);
	return BAY_OK;
}

static int
fail_below(void *arg)
{
	ck_assert_int_eq(bay_go("below", fail_with, arg), BAY_OK);
	return bay_sleep(FAR * BAY_SECOND);
}

TASK_TEST(the_texts_say_what_failed_below)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct bay_scope_failure failure;
	int io = BAY_IO;

	ck_assert_int_eq(bay_scope_go(scope, "above", fail_below, &io), BAY_OK);
	ck_assert_int_eq(bay_scope_wait(scope), BAY_IO);
	ck_assert_uint_eq(bay_scope_failures(scope, &failure, 1), 1);
	ck_assert_str_eq(failure.name, "above");
	ck_assert_str_eq(failure.text, "task below failed: io");
	ck_assert_int_eq(bay_scope_close(scope), BAY_IO);
	return BAY_OK;
}

TASK_TEST(of_very_many_failures_the_number_is_kept)
{
	struct bay_scope_options options = {.length = sizeof options, .collect_all = true};
	struct bay_scope *scope = bay_scope_open_with(&options);
	struct bay_scope_failure *failures = calloc(BAY_SCOPE_FAILURES + 1, sizeof *failures);
	int i, io = BAY_IO;

	log_lines_keep();
	ck_assert_ptr_nonnull(failures);
	for (i = 0; i < BAY_SCOPE_FAILURES + 44; i++)
		ck_assert_int_eq(bay_scope_go(scope, "fails", fail_with, &io), BAY_OK);
	ck_assert_int_eq(bay_scope_wait(scope), BAY_IO);
	ck_assert_uint_eq(bay_scope_failures(scope, failures, BAY_SCOPE_FAILURES + 1), BAY_SCOPE_FAILURES + 44);
	ck_assert_str_eq(failures[BAY_SCOPE_FAILURES - 1].name, "fails");
	ck_assert_str_eq(failures[BAY_SCOPE_FAILURES].name, "");
	ck_assert_int_eq(bay_scope_close(scope), BAY_IO);
	free(failures);
	return BAY_OK;
}

TASK_TEST(after_a_wait_the_scope_takes_more)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	forget_figures();
	ck_assert_int_eq(bay_scope_go(scope, "works", take_a_while, NULL), BAY_OK);
	ck_assert_int_eq(bay_scope_wait(scope), BAY_OK);
	ck_assert_uint_eq(begun, 1);
	ck_assert_uint_eq(bay_scope_size(scope), 0);
	ck_assert_int_eq(bay_scope_go(scope, "works", take_a_while, NULL), BAY_OK);
	ck_assert_uint_eq(bay_scope_size(scope), 1);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_uint_eq(begun, 2);
	return BAY_OK;
}

TASK_TEST(its_deadline_is_one_of_the_options)
{
	struct bay_scope_options options = {.length = sizeof options, .deadline = bay_after(2 * BAY_MS)};
	struct bay_scope *scope = bay_scope_open_with(&options);
	int late = -1;

	ck_assert_int_eq(bay_scope_go(scope, "late", finish_late, &late), BAY_OK);
	ck_assert_int_ne(bay_scope_close(scope), BAY_INVALID);
	options.deadline = 0;
	scope = bay_scope_open_with(&options);
	ck_assert_int_eq(bay_scope_go(scope, "late", finish_late, &late), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

TASK_TEST(options_without_sense_are_refused)
{
	struct bay_scope_options options = {.length = sizeof options - 1};

	log_lines_keep();
	ck_assert_ptr_null(bay_scope_open_with(&options));
	options.length = sizeof options;
	options.refuse = true;
	ck_assert_ptr_null(bay_scope_open_with(&options));
	ck_assert_int_eq(log_lines_with("bay_scope_open_with: length is not that of"), 1);
	ck_assert_int_eq(log_lines_with("bay_scope_open_with: without a limit there is nothing"), 1);
	ck_assert_int_eq(bay_scope_wait(NULL), BAY_INVALID);
	ck_assert_int_eq(bay_scope_spawn_with(NULL, "", fail_with, NULL, NULL, 0), BAY_INVALID);
	return BAY_OK;
}

/* --- at every await ------------------------------------------------------------------------ */

static int
work_briefly(void *arg)
{
	int status;

	(void)arg;
	at_once++;
	ck_assert_uint_le(at_once, 2);
	status = points_expect(bay_yield());
	if (status == BAY_OK)
		status = points_expect(bay_sleep(20 * BAY_US));
	at_once--;
	return BAY_OK;
}

static int
start_briefly(void *arg)
{
	int status = points_expect(bay_scope_go(arg, "works", work_briefly, NULL));

	return status == BAY_CANCELED || status == BAY_TIMEOUT ? BAY_OK : status;
}

/* Whoever is cut short: no place is lost, and all end. */
EVERYWHERE(spawns_that_wait_for_room, 8, run_tasks_check_nothing_left)
{
	struct bay_scope *scope = open_limited(2, false);
	struct bay_task *tasks[2];
	int i, status = BAY_OK, result;

	at_once = 0;
	for (i = 0; i < 2; i++)
		tasks[i] = bay_spawn("starts", start_briefly, scope);
	for (i = 0; i < 4 && status == BAY_OK; i++)
		status = points_expect(bay_scope_go(scope, "works", work_briefly, NULL));
	result = points_expect(bay_scope_wait(scope));
	ck_assert_uint_eq(scope->rules->reserved, 0);
	ck_assert_uint_eq(bay_scope_size(scope), 0);
	(void)bay_gather_all(tasks, 2, BAY_INHERIT);
	(void)points_expect(bay_scope_close(scope));
	for (i = 0; i < 2; i++)
		bay_task_free(tasks[i]);
	return status != BAY_OK ? status : result;
}

CHECK_MAIN("runtime/scope_with",
	no_more_than_the_limit_run_at_once,
	a_scope_that_refuses_is_full,
	who_waits_for_room_gives_up_at_the_deadline,
	they_get_room_in_the_order_of_their_coming,
	closing_waits_for_those_who_wait_for_room,
	a_place_that_nobody_used_is_not_lost,
	where_all_is_collected_a_failure_cancels_nobody,
	the_texts_say_what_failed_below,
	of_very_many_failures_the_number_is_kept,
	after_a_wait_the_scope_takes_more,
	its_deadline_is_one_of_the_options,
	options_without_sense_are_refused,
	spawns_that_wait_for_room)
