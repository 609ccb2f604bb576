/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_waiters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "master/master_service.h"
#include "support/check_main.h"

static struct master_service service;

/* Who has been answered, in turn: "s ok", "r failed: it is broken". */
static char answers[400];

static void
prepare(enum service_state state, const char *reason)
{
	memset(&service, 0, sizeof(service));
	list_init(&service.waiters);
	service.state = state;
	service.reason = reason != NULL ? xstrdup(reason) : NULL;
	answers[0] = '\0';
}

static void
finish(void)
{
	ck_assert(list_empty(&service.waiters));
	free(service.reason);
	service.reason = NULL;
}

static void
note(struct master_service *of, enum bay_status status, const char *message, void *arg)
{
	size_t length = strlen(answers);

	ck_assert_ptr_eq(of, &service);
	snprintf(answers + length, sizeof(answers) - length, "%s%s %s%s%s", length > 0 ? ", " : "", (const char *)arg,
		bay_status_name(status), *message != '\0' ? ": " : "", message);
}

/* One of each wish. */
static void
add_all(void)
{
	static char start[] = "start", stop[] = "stop", restart[] = "restart";

	service_waiters_add(&service, SERVICE_WISH_START, note, start);
	service_waiters_add(&service, SERVICE_WISH_STOP, note, stop);
	service_waiters_add(&service, SERVICE_WISH_RESTART, note, restart);
}

