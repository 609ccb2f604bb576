/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks of services on a loop of their own ask for listening sockets. The test's thread is the
 * control thread, and the master.
 */
#include "config.h"

#include "cell/listener_source.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cell/listener_asks.h"
#include "protocol/cell_link.h"

/* --- tasks ---------------------------------------------------------------------------------- */

static atomic_int running; /* of what go() began */

static int
call_asker(void *arg)
{
	int status = services_call(asker, arg, BAY_INHERIT);

	atomic_fetch_sub(&running, 1);
	return status;
}

static struct services_job *
go(struct want *want)
{
	atomic_fetch_add(&running, 1);
	return services_go(0, call_asker, want);
}

static int
ask_without_service(void *arg)
{
	struct want *want = arg;

	want->status = listener_source_ask(want->address, 0, &want->fd, want->error, sizeof want->error,
		BAY_INHERIT);
	return want->status;
}

/* --- the master ----------------------------------------------------------------------------- */

/* The next question of the cell, waiting for it. */
static void
take(struct cell_question *question)
{
	while (!cell_control_take(question)) {
		loop_wait(&cell_control_loop, INT64_MAX);
		loop_drain_inbox(&cell_control_loop);
	}
	ck_assert_str_eq(question->method, CELL_LISTEN);
}

/* Turns the control loop until all that was begun has ended. */
static int
finish(struct services_job *job)
{
	while (atomic_load(&running) > 0)
		cell_control_turn();
	return services_join(job);
}

/* --- tests ------------------------------------------------------------------------------------ */

