/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/code.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "support/check_main.h"

START_TEST(codes_are_sorted_words_with_a_meaning_and_a_remedy)
{
	ck_assert_ptr_nonnull(codes[0].slug);
	for (const struct code *code = codes; code->slug != NULL; code++) {
		size_t length = strlen(code->slug);

		ck_assert_uint_le(length, 31);
		ck_assert_uint_eq(strspn(code->slug, "abcdefghijklmnopqrstuvwxyz-"), length);
		ck_assert(strlen(code->meaning) > 10 && strlen(code->remedy) > 10);
		ck_assert_int_eq(code->meaning[strlen(code->meaning) - 1], '.');
		ck_assert_ptr_eq(code_find(code->slug), code);
		if (code[1].slug != NULL)
			ck_assert_msg(strcmp(code->slug, code[1].slug) < 0, "%s", code->slug);
	}
	ck_assert_ptr_null(code_find("nonsense"));
	ck_assert_str_eq(code_nearest("plugin-abl"), "plugin-abi");
	ck_assert_ptr_null(code_nearest("something else"));
}
END_TEST

START_TEST(a_text_is_split_from_the_code_that_it_ends_in)
{
	static const struct {
		const char *text;
		size_t words;
		const char *slug;
	} rows[] = {
		{"it failed [io]", 9, "io"},
		{"one [io] two [full]", 12, "full"},
		{"it failed", 9, NULL},
		{"", 0, NULL},
		{"[io]", 4, NULL},
		{" [io]", 0, "io"},
		{"it failed[io]", 13, NULL},
		{"it failed [io] so", 17, NULL},
		{"it failed []", 12, NULL},
		{"a section [service a]", 21, NULL},
		{"a section [container]", 21, NULL},
		{"[", 1, NULL},
		{"x [this-is-a-word-that-is-longer-than-any-code]", 47, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct code *code;

		ck_assert_msg(code_split(rows[i].text, &code) == rows[i].words, "%s", rows[i].text);
		ck_assert_int_eq(code == NULL, rows[i].slug == NULL);
		if (code != NULL)
			ck_assert_str_eq(code->slug, rows[i].slug);
	}
}
END_TEST

START_TEST(the_first_code_of_an_error_stays)
{
	struct buffer error = {0};
	char *text;

	ck_assert(!code_fail(&error, "io"));
	ck_assert_uint_eq(strlen(buffer_text(&error)), 0);
	(void)buffer_fail(&error, "it failed");
	ck_assert(!code_fail(&error, "plugin-abi"));
	ck_assert(!code_fail(&error, "io"));
	ck_assert_str_eq(buffer_text(&error), "it failed [plugin-abi]");
	text = code_text(xstrdup(buffer_text(&error)), "io");
	ck_assert_str_eq(text, "it failed [plugin-abi]");
	free(text);
	text = code_text(xstrdup("it failed"), "io");
	ck_assert_str_eq(text, "it failed [io]");
	free(text);
	ck_assert_ptr_null(code_text(NULL, "io"));
	buffer_finish(&error);
}
END_TEST

CHECK_MAIN("base/code",
	codes_are_sorted_words_with_a_meaning_and_a_remedy,
	a_text_is_split_from_the_code_that_it_ends_in,
	the_first_code_of_an_error_stays)
