/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of verbs and options, and the help that is printed from them. */
#include "config.h"

#include "ctl/verbs.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "ctl/run.h"
#include "support/check_main.h"

START_TEST(names_and_aliases_are_unique)
{
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		ck_assert_ptr_eq(verb_find(verb->name), verb);
		if (verb->alias != NULL)
			ck_assert_ptr_eq(verb_find(verb->alias), verb);
	}
	ck_assert_ptr_null(verb_find("nothing"));
	ck_assert_ptr_null(verb_find(""));
}
END_TEST

START_TEST(every_verb_is_complete)
{
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		ck_assert_ptr_nonnull(verb->run);
		ck_assert_ptr_nonnull(verb->summary);
		ck_assert_uint_le(verb->min_arguments, verb->max_arguments);
		ck_assert_int_eq(*verb->arguments == '\0', verb->max_arguments == 0);
		ck_assert_uint_eq(verb->options & OPTIONS_OF_ALL_VERBS, 0);
	}
}
END_TEST

START_TEST(every_option_of_a_kind_belongs_to_a_verb)
{
	uint64_t used = OPTIONS_OF_ALL_VERBS;

	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		used |= verb->options;
	ck_assert_uint_eq(used, OPTION_BIT(OPTION_COUNT) - 1);
}
END_TEST

START_TEST(the_nearest_verb_is_found)
{
	ck_assert_str_eq(verb_nearest("statsu"), "status");
	ck_assert_str_eq(verb_nearest("lgo"), "log");
	ck_assert_ptr_null(verb_nearest("frobnicate"));
}
END_TEST

START_TEST(help_names_every_verb_option_and_exit_code)
{
	struct run run = {0};

	run_words(&run, "help", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.err, "");
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		char line[64];

		snprintf(line, sizeof(line), "\n  %s ", verb->name);
		ck_assert_msg(strstr(run.out, line) != NULL, "%s", verb->name);
	}
	for (int i = 0; i < OPTION_TREE; i++)
		ck_assert_ptr_nonnull(strstr(run.out, option_rows[i].name));
	for (int i = 0; i <= 10; i++) {
		char line[160];

		snprintf(line, sizeof(line), "\n  %2d  %s\n", i, interface_exit_text(i));
		ck_assert_msg(strstr(run.out, line) != NULL, "%d", i);
	}
	run_finish(&run);
}
END_TEST

/* A path of the installation cannot be broken, however long it is. */
static bool
fits_80_columns(const char *line)
{
	return strlen(line) <= 80 || strchr(line + strspn(line, " "), ' ') == NULL;
}

START_TEST(help_fits_80_columns)
{
	struct run run = {0};

	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		char *rest;

		run_words(&run, "help", verb->name, NULL);
		ck_assert_int_eq(run.exit, 0);
		for (char *line = strtok_r(run.out, "\n", &rest); line != NULL;
			line = strtok_r(NULL, "\n", &rest)) {
			ck_assert_msg(fits_80_columns(line), "%s", line);
			ck_assert_msg(line[strlen(line) - 1] != ' ', "'%s'", line);
		}
	}
	run_finish(&run);
}
END_TEST

START_TEST(help_of_a_verb_is_the_same_both_ways)
{
	struct run one = {0};
	struct run other = {0};

	run_words(&one, "help", "stop", NULL);
	run_words(&other, "stop", "--help", NULL);
	ck_assert_str_eq(one.out, other.out);
	ck_assert_ptr_nonnull(strstr(one.out, "usage: bayctl [OPTION...] stop SERVICE...\n"));
	ck_assert_ptr_nonnull(strstr(one.out, "--now"));
	ck_assert_ptr_null(strstr(one.out, "--tree"));
	run_words(&one, "help", "ls", NULL);
	ck_assert_ptr_nonnull(strstr(one.out, "bayctl [OPTION...] list\n"));
	run_finish(&one);
	run_finish(&other);
}
END_TEST

START_TEST(help_as_json_names_the_same)
{
	struct run run = {0};
	json_t *list;

	run_json(&run, "help", NULL);
	ck_assert_int_eq(run.exit, 0);
	list = json_object_get(json_object_get(run.json, "data"), "verbs");
	for (size_t i = 0; verbs[i].name != NULL; i++)
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, i), "name")),
			verbs[i].name);
	run_json(&run, "call", "--help", NULL);
	list = json_object_get(json_object_get(run.json, "data"), "verbs");
	ck_assert_uint_eq(json_array_size(list), 1);
	list = json_object_get(json_array_get(list, 0), "options");
	ck_assert_uint_eq(json_array_size(list), 4);
	run_finish(&run);
}
END_TEST

START_TEST(help_of_an_unknown_verb_is_a_usage_error)
{
	struct run run = {0};

	run_words(&run, "help", "quueues", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean \"queues\"?"));
	run_finish(&run);
}
END_TEST

/* The manual describes what the tables hold. */
START_TEST(the_manual_knows_every_verb_option_and_exit_code)
{
	struct buffer manual = {0};
	const char *text;

	ck_assert(fd_read_file(-1, TOP_SRCDIR "/docs/bayctl.1", 0, 1 << 20, &manual));
	text = buffer_text(&manual);
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		char line[64];

		snprintf(line, sizeof(line), "\n.It Ic %s", verb->name);
		ck_assert_msg(strstr(text, line) != NULL, "%s", verb->name);
	}
	for (int i = 0; i < OPTION_COUNT; i++) {
		char word[64];

		snprintf(word, sizeof(word), "Fl -%s", option_rows[i].name);
		ck_assert_msg(strstr(text, word) != NULL, "%s", word);
	}
	for (int i = 0; i <= 10; i++) {
		char line[160];

		snprintf(line, sizeof(line), "\n.It %d\n%s\n", i, interface_exit_text(i));
		ck_assert_msg(strstr(text, line) != NULL, "%d", i);
	}
	buffer_finish(&manual);
}
END_TEST

CHECK_MAIN("ctl/verbs",
	names_and_aliases_are_unique,
	every_verb_is_complete,
	every_option_of_a_kind_belongs_to_a_verb,
	the_nearest_verb_is_found,
	help_names_every_verb_option_and_exit_code,
	help_fits_80_columns,
	help_of_a_verb_is_the_same_both_ways,
	help_as_json_names_the_same,
	help_of_an_unknown_verb_is_a_usage_error,
	the_manual_knows_every_verb_option_and_exit_code)