START_TEST(a_task_gets_what_the_master_gives)
{
	struct want want = {.address = "127.0.0.1:80", .backlog = 7};
	struct cell_question question;
	struct services_job *job;
	struct cell_listen asked;
	char error[CELL_ERROR_SIZE];

	asks_begin();
	job = go(&want);
	take(&question);
	ck_assert_msg(cell_listen_from_json(question.parameters, &asked, error), "%s", error);
	ck_assert_str_eq(asked.service, "asker");
	ck_assert_int_eq(asked.generation, 3);
	ck_assert_str_eq(asked.address, "127.0.0.1:80");
	ck_assert_int_eq(asked.backlog, 7);
	cell_control_reply(question.id, BAY_OK, NULL, make_socket());
	ck_assert_int_eq(finish(job), BAY_OK);
	ck_assert_int_eq(want.status, BAY_OK);
	ck_assert_int_eq(fcntl(want.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_str_eq(want.error, "");
	close(want.fd);
	asks_end();
}
END_TEST

START_TEST(a_refusal_comes_with_its_status_and_words)
{
	struct want want = {.address = "web", .backlog = -1};
	struct cell_question question;
	struct services_job *job;

	asks_begin();
	job = go(&want);
	take(&question);
	ck_assert_int_eq(json_integer_value(json_object_get(question.parameters, "backlog")), 0);
	cell_control_reply(question.id, BAY_BUSY, "service b has it", -1);
	ck_assert_int_eq(finish(job), BAY_BUSY);
	ck_assert_int_eq(want.status, BAY_BUSY);
	ck_assert_int_eq(want.fd, -1);
	ck_assert_str_eq(want.error, "service b has it");
	asks_end();
}
END_TEST

START_TEST(many_ask_at_once_and_each_gets_its_own)
{
	enum { MANY = 20 };
	struct want wants[MANY];
	struct services_job *jobs[MANY];
	struct cell_question question;
	int64_t ids[MANY];

	asks_begin();
	for (int i = 0; i < MANY; i++) {
		wants[i] = (struct want){.address = "127.0.0.1:0", .backlog = i + 1};
		jobs[i] = go(&wants[i]);
	}
	for (int i = 0; i < MANY; i++) {
		json_int_t backlog;

		take(&question);
		backlog = json_integer_value(json_object_get(question.parameters, "backlog"));
		ids[backlog - 1] = question.id;
	}
	/* In any order. */
	for (int i = MANY; i-- > 0;) {
		char text[16];

		snprintf(text, sizeof text, "%d", i);
		cell_control_reply(ids[i], BAY_FULL, text, -1);
	}
	for (int i = 0; i < MANY; i++) {
		char text[16];

		ck_assert_int_eq(finish(jobs[i]), BAY_FULL);
		snprintf(text, sizeof text, "%d", i);
		ck_assert_str_eq(wants[i].error, text);
	}
	asks_end();
}
END_TEST

START_TEST(an_answer_that_comes_too_late_is_closed)
{
	struct want want = {.address = "web", .timeout_ns = BAY_MS};
	struct cell_question question;
	struct services_job *job;
	unsigned before;

	asks_begin();
	before = open_descriptors();
	job = go(&want);
	take(&question);
	ck_assert_int_eq(finish(job), BAY_TIMEOUT);
	ck_assert_int_eq(want.status, BAY_TIMEOUT);
	ck_assert_int_eq(want.fd, -1);
	cell_control_reply(question.id, BAY_OK, NULL, make_socket());
	asks_settle();
	ck_assert_uint_eq(open_descriptors(), before);
	asks_end();
}
END_TEST

START_TEST(an_answer_that_never_comes_ends_with_the_cell)
{
	struct want want = {.address = "web", .timeout_ns = BAY_MS};
	struct cell_question question;
	struct services_job *job;

	asks_begin();
	job = go(&want);
	take(&question);
	ck_assert_int_eq(finish(job), BAY_TIMEOUT);
	asks_end();
}
END_TEST

START_TEST(what_is_not_asked_before_the_end_is_not_asked_any_more)
{
	struct want want = {.address = "web", .timeout_ns = BAY_MS};
	struct cell_question question;

	asks_begin();
	/* The control thread is busy elsewhere. */
	ck_assert_int_eq(services_join(go(&want)), BAY_TIMEOUT);
	services_end();
	listener_source_end();
	cell_control_turn();
	ck_assert(!cell_control_take(&question));
	cell_control_end();
}
END_TEST

START_TEST(a_service_that_is_gone_from_the_table_is_not_asked_for)
{
	struct want want = {.address = "web"};
	struct cell_question question;
	struct services_job *job;

	asks_begin();
	generation = 0;
	job = go(&want);
	ck_assert_int_eq(finish(job), BAY_CLOSED);
	ck_assert_str_eq(want.error, "listen: the service is being stopped");
	ck_assert(!cell_control_take(&question));
	asks_end();
}
END_TEST

START_TEST(without_a_descriptor_left_the_cell_goes_on_and_says_so)
{
	struct want want = {.address = "web"};
	struct cell_question question;
	struct services_job *job;
	struct rlimit limit, none;
	int lowest;

	asks_begin();
	job = go(&want);
	take(&question);
	cell_control_reply(question.id, BAY_OK, NULL, make_socket());
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	lowest = make_socket();
	close(lowest);
	none = limit;
	none.rlim_cur = (rlim_t)lowest;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(finish(job), BAY_IO);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_msg(strstr(want.error, "as many descriptors open as it may") != NULL, "%s", want.error);
	asks_end();
}
END_TEST

START_TEST(who_is_of_no_service_or_writes_no_text_is_refused)
{
	struct want want = {.address = "web"};
	struct want no_text = {.address = "\xff:80"};
	struct services_job *job;

	asks_begin();
	ck_assert_int_eq(services_run_on(0, ask_without_service, &want), BAY_INVALID);
	ck_assert_str_eq(want.error, "listen: only a service can");
	job = go(&no_text);
	ck_assert_int_eq(finish(job), BAY_INVALID);
	asks_end();
}
END_TEST

CHECK_MAIN("cell/listener_source",
	a_task_gets_what_the_master_gives,
	a_refusal_comes_with_its_status_and_words,
	many_ask_at_once_and_each_gets_its_own,
	an_answer_that_comes_too_late_is_closed,
	an_answer_that_never_comes_ends_with_the_cell,
	what_is_not_asked_before_the_end_is_not_asked_any_more,
	a_service_that_is_gone_from_the_table_is_not_asked_for,
	without_a_descriptor_left_the_cell_goes_on_and_says_so,
	who_is_of_no_service_or_writes_no_text_is_refused)
