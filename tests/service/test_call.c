/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls from a task of the test's own loop: which way they go, in which order, and to whom. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/calls.h"

static struct bay_service *first, *second;

/* --- the three ways -------------------------------------------------------------------------- */

WITH_SERVICES(a_leaf_runs_on_its_callers_stack,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF)))
{
	struct seen seen = {.address = NULL};
	char *here = __builtin_frame_address(0);

	ck_assert_int_eq(services_call(first, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(seen.task, task_current());
	ck_assert(seen.address < here && here - seen.address < 8192);
	ck_assert_str_eq(bay_instance_name(seen.instance), "leaf");
	ck_assert_ptr_null(bay_instance_current());
	ck_assert_uint_ne(seen.trace, 0);
	ck_assert_uint_eq(services_figures(first).direct, 1);
	ck_assert_uint_eq(services_figures(first).served, 1);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

/* Calls a leaf with little of its own stack left. What is volatile keeps the compiler from
 * making a loop of it. */
static int
call_from_far_down(struct bay_service *service, struct seen *seen, size_t left)
{
	volatile char room[2048];

	room[5] = 1;
	if (task_stack_below(task_current(), __builtin_frame_address(0)) > left)
		return call_from_far_down(service, seen, left) + (room[5] != 1);
	return services_call(service, seen, BAY_INHERIT) + (room[5] != 1);
}

WITH_SERVICES(a_leaf_gets_a_stack_of_its_own_when_little_is_left,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF)))
{
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(call_from_far_down(first, &seen, INSTANCE_LEAF_STACK + 16384), BAY_OK);
	ck_assert_ptr_eq(seen.task, task_current());
	ck_assert_uint_ge(seen.stack_left, INSTANCE_LEAF_STACK);
	ck_assert_int_eq(call_from_far_down(first, &seen, INSTANCE_LEAF_STACK), BAY_OK);
	ck_assert_ptr_ne(seen.task, task_current());
	ck_assert_uint_ge(seen.stack_left, INSTANCE_LEAF_STACK);
	ck_assert_uint_eq(services_figures(first).direct, 2);
	return BAY_OK;
}

static int
sleeping_leaf(struct bay_request *request)
{
	int status = bay_sleep(BAY_MS);

	ck_assert_int_eq(status, BAY_INVALID);
	return echo(request);
}

static int
spawning_leaf(struct bay_request *request)
{
	ck_assert_ptr_null(bay_call_start(second, NULL));
	ck_assert_int_eq(bay_call(second, NULL, NULL, BAY_INHERIT), BAY_INVALID);
	return bay_reply_text(request, "went on");
}

WITH_SERVICES(a_leaf_that_would_suspend_fails_its_call_and_the_caller_goes_on,
	first = START("napper", PLUGIN(.handle = sleeping_leaf, .flags = BAY_LEAF));
	second = START("caller", PLUGIN(.handle = spawning_leaf, .flags = BAY_LEAF)))
{
	services_expect_text(first, "x", BAY_INVALID, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "service napper"));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "bay_sleep"));
	services_expect_text(second, "x", BAY_INVALID, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "service caller"));
	ck_assert_int_eq(bay_sleep(1), BAY_OK);
	ck_assert_uint_eq(services_figures(first).failed, 1);
	return BAY_OK;
}

