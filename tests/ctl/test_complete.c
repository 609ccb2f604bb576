/* SPDX-License-Identifier: BSD-2-Clause */
/* What may come next; tests/system/test_completion.sh has the shells that ask. */
#include "config.h"

#include "ctl/complete.h"

#include <string.h>

#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "ctl/verbs.h"
#include "support/check_main.h"

static struct run run;

#define COMPLETE(...) do { \
		run_words(&run, COMPLETE_WORD, __VA_ARGS__, NULL); \
		ck_assert_int_eq(run.exit, 0); \
		ck_assert_str_eq(run.err, ""); \
	} while (0)

static bool
offers(const char *word)
{
	size_t size = strlen(word);

	for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + 1)
		if (strncmp(line, word, size) == 0 && (line[size] == '\t' || line[size] == '\n'))
			return true;
	return false;
}

START_TEST(the_first_word_is_a_verb_and_each_is_offered_with_its_summary)
{
	COMPLETE("");
	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		ck_assert_msg(offers(verb->name), "%s", verb->name);
	ck_assert(!offers(COMPLETE_WORD));
	ck_assert_ptr_nonnull(strstr(run.out, "ping\task whether the daemon answers, and how fast\n"));
	COMPLETE("shut");
	ck_assert_str_eq(run.out, "shutdown\tstop the daemon and wait until it is gone\n");
	run_words(&run, COMPLETE_WORD, NULL);
	ck_assert(offers("list"));
	run_finish(&run);
}
END_TEST

START_TEST(options_are_those_of_all_verbs_and_of_the_verb)
{
	COMPLETE("--");
	ck_assert(offers("--json"));
	ck_assert(!offers("--follow"));
	COMPLETE("log", "--");
	ck_assert(offers("--json"));
	ck_assert(offers("--follow"));
	ck_assert(!offers("--tree"));
	COMPLETE("--json", "logs", "--li");
	ck_assert(offers("--lines"));
	COMPLETE("log", "--lines", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("log", "--lines=");
	ck_assert_str_eq(run.out, "");
	COMPLETE("nothing", "--");
	ck_assert(offers("--json"));
	run_finish(&run);
}
END_TEST

START_TEST(names_in_the_tables_say_what_arguments_and_values_are)
{
	COMPLETE("check", "");
	ck_assert_str_eq(run.out, ":files ini\n");
	COMPLETE("inspect", "x");
	ck_assert_str_eq(run.out, ":files so\n");
	COMPLETE("inspect", "x", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("help", "lo");
	ck_assert(offers("log"));
	COMPLETE("completion", "");
	ck_assert_str_eq(run.out, "bash\t\nzsh\t\nfish\t\n");
	COMPLETE("completion", "z");
	ck_assert_str_eq(run.out, "zsh\t\n");
	COMPLETE("explain", "");
	ck_assert_ptr_nonnull(strchr(run.out, '\t'));
	COMPLETE("-s", "");
	ck_assert_str_eq(run.out, ":files\n");
	COMPLETE("-qs", "");
	ck_assert_str_eq(run.out, ":files\n");
	COMPLETE("--socket=x");
	ck_assert_str_eq(run.out, ":files\n");
	COMPLETE("ping", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("nothing", "");
	ck_assert_str_eq(run.out, "");
	run_finish(&run);
}
END_TEST

static void
answer(struct fake_call *call)
{
	ck_assert_str_eq(call->method, "List");
	fake_reply(call, "{'services':[{'name':'square','state':'ready'},{'name':'echo'},"
		"{'name':'echo2','state':'a\\nb'},{'name':'$(id)'},{'name':''},{'name':7},{}]}");
}

START_TEST(services_are_asked_from_the_daemon_that_is_named)
{
	struct fake_server server;

	fake_server_start(&server, answer);
	COMPLETE("-s", server.path, "call", "");
	ck_assert_str_eq(run.out, "square\tready\necho\t\necho2\t\n");
	COMPLETE("call", "-s", server.path, "--", "sq");
	ck_assert_str_eq(run.out, "square\tready\n");
	COMPLETE("-s", server.path, "stop", "square", "");
	ck_assert_str_eq(run.out, "echo\t\necho2\t\n");
	COMPLETE("-s", server.path, "stop", "square", "echo", "e");
	ck_assert_str_eq(run.out, "echo2\t\n");
	COMPLETE("-s", server.path, "status", "square", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("-s", server.path, "call", "square", "e");
	ck_assert_str_eq(run.out, "");
	COMPLETE("-s", server.path, "call", "square", "--js");
	ck_assert_str_eq(run.out, "");
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
answer_verbs(struct fake_call *call)
{
	ck_assert_str_eq(call->method, "Verbs");
	ck_assert_str_eq(fake_text(call, "service"), "square");
	fake_reply(call, "{'verbs':[{'name':'forget','arguments':[{'name':'word','type':'string'},"
		"{'name':'how','type':'choice','range':'fast|safe|$(id)'},{'name':'all','type':'bool'},"
		"{'name':'n','type':'integer','range':'1..10'}]},{'name':'flush','help':'empties\\tit'},{'name':'a\\nb'},5,{}]}");
}

START_TEST(what_a_service_can_be_told_to_do_is_asked_too)
{
	struct fake_server server;

	fake_server_start(&server, answer_verbs);
	COMPLETE("-s", server.path, "do", "square", "");
	ck_assert_str_eq(run.out, "forget\t\nflush\tempties\\tit\n");
	COMPLETE("-s", server.path, "do", "square", "fl");
	ck_assert_str_eq(run.out, "flush\tempties\\tit\n");
	COMPLETE("-s", server.path, "do", "square", "forget", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("-s", server.path, "do", "square", "forget", "raven", "");
	ck_assert_str_eq(run.out, "fast\t\nsafe\t\n");
	COMPLETE("-s", server.path, "do", "square", "forget", "raven", "safe", "");
	ck_assert_str_eq(run.out, "no\t\nyes\t\n");
	COMPLETE("-s", server.path, "do", "square", "forget", "raven", "safe", "no", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("-s", server.path, "do", "square", "forget", "raven", "safe", "no", "5", "");
	ck_assert_str_eq(run.out, "");
	COMPLETE("-s", server.path, "do", "square", "none", "");
	ck_assert_str_eq(run.out, "");
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
refuse(struct fake_call *call)
{
	fake_error(call, "NotPermitted", "{'message':'no'}");
}

static void
say_nothing(struct fake_call *call)
{
	(void)call;
}

START_TEST(a_daemon_that_is_not_there_refuses_or_sleeps_is_passed_over_in_silence)
{
	struct fake_server server;

	COMPLETE("-s", "/nonexistent", "call", "");
	ck_assert_str_eq(run.out, "");
	fake_server_start(&server, refuse);
	COMPLETE("-s", server.path, "call", "");
	ck_assert_str_eq(run.out, "");
	fake_server_stop(&server);
	fake_server_start(&server, say_nothing);
	COMPLETE("-s", server.path, "call", "");
	ck_assert_str_eq(run.out, "");
	fake_server_stop(&server);
	run_finish(&run);
}
END_TEST

CHECK_MAIN("ctl/complete",
	the_first_word_is_a_verb_and_each_is_offered_with_its_summary,
	options_are_those_of_all_verbs_and_of_the_verb,
	names_in_the_tables_say_what_arguments_and_values_are,
	services_are_asked_from_the_daemon_that_is_named,
	what_a_service_can_be_told_to_do_is_asked_too,
	a_daemon_that_is_not_there_refuses_or_sleeps_is_passed_over_in_silence)
