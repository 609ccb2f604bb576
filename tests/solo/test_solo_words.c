/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

enum { WORDS_MAX = 16 };

static struct solo_words words;

/* Reads words that NULL ends; NULL: they are right, else the complaint, the caller's. */
static char *
parse(const char *first, ...)
{
	const char *argv[WORDS_MAX] = {"solo", first};
	char *error;
	va_list list;
	int argc = 2;

	va_start(list, first);
	while ((argv[argc] = va_arg(list, const char *)) != NULL)
		argc++;
	va_end(list);
	ck_assert_int_eq(solo_words_parse(&words, argc, (char **)(uintptr_t)argv, &error), error == NULL);
	return error;
}

static void
refused(char *error, const char *reason)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, reason) != NULL, "\"%s\" does not say \"%s\"", error, reason);
	free(error);
	solo_words_finish(&words);
}

START_TEST(the_service_is_named_after_the_file)
{
	ck_assert_ptr_null(parse("--", "./dir/sleeper.so", NULL));
	ck_assert_uint_eq(words.count, 1);
	ck_assert_str_eq(words.services[0].name, "sleeper");
	ck_assert_str_eq(words.services[0].file, "./dir/sleeper.so");
	ck_assert_ptr_null(words.services[0].settings);
	solo_words_finish(&words);
	ck_assert_ptr_null(parse("plain", NULL));
	ck_assert_str_eq(words.services[0].name, "plain");
	solo_words_finish(&words);
}
END_TEST

START_TEST(others_come_first_with_names_of_their_own)
{
	ck_assert_ptr_null(parse("--with", "a=x.so", "--with", "./b=b/c.so", "main.so", NULL));
	ck_assert_uint_eq(words.count, 3);
	ck_assert_str_eq(words.services[0].name, "a");
	ck_assert_str_eq(words.services[0].file, "x.so");
	/* A file whose path has a '='. */
	ck_assert_str_eq(words.services[1].name, "c");
	ck_assert_str_eq(words.services[1].file, "./b=b/c.so");
	ck_assert_str_eq(words.services[2].name, "main");
	solo_words_finish(&words);
}
END_TEST

START_TEST(settings_go_to_whom_they_name)
{
	ck_assert_ptr_null(parse("--set", "k=1", "--with", "a.b=x.so", "--set", "a.b.k=2.5", "--set", "l=a.b.c=d",
		"main.so", NULL));
	ck_assert_str_eq(words.services[0].settings[0], "k=2.5");
	ck_assert_ptr_null(words.services[0].settings[1]);
	ck_assert_str_eq(words.services[1].settings[0], "k=1");
	ck_assert_str_eq(words.services[1].settings[1], "l=a.b.c=d");
	ck_assert_ptr_null(words.services[1].settings[2]);
	solo_words_finish(&words);
}
END_TEST

START_TEST(what_is_to_be_done_is_read)
{
	ck_assert_ptr_null(parse("--call", "-3", "--virtual-time", "--timeout", "1500ms", "--json", "--quiet", "x.so",
		NULL));
	ck_assert_str_eq(words.text, "-3");
	ck_assert(words.virtual_time && words.json && words.quiet && !words.repl);
	ck_assert_int_eq(words.timeout_ns, 1500 * INT64_C(1000000));
	solo_words_finish(&words);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	refused(parse("--call", "x", NULL), "usage: bay-cell solo");
	refused(parse("a.so", "b.so", NULL), "usage: ");
	refused(parse("--nothing", "a.so", NULL), "usage: ");
	refused(parse("--set", "key", "a.so", NULL), "--set wants KEY=VALUE, not \"key\"");
	refused(parse("--set", "=value", "a.so", NULL), "--set wants KEY=VALUE");
	refused(parse("--set", "b.key=1", "a.so", NULL), "there is no service b here");
	refused(parse("--with", "a=b.so", "a.so", NULL), "two services called a");
	refused(parse("--timeout", "soon", "a.so", NULL), "--timeout wants a time");
	refused(parse("./a b.so", NULL), "\"a b\" is no name for a service");
}
END_TEST

START_TEST(there_is_room_for_so_many_services_and_no_more)
{
	const char *argv[2 * SOLO_SERVICES + 3] = {"solo"};
	char names[SOLO_SERVICES][32];
	char *error;
	int argc = 1;

	for (int i = 0; i < SOLO_SERVICES; i++) {
		snprintf(names[i], sizeof names[i], "s%d=x.so", i % 100);
		argv[argc++] = "--with";
		argv[argc++] = names[i];
	}
	argv[argc++] = "main.so";
	ck_assert(!solo_words_parse(&words, argc, (char **)(uintptr_t)argv, &error));
	refused(error, "more than 64 services");
	argv[1] = "--set";
	argv[2] = "k=1";
	ck_assert(solo_words_parse(&words, argc, (char **)(uintptr_t)argv, &error));
	ck_assert_uint_eq(words.count, SOLO_SERVICES);
	solo_words_finish(&words);
}
END_TEST

CHECK_MAIN("solo/solo_words",
	the_service_is_named_after_the_file,
	others_come_first_with_names_of_their_own,
	settings_go_to_whom_they_name,
	what_is_to_be_done_is_read,
	what_is_wrong_is_said,
	there_is_room_for_so_many_services_and_no_more)