START_TEST(each_is_answered_by_its_wish_and_by_what_the_service_has_become)
{
	static const struct {
		enum service_state state;
		const char *reason, *answers;
	} rows[] = {
		{SERVICE_READY, NULL, "start ok, "
			"stop canceled: somebody started the service meanwhile, restart ok"},
		{SERVICE_STOPPED, NULL, "start canceled: somebody stopped the service meanwhile, stop ok, "
			"restart canceled: somebody stopped the service meanwhile"},
		/* One that has failed does not run, as was wished. */
		{SERVICE_FAILED, "no disk", "start failed: no disk, stop ok: no disk, restart failed: no disk"},
		{SERVICE_FAILED, NULL, "start failed, stop ok, restart failed"},
		/* Why it runs so late is nobody's concern. */
		{SERVICE_READY, "it hung", "start ok, "
			"stop canceled: somebody started the service meanwhile, restart ok"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		prepare(rows[i].state, rows[i].reason);
		add_all();
		service_waiters_answer(&service);
		ck_assert_str_eq(answers, rows[i].answers);
		finish();
	}
}
END_TEST

START_TEST(each_is_answered_once)
{
	prepare(SERVICE_READY, NULL);
	add_all();
	service_waiters_answer(&service);
	answers[0] = '\0';
	service_waiters_answer(&service);
	service_waiters_fail(&service, BAY_BUSY, "not now");
	service_waiters_fail_starters(&service, BAY_BUSY, "not now");
	ck_assert_str_eq(answers, "");
	finish();
}
END_TEST

START_TEST(a_failure_is_told_to_all_in_turn)
{
	prepare(SERVICE_STOPPING, NULL);
	add_all();
	service_waiters_fail(&service, BAY_TIMEOUT, "it goes on");
	ck_assert_str_eq(answers, "start timeout: it goes on, stop timeout: it goes on, restart timeout: it goes on");
	finish();
}
END_TEST

START_TEST(a_failure_to_start_leaves_those_who_want_it_stopped)
{
	prepare(SERVICE_STARTING, NULL);
	add_all();
	service_waiters_fail_starters(&service, BAY_INVALID, "no such plugin");
	ck_assert_str_eq(answers, "start invalid: no such plugin, restart invalid: no such plugin");
	service.state = SERVICE_STOPPED;
	answers[0] = '\0';
	service_waiters_answer(&service);
	ck_assert_str_eq(answers, "stop ok");
	finish();
}
END_TEST

START_TEST(nobody_waits_without_a_function)
{
	prepare(SERVICE_READY, NULL);
	service_waiters_add(&service, SERVICE_WISH_START, NULL, NULL);
	finish();
}
END_TEST

/* --- answers that change what they are about -------------------------------------------------------- */

static int again; /* so often */

static void
note_and_ask_again(struct master_service *of, enum bay_status status, const char *message, void *arg)
{
	note(of, status, message, arg);
	if (again-- > 0)
		service_waiters_add(of, SERVICE_WISH_START, note_and_ask_again, arg);
}

START_TEST(who_asks_again_in_his_answer_waits_for_the_next_time)
{
	static char start[] = "start";

	prepare(SERVICE_FAILED, "no disk");
	again = 3;
	service_waiters_add(&service, SERVICE_WISH_START, note_and_ask_again, start);
	service_waiters_answer(&service);
	ck_assert_str_eq(answers, "start failed: no disk");
	service_waiters_fail(&service, BAY_BUSY, "not now");
	ck_assert_str_eq(answers, "start failed: no disk, start busy: not now");
	service_waiters_fail_starters(&service, BAY_INVALID, "no such plugin");
	ck_assert_str_eq(answers, "start failed: no disk, start busy: not now, start invalid: no such plugin");
	service.state = SERVICE_READY;
	answers[0] = '\0';
	service_waiters_answer(&service);
	ck_assert_str_eq(answers, "start ok");
	finish();
}
END_TEST

/* As a start that is asked for in an answer does. */
static void
note_and_move_on(struct master_service *of, enum bay_status status, const char *message, void *arg)
{
	note(of, status, message, arg);
	of->state = of->state == SERVICE_READY ? SERVICE_STOPPED : SERVICE_READY;
	free(of->reason);
	of->reason = NULL;
}

START_TEST(all_are_answered_by_what_was_when_it_came_to_rest)
{
	static char first[] = "first", second[] = "second";

	prepare(SERVICE_FAILED, "no disk");
	service_waiters_add(&service, SERVICE_WISH_START, note_and_move_on, first);
	service_waiters_add(&service, SERVICE_WISH_START, note, second);
	service_waiters_answer(&service);
	ck_assert_str_eq(answers, "first failed: no disk, second failed: no disk");
	finish();

	prepare(SERVICE_READY, NULL);
	service_waiters_add(&service, SERVICE_WISH_START, note_and_move_on, first);
	service_waiters_add(&service, SERVICE_WISH_START, note, second);
	service_waiters_answer(&service);
	ck_assert_str_eq(answers, "first ok, second ok");
	finish();
}
END_TEST

START_TEST(the_reason_may_be_that_of_the_service_itself)
{
	static char first[] = "first", second[] = "second";

	prepare(SERVICE_STOPPING, "3 tasks go on");
	service_waiters_add(&service, SERVICE_WISH_STOP, note_and_move_on, first);
	service_waiters_add(&service, SERVICE_WISH_STOP, note, second);
	service_waiters_fail(&service, BAY_BUSY, service.reason);
	ck_assert_str_eq(answers, "first busy: 3 tasks go on, second busy: 3 tasks go on");
	finish();
}
END_TEST

static void
note_and_fail_the_others(struct master_service *of, enum bay_status status, const char *message, void *arg)
{
	note(of, status, message, arg);
	service_waiters_fail(of, BAY_CLOSED, "bayd stops");
}

START_TEST(who_has_an_answer_coming_has_no_other)
{
	static char first[] = "first", second[] = "second";

	prepare(SERVICE_READY, NULL);
	service_waiters_add(&service, SERVICE_WISH_START, note_and_fail_the_others, first);
	service_waiters_add(&service, SERVICE_WISH_START, note, second);
	service_waiters_answer(&service);
	ck_assert_str_eq(answers, "first ok, second ok");
	finish();
}
END_TEST

CHECK_MAIN("master/service_waiters",
	each_is_answered_by_its_wish_and_by_what_the_service_has_become,
	each_is_answered_once,
	a_failure_is_told_to_all_in_turn,
	a_failure_to_start_leaves_those_who_want_it_stopped,
	nobody_waits_without_a_function,
	who_asks_again_in_his_answer_waits_for_the_next_time,
	all_are_answered_by_what_was_when_it_came_to_rest,
	the_reason_may_be_that_of_the_service_itself,
	who_has_an_answer_coming_has_no_other)
