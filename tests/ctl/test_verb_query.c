/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "ctl/canned.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "protocol/interface.h"
#include "support/check_main.h"

static struct fake_server server;
static struct run run;

/* Answers what it is asked, and only if the arguments are right. */
static void
answer(struct fake_call *call)
{
	static const struct {
		const char *method;
		const char *reply;
	} replies[] = {
		{"Ping", "{'pid':5,'uptime_ns':7000000000}"},
		{"Info", CANNED_INFO},
		{"List", CANNED_LIST},
		{"Status", CANNED_STATUS},
		{"Tasks", CANNED_TASKS},
		{"Queues", CANNED_QUEUES},
		{"Stats", CANNED_STATS},
	};
	const char *service = fake_text(call, "service");

	if (*service != '\0' && strcmp(service, "square") != 0) {
		fake_error(call, "NotFound", "{'message':'there is no service of that name'}");
		return;
	}
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		if (strcmp(call->method, replies[i].method) == 0)
			fake_reply(call, replies[i].reply);
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
data(const char *member)
{
	return json_object_get(json_object_get(run.json, "data"), member);
}

START_TEST(ping_tells_who_answered)
{
	start(answer);
	run_words(&run, "ping", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "bayd with pid 5 answered in "));
	ck_assert_ptr_nonnull(strstr(run.out, "; it is up for 7s\n"));
	run_json(&run, "ping", NULL);
	ck_assert_int_eq(json_integer_value(data("pid")), 5);
	stop();
}
END_TEST

static void
answer_nothing(struct fake_call *call)
{
	fake_reply(call, "{}");
}

START_TEST(what_answers_with_nothing_is_no_bayd)
{
	static const char *const verbs[] = {"ping", "info", "list", "status", "tasks", "queues", "stats"};

	start(answer_nothing);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		run_words(&run, verbs[i], NULL);
		ck_assert_msg(run.exit == 7, "%s", verbs[i]);
		ck_assert_str_eq(run.out, "");
		ck_assert_ptr_nonnull(strstr(run.err, "the reply cannot be read: it is none to "));
		ck_assert_ptr_nonnull(strstr(run.err, "is this the socket of bayd?"));
	}
	run_json(&run, "ping", NULL);
	ck_assert_int_eq(run.exit, 7);
	stop();
}
END_TEST

START_TEST(version_tells_both_versions)
{
	start(answer);
	run_words(&run, "version", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "bayctl " PACKAGE_VERSION "\nbayd   0.1.0 (plugin ABI 1.0)\n");
	run_json(&run, "version", NULL);
	ck_assert_str_eq(json_string_value(data("bayctl")), PACKAGE_VERSION);
	ck_assert_str_eq(json_string_value(data("bayd")), "0.1.0");
	ck_assert_str_eq(json_string_value(data("abi")), "1.0");
	stop();
}
END_TEST

START_TEST(version_without_a_daemon_is_no_error)
{
	run = (struct run){.socket = "/nonexistent"};
	run_words(&run, "version", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "bayctl " PACKAGE_VERSION "\nbayd   unknown: there is no socket /nonexistent\n");
	run_json(&run, "version", NULL);
	ck_assert(json_is_null(data("bayd")));
	run_words(&run, "--version", NULL);
	ck_assert_str_eq(run.out, "bayctl " PACKAGE_VERSION "\n");
	run_finish(&run);
}
END_TEST

START_TEST(list_is_a_table_or_the_services)
{
	start(answer);
	run_words(&run, "list", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert(strncmp(run.out, "SERVICE ", 8) == 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\nsquare "));
	run_words(&run, "ls", "-q", NULL);
	ck_assert(strncmp(run.out, "square ", 7) == 0);
	run_json(&run, "list", NULL);
	ck_assert_uint_eq(json_array_size(data("services")), 2);
	stop();
}
END_TEST

START_TEST(blame_has_the_slowest_start_first)
{
	start(answer);
	run_words(&run, "blame", "-q", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "broken  failed  5ms  5ms    0  0\n"
		"square  ready   3ms  2ms  1ms  0\n");
	run_json(&run, "blame", NULL);
	ck_assert_uint_eq(json_array_size(data("services")), 2);
	stop();
}
END_TEST

START_TEST(questions_are_answered_by_the_exit_code)
{
	start(answer);
	run_words(&run, "is-ready", "square", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "ready\n");
	run_words(&run, "is-ready", "square", "broken", NULL);
	ck_assert_int_eq(run.exit, 3);
	ck_assert_str_eq(run.out, "ready\nfailed\n");
	ck_assert_str_eq(run.err, "");
	run_words(&run, "is-active", "-q", "broken", NULL);
	ck_assert_int_eq(run.exit, 3);
	ck_assert_str_eq(run.out, "");
	run_words(&run, "is-failed", "square", "broken", NULL);
	ck_assert_int_eq(run.exit, 0);
	run_words(&run, "is-failed", "square", NULL);
	ck_assert_int_eq(run.exit, 3);
	/* All that are to run. */
	run_words(&run, "is-ready", NULL);
	ck_assert_int_eq(run.exit, 3);
	run_words(&run, "is-ready", "square", "squara", NULL);
	ck_assert_int_eq(run.exit, 4);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean \"square\"?"));
	run_json(&run, "is-failed", "broken", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert(json_is_true(data("answer")));
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(data("services"), 0), "state")),
		"failed");
	stop();
}
END_TEST

