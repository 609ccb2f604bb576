/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/options.h"

#include <stdio.h>
#include <string.h>

#include "ctl/verbs.h"
#include "support/check_main.h"

enum { WORDS_MAX = 20 };

static struct ctl_options options;
static struct ctl_error error;

/* Parses the words of one line, split at blanks. */
static bool
parse(const char *line)
{
	static char copy[512];
	const char *words[WORDS_MAX] = {"bayctl"};
	int count = 1;
	char *rest;

	options_finish(&options);
	memset(&error, 0, sizeof(error));
	ck_assert_uint_lt(strlen(line), sizeof(copy));
	strcpy(copy, line);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	return options_parse(&options, count, (char **)(uintptr_t)words, &error);
}

static void
refused(const char *line, const char *message, const char *hint)
{
	ck_assert_msg(!parse(line), "%s", line);
	ck_assert_int_eq(error.exit, INTERFACE_EXIT_USAGE);
	ck_assert_str_eq(error.message, message);
	ck_assert_str_eq(error.hint, hint);
	options_finish(&options);
}

START_TEST(a_verb_alone_has_its_defaults)
{
	ck_assert(parse("list"));
	ck_assert_str_eq(options.verb->name, "list");
	ck_assert_uint_eq(options.argument_count, 0);
	ck_assert_ptr_null(options.arguments[0]);
	ck_assert_ptr_null(options.socket);
	ck_assert(!options.json);
	ck_assert_int_eq(options.timeout_ns, options.verb->timeout_ns);
	ck_assert_int_eq(options.lines, 20);
	ck_assert_int_eq(options.repeat, 0);
	ck_assert_int_eq(options.concurrency, 1);
	options_finish(&options);
}
END_TEST

START_TEST(options_may_stand_anywhere)
{
	ck_assert(parse("-s a.sock call --json -q square 5 --timeout 2s"));
	ck_assert_str_eq(options.verb->name, "call");
	ck_assert_uint_eq(options.argument_count, 2);
	ck_assert_str_eq(options.arguments[0], "square");
	ck_assert_str_eq(options.arguments[1], "5");
	ck_assert_ptr_null(options.arguments[2]);
	ck_assert_str_eq(options.socket, "a.sock");
	ck_assert(options.json);
	ck_assert(options.quiet);
	ck_assert_int_eq(options.timeout_ns, INT64_C(2000000000));
	options_finish(&options);
}
END_TEST

START_TEST(values_may_stand_in_the_same_word)
{
	ck_assert(parse("--socket=a=b log -n5 --timeout=0"));
	ck_assert_str_eq(options.socket, "a=b");
	ck_assert_int_eq(options.lines, 5);
	ck_assert_int_eq(options.timeout_ns, 0);
	ck_assert(parse("log -qfn7"));
	ck_assert(options.quiet);
	ck_assert(options.follow);
	ck_assert_int_eq(options.lines, 7);
	ck_assert(parse("-sx log -n 8"));
	ck_assert_str_eq(options.socket, "x");
	ck_assert_int_eq(options.lines, 8);
	options_finish(&options);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
	ck_assert(parse("call -- square -5"));
	ck_assert_str_eq(options.arguments[1], "-5");
	ck_assert(parse("call square -- --json"));
	ck_assert_str_eq(options.arguments[1], "--json");
	ck_assert(!options.json);
	options_finish(&options);
}
END_TEST

START_TEST(the_word_behind_the_service_is_the_message)
{
	static const char *const both[] = {"call", "send"};

	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s -q square -3 --json", both[i]);
		ck_assert(parse(line));
		ck_assert_uint_eq(options.argument_count, 2);
		ck_assert_str_eq(options.arguments[1], "-3");
		ck_assert(options.quiet);
		ck_assert(options.json);
		snprintf(line, sizeof(line), "%s square --json", both[i]);
		ck_assert(parse(line));
		ck_assert_str_eq(options.arguments[1], "--json");
		ck_assert(!options.json);
	}
	refused("call square --timeout 5s", "call: too many arguments",
		"the word behind SERVICE is the message, here \"--timeout\": options stand before "
		"SERVICE or behind the message");
	refused("call square -h -3x", "there is no option -3",
		"put -- before a text that begins with a dash");
	refused("status square -3", "there is no option -3",
		"put -- before a text that begins with a dash");
	options_finish(&options);
}
END_TEST

START_TEST(a_dash_alone_is_an_argument)
{
	ck_assert(parse("call square -"));
	ck_assert_str_eq(options.arguments[1], "-");
	options_finish(&options);
}
END_TEST

START_TEST(an_alias_is_the_verb)
{
	ck_assert(parse("ls"));
	ck_assert_str_eq(options.verb->name, "list");
	ck_assert(parse("logs"));
	ck_assert_str_eq(options.verb->name, "log");
	options_finish(&options);
}
END_TEST

START_TEST(help_and_version_need_no_verb)
{
	ck_assert(parse("--help"));
	ck_assert(options.help);
	ck_assert_ptr_null(options.verb);
	ck_assert(parse("-V"));
	ck_assert(options.version);
	ck_assert(parse("call -h"));
	ck_assert(options.help);
	ck_assert_str_eq(options.verb->name, "call");
	options_finish(&options);
}
END_TEST

