/* SPDX-License-Identifier: BSD-2-Clause */
/* start, stop, restart and shutdown. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/canned.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "support/check_main.h"

static struct fake_server server;
static struct run run;

/* Services named good... obey; bad... do not; the others are not there. */
static void
answer(struct fake_call *call)
{
	const char *service = fake_text(call, "service");

	if (strcmp(call->method, "List") == 0)
		fake_reply(call, "{'services':[{'name':'good'},{'name':'bad'}]}");
	else if (strcmp(call->method, "Status") == 0)
		fake_reply(call, "{'service':{'name':'bad'},'log':['first line','second \\u001bline']}");
	else if (strncmp(service, "good", 4) == 0 && strcmp(call->method, "Stop") == 0)
		fake_reply(call, "{'state':'stopped'}");
	else if (strncmp(service, "good", 4) == 0)
		fake_reply(call, "{'state':'ready'}");
	else if (strcmp(service, "badplugin") == 0)
		fake_error(call, "Refused", "{'message':'no such plugin','status':'invalid'}");
	else if (strncmp(service, "bad", 3) == 0)
		fake_error(call, "Refused", "{'message':'init said no'}");
	else
		fake_error(call, "NotFound", "{'message':'there is no service of that name'}");
}

static void
start(fake_server_fn *fn)
{
	fake_server_start(&server, fn);
	run = (struct run){.socket = server.path};
}

static void
stop(void)
{
	run_finish(&run);
	fake_server_stop(&server);
}

static const json_t *
result(size_t i)
{
	return json_array_get(json_object_get(json_object_get(run.json, "data"), "results"), i);
}

START_TEST(the_outcome_is_told)
{
	start(answer);
	run_words(&run, "start", "good", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert(strncmp(run.out, "good: ready (", 13) == 0);
	run_words(&run, "stop", "good", "good2", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert(strncmp(run.out, "good: stopped (", 15) == 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\ngood2: stopped ("));
	run_words(&run, "-q", "restart", "good", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "");
	stop();
}
END_TEST

START_TEST(a_failure_comes_with_its_cause_and_the_log)
{
	start(answer);
	run_words(&run, "start", "bad", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, "bayctl: init said no [failed]\nlast lines of its log:\n"
		"  first line\n  second \\x1bline\n");
	run_words(&run, "-q", "start", "bad", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_str_eq(run.err, "bayctl: init said no [failed]\n");
	run_words(&run, "start", "badplugin", NULL);
	ck_assert_int_eq(run.exit, 5);
	stop();
}
END_TEST

START_TEST(an_unknown_service_is_4_with_the_nearest_name)
{
	start(answer);
	run_words(&run, "stop", "goof", NULL);
	ck_assert_int_eq(run.exit, 4);
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean \"good\"?"));
	ck_assert_ptr_null(strstr(run.err, "log"));
	stop();
}
END_TEST

START_TEST(some_of_several_is_9_and_none_is_what_the_first_said)
{
	start(answer);
	run_words(&run, "start", "good", "bad", "good2", NULL);
	ck_assert_int_eq(run.exit, 9);
	ck_assert_ptr_nonnull(strstr(run.out, "good: ready"));
	ck_assert_ptr_nonnull(strstr(run.out, "good2: ready"));
	ck_assert_ptr_nonnull(strstr(run.err, "init said no"));
	run_words(&run, "start", "nothing", "bad", NULL);
	ck_assert_int_eq(run.exit, 4);
	run_words(&run, "start", "bad", "nothing", NULL);
	ck_assert_int_eq(run.exit, 1);
	stop();
}
END_TEST

START_TEST(json_has_a_result_for_each_service)
{
	start(answer);
	run_json(&run, "start", "good", "bad", NULL);
	ck_assert_int_eq(run.exit, 9);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run.json, "error"), "code")),
		"partly");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run.json, "error"),
		"message")), "1 of 2 services failed");
	ck_assert(json_is_true(json_object_get(result(0), "ok")));
	ck_assert_str_eq(json_string_value(json_object_get(result(0), "state")), "ready");
	ck_assert(json_is_false(json_object_get(result(1), "ok")));
	ck_assert_str_eq(json_string_value(json_object_get(result(1), "service")), "bad");
	ck_assert_uint_eq(json_array_size(json_object_get(result(1), "log")), 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(result(1), "error"),
		"message")), "init said no");
	run_json(&run, "stop", "good", NULL);
	ck_assert_int_eq(run.exit, 0);
	stop();
}
END_TEST

