/* SPDX-License-Identifier: BSD-2-Clause */
/* What a call brings and takes away: bodies, and the words of its error. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "service/calls.h"

static struct bay_service *first, *second;

static const void *replied_with;

static int
reply_big(struct bay_request *request)
{
	struct bay_message *reply = bay_message(bay_request_data(request), bay_request_size(request));

	replied_with = bay_message_data(reply);
	ck_assert_int_eq(bay_reply_message(request, &reply), BAY_OK);
	ck_assert_ptr_null(reply);
	return BAY_OK;
}

static int
pass_first_on(struct bay_request *request)
{
	struct bay_message *reply;

	ck_assert_int_eq(bay_call(first, bay_request_message(request), &reply, BAY_INHERIT), BAY_OK);
	return bay_reply_message(request, &reply);
}

WITH_SERVICES(bodies_are_handed_over_and_not_copied,
	first = START("big", PLUGIN(.handle = reply_big));
	second = START("way", PLUGIN(.handle = pass_first_on)))
{
	enum { SIZE = 10 * 1024 * 1024 };
	char *bytes = malloc(SIZE);
	struct bay_message *message, *reply;

	memset(bytes, 'b', SIZE);
	message = bay_message(bytes, SIZE);
	ck_assert_int_eq(bay_call(second, message, &reply, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(bay_message_data(reply), replied_with);
	ck_assert_uint_eq(bay_message_size(reply), SIZE);
	ck_assert_int_eq(memcmp(bay_message_data(reply), bytes, SIZE), 0);
	bay_message_free(reply);
	bay_message_free(message);
	free(bytes);
	return BAY_OK;
}

WITH_SERVICES(nothing_is_a_message_too,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_message *empty = bay_message(NULL, 0), *reply;
	int i;

	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(bay_call(i < 2 ? first : second, i % 2 == 0 ? NULL : empty, &reply, BAY_INHERIT), BAY_OK);
		ck_assert_ptr_nonnull(reply);
		ck_assert_uint_eq(bay_message_size(reply), 0);
		ck_assert_str_eq(bay_message_text(reply), "");
		bay_message_free(reply);
	}
	bay_message_free(empty);
	return BAY_OK;
}

WITH_SERVICES(one_message_goes_to_many, first = START("slow", PLUGIN(.handle = slow_echo), .concurrency = 3))
{
	struct bay_message *message = bay_message("2", 1), *reply;
	struct bay_task *calls[10];
	int i;

	for (i = 0; i < 10; i++)
		calls[i] = bay_call_start(first, message);
	services_expect_text(first, "1", BAY_OK, "1");
	bay_message_free(message);
	ck_assert_int_eq(bay_gather(calls, 10, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 10; i++) {
		reply = bay_task_take_reply(calls[i]);
		ck_assert_str_eq(bay_message_text(reply), "2");
		bay_message_free(reply);
		bay_task_free(calls[i]);
	}
	return BAY_OK;
}

WITH_SERVICES(a_reply_that_nobody_wants_is_freed,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	second = START("slow", PLUGIN(.handle = slow_echo)))
{
	struct bay_message *message = bay_message("1", 1);

	ck_assert_int_eq(bay_call(first, message, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_call(second, message, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_send(first, message, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_send(second, message, BAY_INHERIT), BAY_OK);
	bay_message_free(message);
	ck_assert_int_eq(bay_sleep(3 * BAY_MS), BAY_OK);
	return BAY_OK;
}

WITH_SERVICES(the_error_is_that_of_the_last_call, first = START("eager", PLUGIN(.handle = echo)))
{
	struct bay_task *call;

	ck_assert_str_eq(bay_call_error(), "");
	services_expect_text(bay_service("nobody"), "x", BAY_NOT_FOUND, NULL);
	services_expect_text(first, "x", BAY_OK, "x");
	ck_assert_str_eq(bay_call_error(), "");
	ck_assert_int_eq(bay_send(bay_service("nobody"), NULL, BAY_INHERIT), BAY_NOT_FOUND);
	ck_assert_str_eq(bay_call_error(), "there is no service 'nobody'");
	/* A started one keeps its own. */
	call = bay_call_start(NULL, NULL);
	ck_assert_str_eq(bay_call_error(), "");
	ck_assert_str_eq(bay_task_error(call), "there is no such service (no handle)");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_NOT_FOUND);
	return BAY_OK;
}

CHECK_MAIN("service/call_body",
	bodies_are_handed_over_and_not_copied,
	nothing_is_a_message_too,
	one_message_goes_to_many,
	a_reply_that_nobody_wants_is_freed,
	the_error_is_that_of_the_last_call)