/* web requires db and wants cache, all are after disk. */
static void
answer_in_order(struct fake_call *call)
{
	if (strcmp(call->method, "Status") == 0 && strcmp(fake_text(call, "service"), "web") != 0 &&
		strcmp(fake_text(call, "service"), "disk") != 0)
		fake_error(call, "NotFound", "{'message':'there is no service of that name'}");
	else if (strcmp(call->method, "Status") == 0)
		fake_reply(call, CANNED_STATUS);
	else
		fake_reply(call, "{'services':["
			"{'name':'web','state':'starting','requires':['db'],'wants':['cache'],'after':['disk','db'],"
			"'waits_for':['db'],'delayed_by':'db','wait_took_ns':2000000},"
			"{'name':'db','state':'ready','requires':[],'wants':[],'after':['disk'],'waits_for':[],"
			"'delayed_by':'disk','start_took_ns':5000000,'served_after_ns':9000000},"
			"{'name':'cache','state':'failed','requires':[],'wants':[],'after':['disk'],'waits_for':[]},"
			"{'name':'disk','state':'ready','requires':[],'wants':[],'after':[],'waits_for':[],"
			"'start_took_ns':1000000,'served_after_ns':4000000},"
			"{'name':'alone','state':'ready','requires':[],'wants':[],'after':[],'waits_for':[]}]}");
}

START_TEST(blame_shows_whom_a_service_waited_for)
{
	start(answer_in_order);
	run_words(&run, "blame", "web", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "web: starting\n  db: ready at 9ms, started in 5ms\n"
		"    disk: ready at 4ms, started in 1ms\n");
	run_words(&run, "blame", "-q", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "2ms  db\n"));
	run_words(&run, "blame", "wbe", NULL);
	ck_assert_int_eq(run.exit, 4);
	stop();
}
END_TEST

START_TEST(deps_are_a_tree_of_those_that_nobody_names)
{
	start(answer_in_order);
	run_words(&run, "deps", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "web: starting\n  requires db: ready\n    after disk: ready\n"
		"  wants cache: failed\n    after disk: ready\n  after disk: ready\nalone: ready\n");
	run_words(&run, "deps", "disk", NULL);
	ck_assert_str_eq(run.out, "disk: ready\n  named by web: starting (after)\n"
		"  named by db: ready (after)\n  named by cache: failed (after)\n");
	run_words(&run, "deps", "wbe", NULL);
	ck_assert_int_eq(run.exit, 4);
	run_json(&run, "deps", NULL);
	ck_assert_uint_eq(json_array_size(data("services")), 5);
	run_json(&run, "deps", "web", NULL);
	ck_assert_uint_eq(json_array_size(data("services")), 1);
	stop();
}
END_TEST

START_TEST(list_says_for_whom_a_service_waits)
{
	start(answer_in_order);
	run_words(&run, "list", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "waits for db\n"));
	stop();
}
END_TEST

START_TEST(status_without_a_service_is_a_summary)
{
	start(answer);
	run_words(&run, "status", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert(strncmp(run.out, "bayd 0.1.0: ready", 17) == 0);
	ck_assert_ptr_nonnull(strstr(run.out, "services: 2 (1 ready, 1 failed)"));
	run_json(&run, "status", NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(data("info"), "pid")), 77);
	ck_assert_uint_eq(json_array_size(data("services")), 2);
	stop();
}
END_TEST

START_TEST(status_of_a_service_is_all_about_it)
{
	start(answer);
	run_words(&run, "status", "square", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert(strncmp(run.out, "square: ready since ", 20) == 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\n  line two\n"));
	run_json(&run, "status", "square", NULL);
	ck_assert_str_eq(json_string_value(json_object_get(data("service"), "name")), "square");
	stop();
}
END_TEST

START_TEST(info_tasks_queues_and_stats_are_shown)
{
	start(answer);
	run_words(&run, "info", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "runtime dir: /run/bay\n"));
	run_words(&run, "tasks", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "WAITS-FOR"));
	run_words(&run, "tasks", "square", "--tree", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "1 run  waiting for timer"));
	run_words(&run, "queues", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "WHEN-FULL"));
	run_words(&run, "stats", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "WAIT-P99"));
	run_words(&run, "stats", "square", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "latency: p50 1us"));
	ck_assert_int_eq(run.exit, 0);
	stop();
}
END_TEST

