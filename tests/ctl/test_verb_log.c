/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/canned.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "support/check_main.h"

static struct fake_server server;
static struct run run;

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

/* Says what it was asked, then two lines; ends as the call wants it. */
static void
answer(struct fake_call *call)
{
	char *asked = json_dumps(call->parameters, JSON_COMPACT | JSON_SORT_KEYS);
	char line[256];

	if (strcmp(call->method, "List") == 0) {
		fake_reply(call, CANNED_LIST);
	} else if (strcmp(fake_text(call, "service"), "sqare") == 0) {
		fake_error(call, "NotFound", "{'message':'no such service'}");
	} else if (!call->more) {
		fake_error(call, "org.varlink.service.ExpectedMore", "{}");
	} else {
		for (char *c = asked; *c != '\0'; c++)
			if (*c == '"')
				*c = '.';
		snprintf(line, sizeof(line), "{'line':'%s'}", asked);
		fake_reply_continues(call, "{'line':'one \\u001b[2J'}");
		fake_reply_continues(call, line);
		if (!json_is_true(json_object_get(call->parameters, "follow")))
			fake_reply(call, "{}");
		else
			call->close = true;
	}
	free(asked);
}

START_TEST(lines_are_printed_escaped_until_the_last)
{
	start(answer);
	run_words(&run, "log", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	ck_assert_str_eq(run.out, "one \\x1b[2J\n{.follow.:false,.lines.:20}\n");
	stop();
}
END_TEST

START_TEST(lines_and_service_are_passed_on)
{
	start(answer);
	run_words(&run, "logs", "square", "-n", "5", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\n{.follow.:false,.lines.:5,.service.:.square.}\n"));
	stop();
}
END_TEST

START_TEST(json_is_one_object_a_line)
{
	char *rest;
	int lines = 0;

	start(answer);
	run_words(&run, "--json", "log", NULL);
	ck_assert_int_eq(run.exit, 0);
	for (char *line = strtok_r(run.out, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		json_t *json = json_loads(line, 0, NULL);

		ck_assert(json_is_true(json_object_get(json, "ok")));
		ck_assert(json_is_string(json_object_get(json_object_get(json, "data"), "line")));
		json_decref(json);
		lines++;
	}
	ck_assert_int_eq(lines, 2);
	stop();
}
END_TEST

START_TEST(following_ends_with_the_daemon_and_keeps_the_lines)
{
	start(answer);
	run_words(&run, "log", "-f", NULL);
	ck_assert_int_eq(run.exit, 7);
	ck_assert_ptr_nonnull(strstr(run.out, "{.follow.:true,.lines.:20}\n"));
	ck_assert_ptr_nonnull(strstr(run.err, "the daemon closed the connection"));
	stop();
}
END_TEST

START_TEST(an_unknown_service_is_4_with_the_nearest_name)
{
	start(answer);
	run_words(&run, "log", "sqare", NULL);
	ck_assert_int_eq(run.exit, 4);
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean \"square\"?"));
	stop();
}
END_TEST

static void
answer_one_line(struct fake_call *call)
{
	fake_reply_continues(call, "{'line':'one'}");
}

START_TEST(a_pause_is_no_end_unless_it_is_long)
{
	start(answer_one_line);
	run_words(&run, "log", "--timeout", "50ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_str_eq(run.out, "one\n");
	ck_assert_ptr_nonnull(strstr(run.err, "the daemon stopped sending lines"));
	stop();
}
END_TEST

START_TEST(following_ends_when_its_time_is_over)
{
	start(answer_one_line);
	run_words(&run, "log", "-f", "--timeout", "50ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_str_eq(run.out, "one\n");
	ck_assert_ptr_nonnull(strstr(run.err, "the time to follow the log is over"));
	stop();
}
END_TEST

START_TEST(without_a_daemon_it_is_7)
{
	run = (struct run){.socket = "/nonexistent"};
	run_words(&run, "log", NULL);
	ck_assert_int_eq(run.exit, 7);
	run_json(&run, "log", NULL);
	ck_assert_int_eq(run.exit, 7);
	run_finish(&run);
}
END_TEST

static void
answer_events(struct fake_call *call)
{
	bool since = json_integer_value(json_object_get(call->parameters, "since")) == 4;

	ck_assert_str_eq(call->method, "Events");
	if (since)
		fake_reply_continues(call, "{'lost':{'count':3,'next':8,'restarted':false}}");
	else
		fake_reply_continues(call, "{'lost':{'count':0,'next':1,'restarted':true}}");
	fake_reply_continues(call, "{'event':{'number':8,'time_wall_ns':1000000000,'kind':'swapped',"
		"'service':'square','generation':3,'by':'user','uid':7,'pid':9,'why':'so\\u001b',"
		"'took_ns':5000000}}");
	fake_reply_continues(call, "{'event':{'number':9,'time_wall_ns':2000000000,'kind':'up',"
		"'by':'supervisor'}}");
	fake_reply(call, "{}");
}

START_TEST(events_are_printed_with_who_asked_and_why)
{
	start(answer_events);
	run_words(&run, "events", "--since", "4", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	ck_assert_str_eq(run.out,
		"(3 events are lost here, since only so many are kept: read faster)\n"
		"1970-01-01T00:00:01.000Z     8 square swapped, generation 3 by user 7, process 9 (5ms): "
		"so\\x1b\n"
		"1970-01-01T00:00:02.000Z     9 bayd up\n");
	run_words(&run, "events", NULL);
	ck_assert_ptr_nonnull(strstr(run.out, "(the daemon was started again"));
	stop();
}
END_TEST

START_TEST(events_as_json_are_one_object_a_line_and_the_end_is_none)
{
	start(answer_events);
	run_words(&run, "events", "--json", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\"number\":9"));
	ck_assert_ptr_null(strstr(run.out, "\"data\":{}"));
	stop();
}
END_TEST

START_TEST(lines_of_one_trace_are_asked_for_by_its_id)
{
	start(answer);
	run_words(&run, "log", "--trace", "4bf92f3577b34da6a3ce929d0e0e4736", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "4bf92f3577b34da6a3ce929d0e0e4736"));
	run_words(&run, "log", "--trace", "rubbish", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "--trace: 'rubbish' is not valid"));
	stop();
}
END_TEST

CHECK_MAIN("ctl/verb_log",
	events_are_printed_with_who_asked_and_why,
	events_as_json_are_one_object_a_line_and_the_end_is_none,
	lines_are_printed_escaped_until_the_last,
	lines_and_service_are_passed_on,
	json_is_one_object_a_line,
	following_ends_with_the_daemon_and_keeps_the_lines,
	an_unknown_service_is_4_with_the_nearest_name,
	a_pause_is_no_end_unless_it_is_long,
	following_ends_when_its_time_is_over,
	without_a_daemon_it_is_7,
	lines_of_one_trace_are_asked_for_by_its_id)
