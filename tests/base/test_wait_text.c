/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/wait_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/check_main.h"

/* Those from 100 on only lie between. */
static char *
name(uint64_t node, const void *arg)
{
	return node < 100 ? xasprintf("%s%d", (const char *)arg, (int)node) : NULL;
}

static void
check(const uint64_t *circle, size_t length, const char *text)
{
	char *found = wait_text_of_circle(circle, length, name, "n");

	ck_assert_str_eq(found, text);
	free(found);
}

#define CHECK(text, ...) \
	check((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), text)

START_TEST(a_circle_ends_where_it_began)
{
	CHECK("n1 -> n1", 1);
	CHECK("n1 -> n2 -> n1", 1, 2);
	CHECK("n1 -> n2 -> n3 -> n1", 1, 100, 101, 102, 2, 3);
}
END_TEST

START_TEST(what_has_no_name_is_passed_over)
{
	CHECK("", 100);
	CHECK("n1 -> n2", 100, 1, 101, 2);
	CHECK("n7", 100, 101, 7);
}
END_TEST

START_TEST(of_a_long_one_begin_and_end_are_told)
{
	/* Eleven names, and the first again: all there is room for. */
	CHECK("n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> n9 -> n10 -> n11 -> n1", 1, 2, 3, 4, 5, 6, 7, 8, 100, 9, 10, 11);
	CHECK("n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> ... -> n10 -> n11 -> n12 -> n1",
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
	CHECK("n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> ... -> n12 -> n13 -> n14 -> n1",
		1, 100, 2, 3, 4, 5, 6, 7, 8, 9, 10, 101, 11, 12, 13, 14, 102);
	/* For all that lie on it the same. */
	CHECK("n1 -> n2 -> n3 -> n4 -> n5 -> n6 -> n7 -> n8 -> ... -> n10 -> n11 -> n12 -> n1",
		9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8);
	CHECK("n2 -> n3 -> n1 -> n2", 2, 3, 1);
}
END_TEST

CHECK_MAIN("base/wait_text",
	a_circle_ends_where_it_began,
	what_has_no_name_is_passed_over,
	of_a_long_one_begin_and_end_are_told)