static int
send_ten(struct bay_service *service)
{
	int i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(bay_send(service, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* Which way a call goes must make no difference. */
WITH_SERVICES(a_leaf_from_the_queue_or_on_its_own_stack_may_not_suspend_either,
	first = START("napper", PLUGIN(.handle = sleeping_leaf, .flags = BAY_LEAF)))
{
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(call_from_far_down(first, &seen, INSTANCE_LEAF_STACK), BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "bay_sleep"));
	send_ten(first);
	services_expect_text(first, "x", BAY_INVALID, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "bay_sleep"));
	ck_assert_uint_eq(services_figures(first).queued, 11);
	return BAY_OK;
}

WITH_SERVICES(others_run_at_once_on_a_stack_of_their_own, first = START("eager", PLUGIN(.handle = look)))
{
	struct seen seen = {.address = NULL};
	uint64_t passes = scheduler_here->passes;

	ck_assert_int_eq(services_call(first, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_ne(seen.task, task_current());
	ck_assert_str_eq(bay_instance_name(seen.instance), "eager");
	/* Without the queue, the ready list or a pass. */
	ck_assert_uint_eq(scheduler_here->passes, passes);
	ck_assert_uint_eq(services_figures(first).direct, 1);
	ck_assert_uint_eq(services_figures(first).served, 1);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

WITH_SERVICES(one_that_parks_answers_later, first = START("slow", PLUGIN(.handle = slow_echo)))
{
	services_expect_text(first, "2", BAY_OK, "2");
	ck_assert_uint_eq(services_figures(first).direct, 1);
	return BAY_OK;
}

static int
say_whose_slot(struct bay_request *request)
{
	return bay_reply_int64(request, (int64_t)scheduler_here->status->slot);
}

/* The status page names the callee while it runs, whichever way it was called. */
WITH_SERVICES(the_status_page_names_the_callee_and_then_the_caller_again,
	first = START("leaf", PLUGIN(.handle = say_whose_slot, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = say_whose_slot)))
{
	struct bay_service *const services[] = {first, second};
	char slot[16];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(slot, sizeof slot, "%u", services[i]->slot);
		services_expect_text(services[i], "", BAY_OK, slot);
		ck_assert_uint_eq(scheduler_here->status->slot, STATUS_NO_SLOT);
	}
	return BAY_OK;
}

static int
park_until_cancelled(struct bay_request *request)
{
	(void)request;
	return bay_sleep(100 * BAY_SECOND);
}

/* Who lists the tasks finds one that was started eagerly from its first wait on. */
WITH_SERVICES(one_that_parks_stands_in_the_list_of_tasks,
	first = START("parks", PLUGIN(.handle = park_until_cancelled)))
{
	struct bay_task *call = bay_call_start(first, NULL);
	struct list *last = list_last(&scheduler_here->tasks);

	ck_assert_uint_eq(scheduler_here->task_count, 2);
	ck_assert_str_eq(container_of(last, struct task, in_scheduler)->awaiting, "bay_sleep");
	bay_task_free(call);
	return BAY_OK;
}

static int
call_slow(void *arg)
{
	services_expect_text(first, "3", BAY_OK, "3");
	++*(int *)arg;
	return BAY_OK;
}

WITH_SERVICES(beyond_the_concurrency_calls_go_through_the_queue,
	first = START("slow", PLUGIN(.handle = slow_echo), .concurrency = 2))
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int i, done = 0;

	for (i = 0; i < 6; i++)
		ck_assert_int_eq(bay_scope_go(scope, "calls", call_slow, &done), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(services_figures(first).in_flight, 2);
	ck_assert_uint_eq(services_figures(first).queue_length, 4);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(done, 6);
	ck_assert_uint_eq(services_figures(first).direct, 2);
	ck_assert_uint_eq(services_figures(first).queued, 4);
	ck_assert_uint_eq(services_figures(first).served, 6);
	return BAY_OK;
}

/* --- order --------------------------------------------------------------------------------------- */

static char order[64];

static int
note_order(struct bay_request *request)
{
	strcat(order, bay_request_text(request));
	return bay_reply_text(request, "noted");
}

static void
send_text(struct bay_service *service, const char *text)
{
	struct bay_message *message = bay_message(text, strlen(text));

	ck_assert_int_eq(bay_send(service, message, BAY_INHERIT), BAY_OK);
	bay_message_free(message);
}

WITH_SERVICES(a_call_does_not_overtake_what_is_queued, first = START("notes", PLUGIN(.handle = note_order)))
{
	send_text(first, "a");
	send_text(first, "b");
	services_expect_text(first, "c", BAY_OK, "noted");
	ck_assert_str_eq(order, "abc");
	ck_assert_uint_eq(services_figures(first).direct, 0);
	services_expect_text(first, "d", BAY_OK, "noted");
	ck_assert_str_eq(order, "abcd");
	ck_assert_uint_eq(services_figures(first).direct, 1);
	return BAY_OK;
}

static int
call_when_taken(void *arg)
{
	(void)arg;
	/* Goes behind the ready list, where the messages have become tasks meanwhile. */
	while (services_figures(first).queue_length > 0)
		scheduler_here->budget = 0, task_yield();
	services_expect_text(first, "c", BAY_OK, "noted");
	return BAY_OK;
}

/* Taken out of the queue, but not begun: they are still before us. */
WITH_SERVICES(a_call_does_not_overtake_what_was_taken_from_the_queue,
	first = START("notes", PLUGIN(.handle = note_order)))
{
	struct bay_task *calls;

	send_text(first, "a");
	send_text(first, "b");
	calls = bay_spawn("calls", call_when_taken, NULL);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(order, "abc");
	return BAY_OK;
}

/* --- who cannot be called --------------------------------------------------------------------------- */

WITH_SERVICES(what_is_not_there_cannot_be_called, first = NULL)
{
	struct bay_service *nobody = bay_service("nobody");
	struct bay_task *call;

	ck_assert_ptr_nonnull(nobody);
	services_expect_text(nobody, "x", BAY_NOT_FOUND, NULL);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	ck_assert_int_eq(bay_call(NULL, NULL, NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_ne(bay_call_error(), "");
	ck_assert_int_eq(bay_send(nobody, NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	call = bay_call_start(nobody, NULL);
	ck_assert_int_eq(bay_task_status(call), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_task_error(call), "there is no service 'nobody'");
	bay_task_free(call);
	call = bay_call_start(NULL, NULL);
	ck_assert_int_eq(bay_task_status(call), BAY_NOT_FOUND);
	bay_task_free(call);
	return BAY_OK;
}

static int
call_stopped(void *arg)
{
	(void)arg;
	services_expect_text(first, "x", BAY_CLOSED, NULL);
	ck_assert_str_eq(bay_call_error(), "service leaf is stopped");
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_CLOSED);
	return BAY_OK;
}

static int
call_failed_one(void *arg)
{
	(void)arg;
	services_expect_text(first, "x", BAY_CLOSED, NULL);
	ck_assert_str_eq(bay_call_error(), "service leaf has failed: out of ideas");
	return BAY_OK;
}

START_TEST(a_stopped_service_says_so_and_its_handle_lives_on)
{
	struct service_options options = {.name = "leaf", .plugin = PLUGIN(.handle = echo, .flags = BAY_LEAF)};

	services_begin(0);
	first = services_start(&options);
	ck_assert(services_stop(first, 0, BAY_SECOND, NULL));
	ck_assert_int_eq(services_run(call_stopped, NULL), BAY_OK);
	service_set_state(first, SERVICE_FAILED, "out of ideas");
	ck_assert_int_eq(services_run(call_failed_one, NULL), BAY_OK);
	ck_assert_ptr_eq(services_start(&options), first);
	services_end();
}
END_TEST

START_TEST(outside_a_task_nobody_calls)
{
	services_begin(0);
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	ck_assert_int_eq(bay_call(first, NULL, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_ptr_null(bay_call_start(first, NULL));
	ck_assert_str_eq(bay_call_error(), "");
	services_end();
}
END_TEST

CHECK_MAIN("service/call",
	a_leaf_runs_on_its_callers_stack,
	a_leaf_gets_a_stack_of_its_own_when_little_is_left,
	a_leaf_that_would_suspend_fails_its_call_and_the_caller_goes_on,
	a_leaf_from_the_queue_or_on_its_own_stack_may_not_suspend_either,
	others_run_at_once_on_a_stack_of_their_own,
	one_that_parks_answers_later,
	the_status_page_names_the_callee_and_then_the_caller_again,
	one_that_parks_stands_in_the_list_of_tasks,
	beyond_the_concurrency_calls_go_through_the_queue,
	a_call_does_not_overtake_what_is_queued,
	a_call_does_not_overtake_what_was_taken_from_the_queue,
	what_is_not_there_cannot_be_called,
	a_stopped_service_says_so_and_its_handle_lives_on,
	outside_a_task_nobody_calls)
