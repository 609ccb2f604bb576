/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_set.h"

#include "support/check_main.h"

START_TEST(a_set_has_what_any_of_its_patterns_stands_for)
{
	const char *patterns[] = {"a.b", "c.*", "d.>", "a.b", "e"};
	struct topic_set *set = topic_set_create(patterns, 5);
	static const struct {
		const char *topic;
		bool has;
	} rows[] = {{"a.b", true}, {"a", false}, {"a.b.c", false}, {"c.x", true}, {"c.x.y", false}, {"d.x.y", true},
		{"d", false}, {"e", true}, {"f", false}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_msg(topic_set_has(set, rows[i].topic) == rows[i].has, "%s", rows[i].topic);
	topic_set_destroy(set);
	topic_set_destroy(NULL);
}
END_TEST

CHECK_MAIN("service/topic_set",
	a_set_has_what_any_of_its_patterns_stands_for)
