/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <bay/test.h>

#include "support/check_main.h"

static const struct bay_test_options virtual_time = {.virtual_time = true};

/* What is lost on purpose: a sanitizer shall find it here. */
static const void *lost[8];
static size_t lost_count;

static void
lose(const void *memory)
{
	lost[lost_count++] = memory;
}

/* --- allocations -------------------------------------------------------------------------- */

static int
keeps_house(struct bay_request *request)
{
	char *copy = bay_alloc(bay_request_size(request) + 1);
	int status;

	if (copy == NULL)
		return bay_fail(request, BAY_NO_MEMORY, "no memory for a copy");
	memcpy(copy, bay_request_data(request), bay_request_size(request));
	status = bay_reply(request, copy, bay_request_size(request));
	bay_free(copy);
	return status;
}

/* As keeps_house, but forgets its copy when the reply fails. */
static int
forgets(struct bay_request *request)
{
	char *copy = bay_alloc(1000);
	int status;

	if (copy == NULL)
		return bay_fail(request, BAY_NO_MEMORY, "no memory for a copy");
	status = bay_reply(request, copy, 1000);
	if (status == BAY_OK)
		bay_free(copy);
	else
		lose(copy);
	return status;
}

static int
leaks_a_message(void *arg)
{
	struct bay_message *message = bay_message("x", 1);
	void *memory = bay_alloc(10);

	(void)arg;
	if (memory != NULL)
		bay_message_free(message);
	else
		lose(message);
	bay_free(memory);
	return BAY_OK;
}

static int
calls(void *arg)
{
	struct bay_message *message = bay_message("hello", 5), *reply = NULL;
	int status = BAY_NO_MEMORY;

	if (message != NULL)
		status = bay_call(bay_service(arg), message, &reply, BAY_INHERIT);
	if (status == BAY_OK)
		ck_assert_str_eq(bay_message_text(reply), "hello");
	else
		ck_assert_int_eq(status, BAY_NO_MEMORY);
	bay_message_free(message);
	bay_message_free(reply);
	return status;
}

START_TEST(each_allocation_of_a_call_may_fail_and_nothing_is_left)
{
	char tidy[] = "tidy";

	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add_plugin("tidy", BAY_TEST_DESCRIPTOR(.handle = keeps_house), NULL), BAY_OK);
	/* message, request, copy, reply */
	ck_assert_int_ge(bay_test_every_allocation(calls, tidy), 3);
	ck_assert_str_eq(bay_test_error(), "");
	ck_assert_int_eq(bay_test_call("tidy", "still there"), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(what_a_task_forgets_when_an_allocation_fails_is_found)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_every_allocation(leaks_a_message, NULL), -1);
	ck_assert_str_eq(bay_test_error(), "with a failure of allocation 2: left over: 1 message is not freed "
		"(bay_message_free)");
	ck_assert_int_eq(bay_test_end(), 1);
}
END_TEST

START_TEST(what_a_service_forgets_is_told_at_the_end)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add_plugin("sloppy", BAY_TEST_DESCRIPTOR(.handle = forgets), NULL), BAY_OK);
	ck_assert_int_eq(bay_test_call("sloppy", "x"), BAY_OK);
	/* The message of the call, its request, the copy, the reply. */
	bay_test_fail_allocation(4);
	ck_assert_int_ne(bay_test_call("sloppy", "x"), BAY_OK);
	ck_assert(bay_test_allocation_failed());
	bay_test_fail_allocation(0);
	ck_assert_int_eq(bay_test_end(), 1);
}
END_TEST

START_TEST(an_allocation_fails_once_and_by_name)
{
	bay_test_begin(NULL);
	ck_assert_int_eq(bay_test_add_plugin("tidy", BAY_TEST_DESCRIPTOR(.handle = keeps_house), NULL), BAY_OK);
	bay_test_fail_allocation(3);
	ck_assert_int_eq(bay_test_call("tidy", "x"), BAY_NO_MEMORY);
	ck_assert_ptr_nonnull(strstr(bay_test_error(), "no memory for a copy"));
	ck_assert(bay_test_allocation_failed());
	ck_assert_int_eq(bay_test_call("tidy", "x"), BAY_OK);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

/* --- awaits ------------------------------------------------------------------------------- */

static int
sleeps_in_a_lock(void *arg)
{
	struct bay_lock *lock = arg;
	int status = bay_lock_acquire(lock, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	status = bay_sleep(BAY_SECOND);
	bay_lock_release(lock);
	return status;
}

static int
joins_two(void *arg)
{
	struct bay_lock *lock = bay_lock_create("door");
	struct bay_task *tasks[2];
	int status;

	(void)arg;
	tasks[0] = bay_spawn("one", sleeps_in_a_lock, lock);
	tasks[1] = bay_spawn("two", sleeps_in_a_lock, lock);
	status = bay_sleep(BAY_MS);
	if (status == BAY_OK)
		status = bay_gather(tasks, 2, BAY_INHERIT);
	if (status != BAY_OK) {
		bay_task_cancel(tasks[0], "the other one");
		bay_task_cancel(tasks[1], "the other one");
	}
	/* They use the lock until they have ended. */
	while (!bay_task_done(tasks[0]) || !bay_task_done(tasks[1]))
		if (bay_yield() != BAY_OK)
			break;
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_lock_destroy(lock);
	return status;
}

static int
forgets_when_cut(void *arg)
{
	struct bay_message *message = bay_message("x", 1);

	(void)arg;
	if (bay_sleep(BAY_SECOND) != BAY_OK) {
		lose(message);
		return BAY_CANCELED;
	}
	bay_message_free(message);
	return bay_sleep(BAY_SECOND);
}

static int
three_sleeps(void *arg)
{
	int *ended = arg, i, status = BAY_OK;

	for (i = 0; i < 3 && status == BAY_OK; i++)
		status = bay_sleep(BAY_SECOND);
	ended[i]++;
	return status;
}

START_TEST(a_task_is_cancelled_at_each_of_its_awaits_in_turn)
{
	int ended[4] = {0};

	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_every_await(three_sleeps, ended), 3);
	/* At each await, both ways; the last run of each way goes through. */
	ck_assert_int_eq(ended[1], 2);
	ck_assert_int_eq(ended[2], 2);
	ck_assert_int_eq(ended[3], 2 + 2);
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(a_scenario_of_several_tasks_is_cut_everywhere)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_ge(bay_test_every_await(joins_two, NULL), 2);
	ck_assert_str_eq(bay_test_error(), "");
	ck_assert_int_eq(bay_test_end(), 0);
}
END_TEST

START_TEST(what_a_cancelled_task_forgets_is_found)
{
	bay_test_begin(&virtual_time);
	ck_assert_int_eq(bay_test_every_await(forgets_when_cut, NULL), -1);
	ck_assert_str_eq(bay_test_error(), "with a cancellation at await 1: left over: 1 message is not freed "
		"(bay_message_free)");
	ck_assert_int_eq(bay_test_end(), 1);
}
END_TEST

CHECK_MAIN("kit/faults",
	each_allocation_of_a_call_may_fail_and_nothing_is_left,
	what_a_task_forgets_when_an_allocation_fails_is_found,
	what_a_service_forgets_is_told_at_the_end,
	an_allocation_fails_once_and_by_name,
	a_task_is_cancelled_at_each_of_its_awaits_in_turn,
	a_scenario_of_several_tasks_is_cut_everywhere,
	what_a_cancelled_task_forgets_is_found)