static void
answer_only_now(struct fake_call *call)
{
	if (json_is_true(json_object_get(call->parameters, "now")))
		fake_reply(call, "{'state':'stopped'}");
	else
		fake_error(call, "Refused", "{'message':'not now'}");
}

START_TEST(now_is_passed_on)
{
	start(answer_only_now);
	run_words(&run, "stop", "--now", "a", NULL);
	ck_assert_int_eq(run.exit, 0);
	run_words(&run, "stop", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	stop();
}
END_TEST

static void
answer_nothing(struct fake_call *call)
{
	(void)call;
}

START_TEST(waiting_ends_at_the_timeout_for_each_service)
{
	start(answer_nothing);
	run_words(&run, "start", "a", "b", "--timeout", "50ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_ptr_nonnull(strstr(run.err, "no reply to Start within 50ms [timeout]\n"));
	stop();
}
END_TEST

/* A late reply to the first call must not be taken for the one to the second. */
static void
answer_the_first_late(struct fake_call *call)
{
	if (strcmp(call->method, "Start") != 0 || strcmp(fake_text(call, "service"), "b") != 0)
		return;
	if (call->connection == 1)
		fake_reply(call, "{'state':'ready'}");
	fake_error(call, "Refused", "{'message':'b said no'}");
}

START_TEST(after_a_timeout_the_next_service_gets_its_own_reply)
{
	start(answer_the_first_late);
	run_json(&run, "start", "a", "b", "--timeout", "50ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(result(1), "error"),
		"message")), "b said no");
	stop();
}
END_TEST

START_TEST(without_a_daemon_it_is_7_once)
{
	run = (struct run){.socket = "/nonexistent"};
	run_words(&run, "start", "a", "b", NULL);
	ck_assert_int_eq(run.exit, 7);
	ck_assert_str_eq(run.err, "bayctl: there is no socket /nonexistent [unreachable]\n"
		"        is bayd running? name its socket with -s SOCKET or in BAY_SOCKET\n");
	run_finish(&run);
}
END_TEST

/* --- shutdown ---------------------------------------------------------------------------------- */

/* Goes only when somebody looks whether it is gone: who does not wait finds the socket. */
static void
answer_and_exit(struct fake_call *call)
{
	fake_reply(call, "{}");
	call->close = true;
	call->exit_at_next = true;
}

START_TEST(shutdown_waits_until_the_socket_is_gone)
{
	start(answer_and_exit);
	run_words(&run, "shutdown", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	ck_assert(strncmp(run.out, "bayd has stopped (", 18) == 0);
	ck_assert_int_ne(access(server.path, F_OK), 0);
	stop();
}
END_TEST

START_TEST(shutdown_has_a_json_answer)
{
	start(answer_and_exit);
	run_json(&run, "shutdown", "--now", NULL);
	ck_assert_int_eq(run.exit, 0);
	stop();
}
END_TEST

static void
answer_and_close(struct fake_call *call)
{
	fake_reply(call, "{}");
	call->close = true;
}

START_TEST(a_daemon_that_does_not_go_is_8)
{
	int64_t start_ns;

	start(answer_and_close);
	start_ns = clock_monotonic_ns();
	run_words(&run, "shutdown", "--timeout", "200ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_ptr_nonnull(strstr(run.err, "the daemon is still stopping"));
	ck_assert_int_ge(clock_monotonic_ns() - start_ns, 200 * CLOCK_NS_PER_MS);
	stop();
}
END_TEST

static void
answer_not_permitted(struct fake_call *call)
{
	fake_error(call, "NotPermitted", "{'message':'Shutdown wants the role admin'}");
}

START_TEST(shutdown_by_the_wrong_user_is_6)
{
	start(answer_not_permitted);
	run_words(&run, "shutdown", NULL);
	ck_assert_int_eq(run.exit, 6);
	stop();
}
END_TEST

CHECK_MAIN("ctl/verb_control",
	the_outcome_is_told,
	a_failure_comes_with_its_cause_and_the_log,
	an_unknown_service_is_4_with_the_nearest_name,
	some_of_several_is_9_and_none_is_what_the_first_said,
	json_has_a_result_for_each_service,
	now_is_passed_on,
	waiting_ends_at_the_timeout_for_each_service,
	after_a_timeout_the_next_service_gets_its_own_reply,
	without_a_daemon_it_is_7_once,
	shutdown_waits_until_the_socket_is_gone,
	shutdown_has_a_json_answer,
	a_daemon_that_does_not_go_is_8,
	shutdown_by_the_wrong_user_is_6)
