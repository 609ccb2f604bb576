/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/topic_pattern.h"

#include <string.h>

#include <bay/topic.h>

#include "support/check_main.h"

START_TEST(a_topic_is_tokens_with_dots_between)
{
	static const char *const good[] = {"a", "orders", "orders.eu.new", "a-b._c.9", ("gr\xc3\xbc\xc3\x9f" "e.x")};
	static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\n", "*", "a.*", ">", "a.>",
		"a*", "x>y", "a\x7f"};
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_msg(topic_is_valid(good[i]), "%s", good[i]);
		ck_assert_msg(topic_pattern_is_valid(good[i]), "%s", good[i]);
		ck_assert(!topic_pattern_is_wild(good[i]));
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!topic_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(wildcards_are_whole_tokens_and_the_rest_stands_last)
{
	static const char *const good[] = {"*", ">", "a.*", "*.a", "a.*.b.>", "*.*"};
	static const char *const bad[] = {"a*", "*a", "a.b*.c", "**", ">.a", "a.>.b", "a>", "a.>>", ".>", "*.", ""};
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_msg(topic_pattern_is_valid(good[i]), "%s", good[i]);
		ck_assert(topic_pattern_is_wild(good[i]));
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!topic_pattern_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(neither_is_longer_than_it_may_be)
{
	char text[BAY_TOPIC_MAX + 2];

	memset(text, 'a', sizeof text);
	text[BAY_TOPIC_MAX] = '\0';
	ck_assert(topic_is_valid(text));
	text[BAY_TOPIC_MAX] = 'a';
	text[BAY_TOPIC_MAX + 1] = '\0';
	ck_assert(!topic_is_valid(text));
	ck_assert(!topic_pattern_is_valid(text));
}
END_TEST

START_TEST(patterns_stand_for_topics)
{
	static const struct {
		const char *pattern, *topic;
		bool matches;
	} rows[] = {
		{"a", "a", true}, {"a", "b", false}, {"a", "ab", false}, {"ab", "a", false}, {"a", "a.b", false},
		{"a.b", "a", false}, {"*", "a", true}, {"*", "a.b", false}, {"a.*", "a.b", true}, {"a.*", "a", false},
		{"a.*", "a.b.c", false}, {"*.b", "a.b", true}, {"*.b", "a.c", false}, {"a.*.c", "a.b.c", true},
		{"a.*.c", "a.b.d", false}, {">", "a", true}, {">", "a.b.c", true}, {"a.>", "a", false},
		{"a.>", "a.b", true}, {"a.>", "a.b.c", true}, {"a.>", "b.c", false}, {"*.>", "a.b", true},
		{"*.>", "a", false}, {"a.*.>", "a.b.c.d", true}, {"a.*.>", "a.b", false}, {"ab.c", "a.bc", false},
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(topic_pattern_matches(rows[i].pattern, rows[i].topic) == rows[i].matches, "%s for %s",
			rows[i].pattern, rows[i].topic);
}
END_TEST

CHECK_MAIN("base/topic_pattern",
	a_topic_is_tokens_with_dots_between,
	wildcards_are_whole_tokens_and_the_rest_stands_last,
	neither_is_longer_than_it_may_be,
	patterns_stand_for_topics)