START_TEST(slips_are_answered_with_what_was_meant)
{
	refused("", "a verb is missing", "bayctl help lists them");
	refused("lst", "there is no verb \"lst\"", "did you mean \"list\"?");
	refused("qeues", "there is no verb \"qeues\"", "did you mean \"queues\"?");
	refused("xyzzy", "there is no verb \"xyzzy\"", "bayctl help lists them");
	refused("list --jsno", "there is no option --jsno", "did you mean --json?");
	refused("call --zzzzzz a", "there is no option --zzzzzz",
		"put -- before a text that begins with a dash");
	refused("call -5 a", "there is no option -5",
		"put -- before a text that begins with a dash");
}
END_TEST

START_TEST(options_of_other_verbs_are_refused)
{
	refused("list --tree", "--tree does not go with list", "");
	refused("start a --now", "--now does not go with start", "");
	refused("call -f a", "--follow does not go with call", "");
	refused("tasks -n 5", "--lines does not go with tasks", "");
	refused("call --concurrency 5 a", "--concurrency wants --repeat", "");
}
END_TEST

START_TEST(values_are_checked)
{
	refused("--json=1 list", "--json takes no value", "");
	refused("list --timeout", "--timeout wants a value: --timeout D", "");
	refused("list -s", "--socket wants a value: --socket SOCKET", "");
	refused("list --socket=", "--socket wants a path", "");
	refused("list --timeout 5", "--timeout wants a time such as 500ms, 5s or 2m, not \"5\"", "");
	refused("list --timeout -5s",
		"--timeout wants a time such as 500ms, 5s or 2m, not \"-5s\"", "");
	refused("log -n x", "--lines wants a number from 0 to 10000, not \"x\"", "");
	refused("log -n 10001", "--lines wants a number from 0 to 10000, not \"10001\"", "");
	refused("call --repeat 0 a", "--repeat wants a number from 1 to 1000000000, not \"0\"", "");
	refused("call --repeat 1000000001 a",
		"--repeat wants a number from 1 to 1000000000, not \"1000000001\"", "");
	refused("call --repeat 5 --concurrency 61 a",
		"--concurrency wants a number from 1 to 60, not \"61\"", "");
	ck_assert(parse("call --repeat 5 --concurrency 60 a"));
	options_finish(&options);
}
END_TEST

START_TEST(arguments_are_counted)
{
	refused("call", "call: too few arguments", "usage: bayctl call SERVICE [TEXT | -]");
	refused("call a b c", "call: too many arguments", "usage: bayctl call SERVICE [TEXT | -]");
	refused("start", "start: too few arguments", "usage: bayctl start SERVICE...");
	refused("list a", "list: too many arguments", "usage: bayctl list");
	refused("inspect", "inspect: too few arguments", "usage: bayctl inspect FILE.so");
	ck_assert(parse("stop a b c d e f g"));
	ck_assert_uint_eq(options.argument_count, 7);
	options_finish(&options);
}
END_TEST

START_TEST(json_is_known_even_when_the_line_is_wrong)
{
	ck_assert(!parse("lst --json"));
	ck_assert(options.json);
	ck_assert(!parse("call --repeat x --json a"));
	ck_assert(options.json);
	ck_assert(!parse("lst -- --json"));
	ck_assert(!options.json);
	options_finish(&options);
}
END_TEST

START_TEST(options_that_may_come_many_times_are_kept_in_their_order)
{
	static const char *const kept[] = {"--set", "a=1", "--with", "b=c.so", "--set", "b.k=2"};

	ck_assert(parse("run --set a=1 --with b=c.so x.so --set=b.k=2 --call -3 --virtual-time"));
	ck_assert_uint_eq(options.repeated_count, sizeof(kept) / sizeof(*kept));
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		ck_assert_str_eq(options.repeated[i], kept[i]);
	ck_assert_str_eq(options.call, "-3");
	ck_assert(options.virtual_time && !options.repl);
	ck_assert_str_eq(options.arguments[0], "x.so");
	options_finish(&options);
	ck_assert(parse("reload a --canary 99%"));
	ck_assert_int_eq(options.canary, 99);
	options_finish(&options);
	ck_assert(parse("reload a --canary=1"));
	ck_assert_int_eq(options.canary, 1);
	options_finish(&options);
	refused("run x.so --call 1 --repl", "--call does not go with --repl", "");
	refused("reload --dry-run --history", "--dry-run does not go with --history", "");
	refused("reload a --probation --no-wait", "--no-wait does not go with --probation", "");
	refused("reload a --canary 5 --probation", "--canary does not go with --probation", "");
	refused("reload a --canary 100%", "--canary wants a share from 1% to 99%, not \"100%\"", "");
	refused("list --repl", "--repl does not go with list", "");
}
END_TEST

CHECK_MAIN("ctl/options",
	options_that_may_come_many_times_are_kept_in_their_order,
	a_verb_alone_has_its_defaults,
	options_may_stand_anywhere,
	values_may_stand_in_the_same_word,
	two_dashes_end_the_options,
	the_word_behind_the_service_is_the_message,
	a_dash_alone_is_an_argument,
	an_alias_is_the_verb,
	help_and_version_need_no_verb,
	slips_are_answered_with_what_was_meant,
	options_of_other_verbs_are_refused,
	values_are_checked,
	arguments_are_counted,
	json_is_known_even_when_the_line_is_wrong)
