/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/verb_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bay/status.h>

#include "base/buffer.h"
#include "service/settings.h"
#include "support/check_main.h"

struct arguments {
	int64_t count;
	const char *word;
	bool all;
};

static const struct bay_setting table[] = {
	BAY_INT64(struct arguments, count, "count", NULL, 1, 10, "how many"),
	BAY_STRING(struct arguments, word, "word", "none", "which"),
	BAY_BOOL(struct arguments, all, "all", "no", "whether all"),
	BAY_END
};

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

#define ROW(name_) BAY_VERB(name_, BAY_ROLE_OPERATOR, table, handle, "helps")

static const struct bay_verb good[] = {
	ROW("drop"), BAY_VERB("look", BAY_ROLE_VIEWER, NULL, handle, "looks"), BAY_VERBS_END};

static struct buffer error;

static void
finish(void)
{
	buffer_finish(&error);
}

static void
refused(const struct bay_verb *rows, const char *why)
{
	buffer_clear(&error);
	ck_assert_msg(!verb_table_check(rows, &error), "accepted, without: %s", why);
	ck_assert_msg(strstr(buffer_text(&error), why) != NULL, "%s", buffer_text(&error));
}

/* The struct that the words fill; what is wrong is in error. NULL: refused. */
static struct settings *
fill(const struct bay_verb *verb, const char *const *words)
{
	struct settings *settings;
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	buffer_clear(&error);
	return verb_read_arguments(verb, words, count, &settings, &error) ? settings : NULL;
}

static void
fills(const char *const *words, int64_t count, const char *word, bool all)
{
	struct settings *settings = fill(&good[0], words);
	const struct arguments *filled = settings_struct(settings);

	ck_assert_msg(filled != NULL, "%s", buffer_text(&error));
	ck_assert_int_eq(filled->count, count);
	ck_assert_str_eq(filled->word, word);
	ck_assert_int_eq(filled->all, all);
	settings_unref(settings);
}

static void
refuses(const char *const *words, const char *why)
{
	ck_assert_ptr_null(fill(&good[0], words));
	ck_assert_str_eq(buffer_text(&error), why);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define USAGE "; usage: drop count [word] [all]"

START_TEST(a_table_that_makes_sense_passes)
{
	ck_assert(verb_table_check(NULL, &error));
	ck_assert(verb_table_check(good, &error));
	ck_assert_uint_eq(verb_table_rows(NULL), 0);
	ck_assert_uint_eq(verb_table_rows(good), 2);
	ck_assert_ptr_eq(verb_table_find(good, "look"), &good[1]);
	ck_assert_ptr_null(verb_table_find(good, "loo"));
	ck_assert_ptr_null(verb_table_find(NULL, "look"));
	ck_assert_str_eq(verb_role_name(BAY_ROLE_ADMIN), "admin");
	ck_assert_str_eq(verb_role_name(BAY_ROLE_VIEWER), "viewer");
	finish();
}
END_TEST

START_TEST(a_table_that_makes_none_is_refused_with_the_row)
{
	static const struct bay_setting behind[] = {
		BAY_STRING(struct arguments, word, "word", "none", "which"),
		BAY_INT64(struct arguments, count, "count", NULL, 1, 10, "how many"),
		BAY_END};
	static const struct bay_setting nameless[] = {
		BAY_BOOL(struct arguments, all, "", "no", "whether all"), BAY_END};
	static const char *const names[] = {"", "Drop", "drop it", "-drop", "drop=",
		"a-name-that-is-longer-than-it-may-be"};
	static struct bay_verb many[VERB_TABLE_ROWS_MAX + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct bay_verb rows[] = {ROW("a"), ROW(names[i]), BAY_VERBS_END};

		refused(rows, "row 1 of its verbs has a name");
	}
	refused((struct bay_verb[]){BAY_VERB("a", 0, NULL, NULL, "h"), BAY_VERBS_END},
		"'a' has no handler");
	refused((struct bay_verb[]){BAY_VERB("a", 3, NULL, handle, "h"), BAY_VERBS_END},
		"'a' is for the unknown role 3");
	refused((struct bay_verb[]){{"a", 0, 2, NULL, handle, "h"}, BAY_VERBS_END}, "(0x2)");
	refused((struct bay_verb[]){BAY_VERB("a", 0, NULL, handle, NULL), BAY_VERBS_END},
		"'a' has no help");
	refused((struct bay_verb[]){ROW("a"), ROW("b"), ROW("a"), BAY_VERBS_END},
		"'a' is there twice");
	refused((struct bay_verb[]){BAY_VERB("a", 0, behind, handle, "h"), BAY_VERBS_END},
		"the argument 'count' of its verb 'a' must be given, but stands behind 'word'");
	refused((struct bay_verb[]){BAY_VERB("a", 0, nameless, handle, "h"), BAY_VERBS_END},
		"the arguments of its verb 'a': row 0");
	for (size_t i = 0; i < VERB_TABLE_ROWS_MAX; i++) {
		static char numbered[VERB_TABLE_ROWS_MAX][8];

		snprintf(numbered[i], sizeof(numbered[i]), "v%zu", i);
		many[i] = (struct bay_verb)ROW(numbered[i]);
	}
	buffer_clear(&error);
	ck_assert(verb_table_check(many, &error));
	many[VERB_TABLE_ROWS_MAX] = (struct bay_verb)ROW("last");
	refused(many, "no BAY_VERBS_END within 64 rows");
	finish();
}
END_TEST

START_TEST(words_fill_the_struct_in_order_or_by_name)
{
	fills(WORDS("3"), 3, "none", false);
	fills(WORDS("3", "w", "yes"), 3, "w", true);
	fills(WORDS("all=yes", "3"), 3, "none", true);
	fills(WORDS("3", "all=on"), 3, "none", true);
	fills(WORDS("word=x", "3", "yes"), 3, "x", true);
	fills(WORDS("3", "word=all=yes"), 3, "all=yes", false);
	/* What names no argument is a word like any other. */
	fills(WORDS("3", "size=5"), 3, "size=5", false);
	fills(WORDS("3", "="), 3, "=", false);
	fills(WORDS("3", ""), 3, "", false);
	finish();
}
END_TEST

START_TEST(a_wrong_word_is_refused_and_its_argument_named)
{
	refuses(WORDS(NULL), "argument count: must be given, it has no default (how many)" USAGE);
	refuses(WORDS("many"), "argument count: 'many' is not a whole number" USAGE);
	refuses(WORDS("11"), "argument count: 11 is not within 1..10" USAGE);
	refuses(WORDS("1", "w", "perhaps"), "argument all: 'perhaps' is not yes or no" USAGE);
	refuses(WORDS("0", "w", "perhaps"), "argument count: 0 is not within 1..10; "
		"argument all: 'perhaps' is not yes or no" USAGE);
	refuses(WORDS("1", "w", "yes", "more"), "'more' is one argument too many" USAGE);
	refuses(WORDS("count=1", "count=2"), "argument count: given twice" USAGE);
	ck_assert_ptr_null(fill(&good[1], WORDS("what")));
	ck_assert_str_eq(buffer_text(&error), "'what' is one argument too many; usage: look");
	finish();
}
END_TEST

CHECK_MAIN("service/verb_table",
	a_table_that_makes_sense_passes,
	a_table_that_makes_none_is_refused_with_the_row,
	words_fill_the_struct_in_order_or_by_name,
	a_wrong_word_is_refused_and_its_argument_named)
