/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that would wait for themselves, and how deep they may go. */
#include "config.h"

#include <string.h>

#include <bay/bay.h>

#include "service/calls.h"

static struct bay_service *first, *second;

static int
call_myself(struct bay_request *request)
{
	struct bay_message *reply = NULL;
	int status = bay_call(bay_service(bay_instance_name(bay_instance_current())), bay_request_message(request),
		&reply, BAY_INHERIT);

	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static int
call_second(struct bay_request *request)
{
	if (bay_call(second, NULL, NULL, BAY_INHERIT) != BAY_OK)
		return bay_fail(request, BAY_LOOP, "%s", bay_call_error());
	return bay_reply_text(request, "ok");
}

static int
call_first(struct bay_request *request)
{
	int status = bay_call(first, NULL, NULL, BAY_INHERIT);

	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_text(request, "ok");
}

WITH_SERVICES(a_service_that_waits_for_itself_is_refused,
	first = START("narrow", PLUGIN(.handle = call_myself), .concurrency = 1))
{
	services_expect_text(first, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "narrow -> narrow"));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "concurrency = 1"));
	return BAY_OK;
}

static int
call_it(void *arg)
{
	return bay_call(first, bay_request_message(arg), NULL, bay_after(5 * BAY_SECOND));
}

static int
call_myself_by_a_task(struct bay_request *request)
{
	if (bay_join(bay_spawn("calls", call_it, request), BAY_INHERIT) != BAY_LOOP)
		return bay_fail(request, BAY_FAILED, "it was not refused");
	return bay_reply_text(request, "refused");
}

/* What a handler spawns works for the same request, and is part of the way of its calls. */
WITH_SERVICES(a_service_whose_task_waits_for_it_is_refused,
	first = START("narrow", PLUGIN(.handle = call_myself_by_a_task), .concurrency = 1))
{
	services_expect_text(first, "x", BAY_OK, "refused");
	return BAY_OK;
}

WITH_SERVICES(a_service_that_waits_for_itself_over_another_is_refused,
	first = START("a", PLUGIN(.handle = call_second), .concurrency = 1);
	second = START("b", PLUGIN(.handle = call_first), .concurrency = 1))
{
	services_expect_text(first, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "a -> b -> a"));
	/* From the other side as well, and again. */
	services_expect_text(second, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "b -> a -> b"));
	return BAY_OK;
}

WITH_SERVICES(a_circle_ends_at_max_depth,
	first = START("a", PLUGIN(.handle = call_second));
	second = START("b", PLUGIN(.handle = call_first)))
{
	services_expect_text(first, "x", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "max_depth = 64"));
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "a -> b -> a"));
	ck_assert_uint_eq(services_figures(first).failed, 32);
	ck_assert_uint_eq(services_figures(second).failed, 32);
	return BAY_OK;
}

static int
count_down(struct bay_request *request)
{
	struct bay_message *message, *reply;
	int64_t n;
	int status;

	ck_assert_int_eq(bay_request_int64(request, &n), BAY_OK);
	if (n == 0)
		return bay_reply_text(request, "bottom");
	message = bay_message_int64(n - 1);
	status = bay_call(first, message, &reply, BAY_INHERIT);
	bay_message_free(message);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static int
go_down(void *arg)
{
	(void)arg;
	services_expect_text(first, "3", BAY_OK, "bottom");
	services_expect_text(first, "4", BAY_LOOP, NULL);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "down -> down -> down -> down -> down"));
	return BAY_OK;
}

START_TEST(max_depth_counts_the_services)
{
	services_begin_with_depth(0, 4);
	first = START("down", PLUGIN(.handle = count_down));
	ck_assert_int_eq(services_run(go_down, NULL), BAY_OK);
	services_end();
}
END_TEST

static int
tell_second(struct bay_request *request)
{
	ck_assert_int_eq(bay_send(second, bay_request_message(request), BAY_INHERIT), BAY_OK);
	/* Still at work when the other one calls back. */
	ck_assert_int_eq(bay_sleep(3 * BAY_MS), BAY_OK);
	return bay_reply_text(request, "told");
}

static struct bay_channel *answers;

static int
call_first_and_say(struct bay_request *request)
{
	int status;

	if (bay_request_text(request)[0] == 'b')
		return bay_reply_text(request, "back");
	status = bay_call(first, NULL, NULL, BAY_INHERIT);
	ck_assert_int_eq(bay_channel_put(answers, (void *)(intptr_t)status, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static int
tell_or_answer(struct bay_request *request)
{
	if (bay_request_size(request) == 0)
		return bay_reply_text(request, "answered");
	return tell_second(request);
}

/* Who sent one way does not wait, so nobody would wait for himself. */
WITH_SERVICES(one_way_is_no_circle,
	first = START("a", PLUGIN(.handle = tell_or_answer), .concurrency = 1);
	second = START("b", PLUGIN(.handle = call_first_and_say), .concurrency = 1))
{
	void *status = NULL;

	answers = bay_channel_create(1);
	services_expect_text(first, "tell", BAY_OK, "told");
	ck_assert_int_eq(bay_channel_get(answers, &status, bay_after(60 * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq((int)(intptr_t)status, BAY_OK);
	bay_channel_destroy(answers);
	return BAY_OK;
}

CHECK_MAIN("service/call_circle",
	a_service_that_waits_for_itself_is_refused,
	a_service_whose_task_waits_for_it_is_refused,
	a_service_that_waits_for_itself_over_another_is_refused,
	a_circle_ends_at_max_depth,
	max_depth_counts_the_services,
	one_way_is_no_circle)
