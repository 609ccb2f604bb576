/* SPDX-License-Identifier: BSD-2-Clause */
/* What time a callee has, whichever way its call goes. */
#include "config.h"

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/services.h"

static struct bay_service *inner, *outer;

#define START(name_, ...) services_start(&(struct service_options){.name = name_, .plugin = __VA_ARGS__})

/* A test whose body is a task beside services. */
#define WITH_SERVICES(name, ...)                                    \
	static int name##_main(void *arg);                              \
	START_TEST(name)                                                \
	{                                                               \
		services_begin(0);                                          \
		__VA_ARGS__;                                                \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK);  \
		services_check_nothing_left();                              \
		services_end();                                             \
	}                                                               \
	END_TEST                                                        \
	static int name##_main(void *arg __attribute__((unused)))

struct seen {
	int64_t deadline;          /* bay_deadline() of the inner handler */
	int64_t request_deadline;
	int64_t outer_deadline;    /* bay_deadline() of the outer handler, when it has called */
};

static int
look(struct bay_request *request)
{
	struct seen *seen = services_request_pointer(request);

	seen->request_deadline = bay_request_deadline(request);
	seen->deadline = bay_deadline();
	return bay_reply_text(request, "seen");
}

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

CHECK_MAIN("service/call_deadline",
	a_leaf_is_told_the_deadline_of_its_call,
	a_leaf_is_told_the_time_that_its_caller_has,
	a_call_after_one_that_failed_inherits_the_deadline,
	a_queued_callee_has_the_time_of_its_caller,
	a_started_callee_has_the_time_of_its_caller,
	a_longer_timeout_of_the_callee_is_cut_by_its_callers,
	a_queued_call_whose_deadline_has_passed_is_not_served)
