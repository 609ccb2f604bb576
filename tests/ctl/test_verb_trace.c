/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "support/check_main.h"

#define HEADER "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

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

/* Two requests, with a gap between them; it is said which parameters were given. */
static void
answer(struct fake_call *call)
{
	char begun[256], *asked = json_dumps(call->parameters, JSON_COMPACT | JSON_SORT_KEYS);

	ck_assert_str_eq(call->method, "Trace");
	ck_assert(call->more);
	for (char *c = asked; *c != '\0'; c++)
		if (*c == '"')
			*c = '.';
	snprintf(begun, sizeof(begun), "{'begun':'%s'}", asked);
	free(asked);
	fake_reply_continues(call, begun);
	fake_reply_continues(call, "{'request':{'trace':'4bf92f3577b34da6a3ce929d0e0e4736','time_wall_ns':1000000000,"
		"'continues':false,'caller':'gate','left_out':3,'hops':["
		"{'level':0,'service':'a\\u001b[2J','cell':'main','way':'queued','one_way':false,'start_ns':0,"
		"'wait_ns':2000000,'run_ns':3000000,'total_ns':5000000,'status':'ok','span':'00f067aa0ba902b7'},"
		"{'level':1,'service':'b','cell':'far','way':'cell','one_way':true,'start_ns':2500000,"
		"'wait_ns':0,'run_ns':1000,'total_ns':1000,'status':'timeout','span':'00f067aa0ba902b8'}]}}");
	fake_reply_continues(call, "{'lost':7}");
	fake_reply_continues(call, "{'request':{'trace':'4bf92f3577b34da6a3ce929d0e0e4736','time_wall_ns':1000000000,"
		"'continues':true,'hops':[{'level':0,'service':'c','cell':'main','way':'direct','one_way':false,"
		"'start_ns':0,'wait_ns':0,'run_ns':5,'total_ns':5,'status':'ok','span':'00f067aa0ba902b9'}]}}");
	fake_reply(call, "{'ended':{'requests':1,'lost':7}}");
}

static void
expect_line(const char *text, const char *line)
{
	ck_assert_msg(strstr(text, line) != NULL, "'%s' is not in '%s'", line, text);
}

START_TEST(requests_are_printed_with_what_was_called_below)
{
	start(answer);
	run_words(&run, "trace", "a", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	expect_line(run.out, " trace 4bf92f3577b34da6a3ce929d0e0e4736 from gate\n");
	expect_line(run.out, "SERVICE   CELL  WAY            AT  WAIT  RUN  TOTAL  STATUS\n");
	expect_line(run.out, "a\\x1b[2J  main  queued          0   2ms  3ms    5ms  ok\n");
	expect_line(run.out, "  b       far   sent, cell  2.5ms     0  1us    1us  timeout\n");
	expect_line(run.out, "(and 3 hops more)\n(7 hops are lost here: there are more than can be told)\n");
	expect_line(run.out, " (goes on)\nSERVICE  CELL  WAY     AT  WAIT  RUN  TOTAL  STATUS\nc        main  direct   0     -  5ns    5ns  ok\n");
	expect_line(run.err, "tracing service {.service.:.a.}\n");
	expect_line(run.err, "1 requests, 7 hops lost\n");
	stop();
}
END_TEST

START_TEST(its_options_are_passed_on)
{
	start(answer);
	run_words(&run, "trace", "a", "--for", "10s", "--limit", "5", "--traceparent", HEADER, NULL);
	ck_assert_int_eq(run.exit, 0);
	expect_line(run.err, "tracing service {.for_ns.:10000000000,.limit.:5,.service.:.a.,.traceparent.:." HEADER ".} for 10s\n");
	run_words(&run, "trace", "a", "-q", NULL);
	ck_assert_str_eq(run.err, "");
	stop();
}
END_TEST

static void
answer_slowly(struct fake_call *call)
{
	fake_reply_continues(call, "{'begun':'a','slow':true}");
	fake_reply(call, "{'ended':{'requests':0,'lost':0}}");
}

START_TEST(a_loop_that_does_not_answer_is_told_of)
{
	start(answer_slowly);
	run_words(&run, "trace", "a", NULL);
	ck_assert_int_eq(run.exit, 0);
	expect_line(run.err, "tracing service a, but not yet on a loop that does not answer\n");
	stop();
}
END_TEST

static void
answer_with_a_crash(struct fake_call *call)
{
	fake_reply_continues(call, "{'request':{'trace':'4bf92f3577b34da6a3ce929d0e0e4736','time_wall_ns':1000000000,"
		"'continues':false,'hops':[{'level':0,'service':'a','cell':'main','way':'queued','one_way':false,'start_ns':0,"
		"'wait_ns':0,'run_ns':0,'total_ns':0,'status':'peer-died','span':'00f067aa0ba902b7','crashed':true}]}}");
	fake_reply(call, "{'ended':{'requests':1,'lost':0}}");
}

START_TEST(what_crashed_says_so)
{
	start(answer_with_a_crash);
	run_words(&run, "trace", "a", "-q", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_nonnull(strstr(run.out, " crashed\n"));
	ck_assert_ptr_null(strstr(run.out, "peer-died"));
	stop();
}
END_TEST

START_TEST(json_is_one_object_a_line)
{
	size_t lines = 0;

	start(answer);
	run_words(&run, "trace", "a", "--json", NULL);
	ck_assert_int_eq(run.exit, 0);
	for (const char *c = run.out; *c != '\0'; c++)
		lines += *c == '\n';
	ck_assert_uint_eq(lines, 5);
	expect_line(run.out, "{\"schema\":1,\"ok\":true,\"data\":{\"lost\":7}}\n");
	stop();
}
END_TEST

START_TEST(options_that_cannot_be_are_usage_errors)
{
	static const char *const words[][2] = {{"--for", "0s"}, {"--for", "soon"}, {"--limit", "0"}, {"--limit", "x"},
		{"--traceparent", "x"}, {"--traceparent", HEADER "-more"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		run = (struct run){.socket = "/nowhere"};
		run_words(&run, "trace", "a", words[i][0], words[i][1], NULL);
		ck_assert_int_eq(run.exit, 2);
		run_finish(&run);
	}
}
END_TEST

CHECK_MAIN("ctl/verb_trace",
	requests_are_printed_with_what_was_called_below,
	its_options_are_passed_on,
	a_loop_that_does_not_answer_is_told_of,
	what_crashed_says_so,
	json_is_one_object_a_line,
	options_that_cannot_be_are_usage_errors)