START_TEST(every_query_has_its_data_as_json)
{
	static const char *const verbs[][2] = {{"info", "cells"}, {"tasks", "silent_loops"},
		{"queues", "queues"}, {"stats", "loops"}};

	start(answer);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		run_json(&run, verbs[i][0], NULL);
		ck_assert_int_eq(run.exit, 0);
		ck_assert(json_is_array(data(verbs[i][1])));
	}
	stop();
}
END_TEST

START_TEST(an_unknown_service_is_4_with_the_nearest_name)
{
	static const char *const verbs[] = {"status", "tasks", "stats"};

	start(answer);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		run_words(&run, verbs[i], "sqare", NULL);
		ck_assert_int_eq(run.exit, 4);
		ck_assert_str_eq(run.err, "bayctl: there is no service of that name [not-found]\n"
			"        did you mean \"square\"?\n");
		run_words(&run, verbs[i], "nothing-like-it", NULL);
		ck_assert_int_eq(run.exit, 4);
		ck_assert_ptr_nonnull(strstr(run.err, "bayctl list shows the services"));
	}
	run_json(&run, "status", "sqare", NULL);
	ck_assert_int_eq(run.exit, 4);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run.json, "error"), "code")),
		"not-found");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run.json, "error"), "hint")),
		"did you mean \"square\"?");
	stop();
}
END_TEST

static void
answer_with_hint(struct fake_call *call)
{
	if (call->count > 1)
		_exit(1);
	fake_error(call, "NotFound", "{'message':'there is no service a; did you mean b?'}");
}

START_TEST(a_hint_of_the_daemon_is_not_repeated)
{
	start(answer_with_hint);
	run_words(&run, "status", "a", NULL);
	ck_assert_int_eq(run.exit, 4);
	ck_assert_str_eq(run.err, "bayctl: there is no service a; did you mean b? [not-found]\n");
	stop();
}
END_TEST

START_TEST(a_name_of_any_bytes_is_asked_for)
{
	start(answer);
	run_words(&run, "status", "sq\xff" "are", NULL);
	ck_assert_int_eq(run.exit, 4);
	stop();
}
END_TEST

static void
answer_method_not_found(struct fake_call *call)
{
	fake_error(call, "org.varlink.service.MethodNotFound",
		"{'method':'io.bayd.Container.Queues','message':'no such method'}");
}

START_TEST(a_method_that_the_daemon_does_not_know_is_explained)
{
	start(answer_method_not_found);
	run_words(&run, "queues", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "the daemon is older than this bayctl"));
	stop();
}
END_TEST

static void
answer_error_without_message(struct fake_call *call)
{
	fake_error(call, "Refused", "{'message':5}");
}

START_TEST(an_error_without_message_is_told_by_its_name)
{
	start(answer_error_without_message);
	run_words(&run, "list", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_str_eq(run.err, "bayctl: io.bayd.Container.Refused [failed]\n");
	stop();
}
END_TEST

static void
answer_steering_error(struct fake_call *call)
{
	fake_error(call, "Refused", "{'message':'a\\u001b[2Jb\\nc\\u009b'}");
}

START_TEST(an_error_text_is_escaped)
{
	start(answer_steering_error);
	run_words(&run, "list", NULL);
	ck_assert_str_eq(run.err, "bayctl: a\\x1b[2Jb\n        c\\xc2\\x9b [failed]\n");
	stop();
}
END_TEST

START_TEST(usage_errors_are_2_in_both_forms)
{
	run = (struct run){0};
	run_words(&run, "lst", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, "bayctl: there is no verb \"lst\" [usage]\n        did you mean \"list\"?\n");
	run_json(&run, "lst", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run.json, "error"), "code")),
		"usage");
	run_words(&run, NULL);
	ck_assert_int_eq(run.exit, 2);
	run_finish(&run);
}
END_TEST

CHECK_MAIN("ctl/verb_query",
	ping_tells_who_answered,
	what_answers_with_nothing_is_no_bayd,
	version_tells_both_versions,
	version_without_a_daemon_is_no_error,
	list_is_a_table_or_the_services,
	blame_has_the_slowest_start_first,
	blame_shows_whom_a_service_waited_for,
	deps_are_a_tree_of_those_that_nobody_names,
	list_says_for_whom_a_service_waits,
	questions_are_answered_by_the_exit_code,
	status_without_a_service_is_a_summary,
	status_of_a_service_is_all_about_it,
	info_tasks_queues_and_stats_are_shown,
	every_query_has_its_data_as_json,
	an_unknown_service_is_4_with_the_nearest_name,
	a_hint_of_the_daemon_is_not_repeated,
	a_name_of_any_bytes_is_asked_for,
	a_method_that_the_daemon_does_not_know_is_explained,
	an_error_without_message_is_told_by_its_name,
	an_error_text_is_escaped,
	usage_errors_are_2_in_both_forms)
