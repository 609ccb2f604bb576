/* SPDX-License-Identifier: BSD-2-Clause */
/* What time a callee has, whichever way its call goes, and how a call ends with it or with its caller. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/calls.h"

static struct bay_service *first, *second, *inner, *outer;

/* Keeps its place until somebody stands in the queue behind it. */
static int
hold_or_look(struct bay_request *request)
{
	if (bay_request_size(request) > 0)
		return look(request);
	while (services_figures(inner).queue_length == 0) {
		if (bay_yield() != BAY_OK)
			return bay_fail(request, BAY_FAILED, "nobody came");
	}
	return bay_reply_text(request, "held");
}

static int
call_inner(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);
	int status = bay_call(inner, bay_request_message(request), NULL, BAY_INHERIT);

	seen->outer_deadline = bay_deadline();
	return status == BAY_OK ? bay_reply_text(request, "called") : status;
}

static int
start_inner(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);
	struct bay_task *call = bay_call_start(inner, bay_request_message(request));

	seen->outer_deadline = bay_deadline();
	return bay_join(call, BAY_INHERIT) == BAY_OK ? bay_reply_text(request, "called") : BAY_FAILED;
}

/* --- leaves --------------------------------------------------------------------------------- */

WITH_SERVICES(a_leaf_is_told_the_deadline_of_its_call, inner = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct seen seen = {0};

	ck_assert_int_eq(services_call(inner, &seen, deadline), BAY_OK);
	ck_assert_int_eq(seen.deadline, deadline);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(bay_deadline(), BAY_INHERIT);
	ck_assert_int_eq(services_call(inner, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(seen.deadline, BAY_INHERIT);
	return BAY_OK;
}

/* The caller's time has not begun to count: it does so when the leaf asks. */
WITH_SERVICES(a_leaf_is_told_the_time_that_its_caller_has,
	inner = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF));
	outer = START("outer", PLUGIN(.handle = call_inner), .timeout_ns = BAY_SECOND))
{
	struct seen seen = {0};

	ck_assert_int_eq(services_call(outer, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, seen.outer_deadline);
	ck_assert_int_eq(seen.deadline, seen.outer_deadline);
	ck_assert_int_le(seen.deadline, bay_after(BAY_SECOND));
	return BAY_OK;
}

/* --- the caller's deadline --------------------------------------------------------------------- */

WITH_SERVICES(a_call_after_one_that_failed_inherits_the_deadline, inner = START("inner", PLUGIN(.handle = look)))
{
	struct seen seen = {0};

	task_current()->deadline = bay_after(100 * BAY_SECOND);
	ck_assert_int_eq(bay_call(NULL, NULL, NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_int_eq(services_call(inner, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, task_current()->deadline);
	ck_assert_int_eq(seen.deadline, task_current()->deadline);
	task_current()->deadline = BAY_INHERIT;
	return BAY_OK;
}

/* --- the caller's timeout ------------------------------------------------------------------------ */

WITH_SERVICES(a_queued_callee_has_the_time_of_its_caller,
	inner = START("inner", PLUGIN(.handle = hold_or_look), .concurrency = 1);
	outer = START("outer", PLUGIN(.handle = call_inner), .timeout_ns = 100 * BAY_SECOND))
{
	struct bay_task *holds = bay_call_start(inner, NULL);
	struct seen seen = {0};

	ck_assert_int_eq(services_call(outer, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(services_figures(inner).queued, 1);
	ck_assert_int_eq(seen.deadline, seen.outer_deadline);
	ck_assert_int_le(seen.deadline, bay_after(100 * BAY_SECOND));
	return bay_join(holds, BAY_INHERIT);
}

WITH_SERVICES(a_started_callee_has_the_time_of_its_caller,
	inner = START("inner", PLUGIN(.handle = look));
	outer = START("outer", PLUGIN(.handle = start_inner), .timeout_ns = 100 * BAY_SECOND))
{
	struct seen seen = {0};

	ck_assert_int_eq(services_call(outer, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(seen.deadline, seen.outer_deadline);
	ck_assert_int_le(seen.deadline, bay_after(100 * BAY_SECOND));
	return BAY_OK;
}

WITH_SERVICES(a_longer_timeout_of_the_callee_is_cut_by_its_callers,
	inner = START("inner", PLUGIN(.handle = look), .timeout_ns = 1000 * BAY_SECOND);
	outer = START("outer", PLUGIN(.handle = call_inner), .timeout_ns = 100 * BAY_SECOND))
{
	struct seen seen = {0};

	ck_assert_int_eq(services_call(outer, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_gt(seen.deadline, bay_now());
	ck_assert_int_le(seen.deadline, bay_after(100 * BAY_SECOND));
	return BAY_OK;
}

/* --- too late -------------------------------------------------------------------------------------- */

static struct bay_event *release;
static int64_t expires;
static int runs;

/* Without a request: holds its place, and then the loop until the deadline of who stands behind
 * it has passed. */
static int
hold_until_too_late(struct bay_request *request)
{
	if (bay_request_size(request) > 0) {
		runs++;
		return bay_reply_text(request, "too late");
	}
	ck_assert_int_eq(bay_event_wait(release, BAY_INHERIT), BAY_OK);
	while (bay_now() <= expires)
		;
	return bay_reply_text(request, "held");
}

static int
call_in_time(void *arg)
{
	ck_assert_int_eq(services_call(inner, arg, expires), BAY_TIMEOUT);
	ck_assert_str_eq(bay_call_error(), "service inner: the deadline passed in the queue");
	return BAY_OK;
}

WITH_SERVICES(a_queued_call_whose_deadline_has_passed_is_not_served,
	inner = START("inner", PLUGIN(.handle = hold_until_too_late), .concurrency = 1))
{
	struct bay_task *holds, *calls;

	release = bay_event_create("release");
	runs = 0;
	holds = bay_call_start(inner, NULL);
	/* Long enough for the call to get into the queue, on any machine. */
	expires = bay_after(BAY_SECOND);
	calls = bay_spawn("calls", call_in_time, &runs);
	while (services_figures(inner).queue_length == 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_event_set(release);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(holds, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(runs, 0);
	ck_assert_uint_eq(services_figures(inner).timeouts, 1);
	bay_event_destroy(release);
	return BAY_OK;
}

/* --- deadlines ----------------------------------------------------------------------------------------- */

WITH_SERVICES(a_callee_inherits_the_deadline_of_the_call,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = look)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(services_call(first, &seen, deadline), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(seen.deadline, deadline);
	ck_assert_int_eq(services_call(second, &seen, deadline), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(seen.deadline, deadline);
	return BAY_OK;
}

static int
call_both_inheriting(void *arg)
{
	struct seen *seen = arg;

	ck_assert_int_eq(services_call(first, &seen[0], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(services_call(second, &seen[1], BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(a_callee_inherits_the_deadline_of_the_caller,
	first = START("leaf", PLUGIN(.handle = look, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = look)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct bay_scope *scope = bay_scope_open(deadline);
	struct seen seen[2] = {{.address = NULL}};

	ck_assert_int_eq(bay_scope_go(scope, "calls", call_both_inheriting, seen), BAY_OK);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	ck_assert_int_eq(seen[0].request_deadline, deadline);
	ck_assert_int_eq(seen[1].request_deadline, deadline);
	return BAY_OK;
}

static int
look_if_asked(struct bay_request *request)
{
	return bay_request_size(request) == 0 ? BAY_OK : look(request);
}

WITH_SERVICES(a_callee_from_the_queue_inherits_it_too, first = START("queued", PLUGIN(.handle = look_if_asked)))
{
	int64_t deadline = bay_after(BAY_SECOND);
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(services_call(first, &seen, deadline), BAY_OK);
	ck_assert_uint_eq(services_figures(first).queued, 2);
	ck_assert_int_eq(seen.request_deadline, deadline);
	ck_assert_int_eq(seen.deadline, deadline);
	task_current()->deadline = deadline;
	ck_assert_int_eq(services_call(first, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(seen.request_deadline, deadline);
	return BAY_OK;
}

static int
pass_pointer_on(struct bay_request *request)
{
	if (bay_call(first, bay_request_message(request), NULL, BAY_INHERIT) != BAY_OK)
		return bay_fail(request, BAY_FAILED, "%s", bay_call_error());
	return bay_reply_text(request, "passed on");
}

WITH_SERVICES(a_timeout_is_inherited_by_what_its_handler_calls,
	first = START("end", PLUGIN(.handle = look));
	second = START("way", PLUGIN(.handle = pass_pointer_on), .timeout_ns = BAY_SECOND))
{
	struct seen seen = {.address = NULL};

	ck_assert_int_eq(services_call(second, &seen, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(seen.deadline, bay_after(BAY_SECOND));
	ck_assert_int_gt(seen.deadline, bay_now());
	return BAY_OK;
}

WITH_SERVICES(a_caller_returns_at_its_deadline_whatever_the_callee_does,
	first = START("stubborn", PLUGIN(.handle = refuse_to_stop)))
{
	struct seen *seen = calloc(1, sizeof *seen);
	int64_t deadline = bay_after(3 * BAY_MS), back;

	ck_assert_int_eq(services_call(first, seen, deadline), BAY_TIMEOUT);
	back = bay_now();
	ck_assert_int_ge(back, deadline);
	ck_assert_str_eq(bay_call_error(), "service stubborn did not answer before the deadline");
	ck_assert(!seen->ended);
	ck_assert_uint_eq(services_figures(first).in_flight, 1);
	while (!seen->ended)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	/* Its answer goes nowhere, and it was told why. */
	ck_assert_int_eq(seen->status, BAY_TIMEOUT);
	ck_assert_str_eq(seen->reason, "deadline");
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(services_figures(first).timeouts, 1);
	free(seen);
	return BAY_OK;
}

WITH_SERVICES(a_services_timeout_ends_the_call,
	first = START("slow", PLUGIN(.handle = slow_echo), .timeout_ns = 3 * BAY_MS))
{
	int64_t before = bay_now();

	services_expect_text(first, "3600000", BAY_TIMEOUT, NULL);
	ck_assert_int_ge(bay_now() - before, 3 * BAY_MS);
	return BAY_OK;
}

WITH_SERVICES(a_services_timeout_counts_in_the_queue,
	first = START("slow", PLUGIN(.handle = slow_echo), .concurrency = 1, .timeout_ns = 10 * BAY_MS))
{
	struct bay_task *calls[2];
	struct bay_message *long_time = bay_message_int64(1000);
	int i;

	for (i = 0; i < 2; i++)
		calls[i] = bay_call_start(first, long_time);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(bay_join(calls[i], BAY_INHERIT), BAY_TIMEOUT);
	bay_message_free(long_time);
	/* Both count, wherever they were. */
	while (services_figures(first).in_flight > 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(services_figures(first).timeouts, 2);
	ck_assert_uint_eq(services_figures(first).failed, 2);
	return BAY_OK;
}

WITH_SERVICES(a_deadline_that_has_passed_calls_nobody, first = START("eager", PLUGIN(.handle = echo)))
{
	ck_assert_int_eq(bay_call(first, NULL, NULL, bay_now() - BAY_SECOND), BAY_TIMEOUT);
	ck_assert_int_eq(bay_send(first, NULL, bay_now() - BAY_SECOND), BAY_TIMEOUT);
	ck_assert_uint_eq(services_figures(first).direct, 0);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

static int
remember_end(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);

	seen->status = bay_sleep(100 * BAY_SECOND);
	seen->canceled = bay_cancel_reason() != NULL;
	if (seen->canceled)
		strcpy(seen->reason, bay_cancel_reason());
	seen->ended = true;
	return seen->status;
}

/* Timeout and cancelled are told apart: nobody asked this one to end, its time was up. */
WITH_SERVICES(a_callee_sees_its_own_deadline, first = START("waits", PLUGIN(.handle = remember_end)))
{
	struct seen *seen = calloc(1, sizeof *seen);

	ck_assert_int_eq(services_call(first, seen, bay_after(2 * BAY_MS)), BAY_TIMEOUT);
	while (!seen->ended)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(seen->status == BAY_TIMEOUT || seen->canceled);
	free(seen);
	return BAY_OK;
}

static int
call_and_wait(void *arg)
{
	int status = services_call(first, arg, BAY_INHERIT);

	ck_assert_str_eq(bay_call_error(), "service waits was still at work when the caller was cancelled: enough");
	return status;
}

WITH_SERVICES(cancelling_the_caller_cancels_the_callee, first = START("waits", PLUGIN(.handle = remember_end)))
{
	struct seen *seen = calloc(1, sizeof *seen);
	struct bay_task *task = bay_spawn("calls", call_and_wait, seen);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	while (!seen->ended)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(seen->status, BAY_CANCELED);
	ck_assert(seen->canceled);
	ck_assert_str_eq(seen->reason, "enough");
	free(seen);
	return BAY_OK;
}

static int
call_when_cancelled(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_sleep(1000 * BAY_SECOND), BAY_CANCELED);
	ck_assert_int_eq(bay_call(first, NULL, NULL, BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(bay_call_error(), "the caller is cancelled: enough");
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_CANCELED);
	return BAY_CANCELED;
}

WITH_SERVICES(a_cancelled_caller_calls_nobody, first = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_task *task = bay_spawn("calls", call_when_cancelled, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_uint_eq(services_figures(first).direct, 0);
	ck_assert_uint_eq(services_figures(first).queued, 0);
	return BAY_OK;
}

static bool gate_open;

static int
wait_at_the_gate(struct bay_request *request)
{
	(void)request;
	while (!gate_open)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(a_sender_returns_at_its_deadline_when_there_is_no_room,
	first = START("narrow", PLUGIN(.handle = wait_at_the_gate), .concurrency = 1, .queue = 1,
		.overflow = OVERFLOW_WAIT))
{
	int64_t deadline;

	gate_open = false;
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_OK);
	while (services_figures(first).in_flight == 0)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_int_eq(bay_send(first, NULL, BAY_INHERIT), BAY_OK);
	deadline = bay_after(3 * BAY_MS);
	ck_assert_int_eq(bay_send(first, NULL, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_str_eq(bay_call_error(), "the queue of service narrow had no room in time");
	ck_assert_uint_eq(services_figures(first).waiting_senders, 0);
	gate_open = true;
	while (services_figures(first).served < 2)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	ck_assert_uint_eq(services_figures(first).queue_length, 0);
	return BAY_OK;
}

CHECK_MAIN("service/call_deadline",
	a_leaf_is_told_the_deadline_of_its_call,
	a_leaf_is_told_the_time_that_its_caller_has,
	a_call_after_one_that_failed_inherits_the_deadline,
	a_queued_callee_has_the_time_of_its_caller,
	a_started_callee_has_the_time_of_its_caller,
	a_longer_timeout_of_the_callee_is_cut_by_its_callers,
	a_queued_call_whose_deadline_has_passed_is_not_served,
	a_callee_inherits_the_deadline_of_the_call,
	a_callee_inherits_the_deadline_of_the_caller,
	a_callee_from_the_queue_inherits_it_too,
	a_timeout_is_inherited_by_what_its_handler_calls,
	a_caller_returns_at_its_deadline_whatever_the_callee_does,
	a_services_timeout_ends_the_call,
	a_services_timeout_counts_in_the_queue,
	a_deadline_that_has_passed_calls_nobody,
	a_callee_sees_its_own_deadline,
	cancelling_the_caller_cancels_the_callee,
	a_cancelled_caller_calls_nobody,
	a_sender_returns_at_its_deadline_when_there_is_no_room)
