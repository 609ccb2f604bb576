/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/wait_join.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/check_main.h"

#define CIRCLE_A "task 1 x (a) in cell a -> the queue of b in cell b -> task 1 y (b) in cell b -> the queue of a" \
	" in cell a -> task 1 x (a) in cell a"

static struct wait_join *join;
static json_t *tasks;

/* Task 1 of a cell waits, in its wait of this number, for request 12, which the other cell has. Its only handler
 * serves request 11 in that task; request 14 of the other cell stands in its queue, 13. The ids on the link
 * are the same in both directions, as they may be. */
static json_t *
waits_of(const char *name, const char *task, const char *other, int serial)
{
	char *queue = xasprintf("the queue of %s", name), *text = xasprintf("task 1 %s (%s)", task, name);
	json_t *waits = json_pack("{s:[[i,i,i,b],[i,i,i,b],[i,i,i,b],[i,i,i,b]], s:[[i,s],[i,s]],"
		" s:[[i,s],[i,s]], s:[[i,s]], s:[[i,s,i,i]], s:[], s:[[i,i,i]]}",
		"edges", 1, 12, serial, false, 11, 1, 0, false, 14, 13, 0, false, 13, 1, 0, true,
		"names", 1, text, 13, queue, "services", 1, name, 13, name, "queues", 13, name,
		"sent", 12, other, 7, 100, "unsent", "served", 14, 7, 100);

	ck_assert_ptr_nonnull(waits);
	free(queue);
	free(text);
	return waits;
}

/* Each is in the cell of its name. */
static bool
owns(const char *cell, const char *service, const void *arg)
{
	ck_assert_ptr_eq(arg, &join);
	return strcmp(cell, service) == 0;
}

static void
open_join(void)
{
	join = wait_join_create(owns, &join);
	tasks = json_pack("[{s:s,s:i,s:i},{s:s,s:i,s:i},{s:s,s:i,s:i,s:s},{s:s,s:i,s:i}]",
		"cell", "a", "loop", 0, "id", 1, "cell", "b", "loop", 0, "id", 1,
		"cell", "a", "loop", 0, "id", 2, "deadlock", "its own", "cell", "c", "loop", 0, "id", 1);
}

static void
close_join(void)
{
	wait_join_destroy(join);
	json_decref(tasks);
}

static const char *
deadlock_of(size_t i)
{
	return json_string_value(json_object_get(json_array_get(tasks, i), "deadlock"));
}

typedef void add_fn(struct wait_join *join, const char *cell, const json_t *waits);

/* Takes the waits. */
static void
add(add_fn *fn, const char *cell, json_t *waits)
{
	fn(join, cell, waits);
	json_decref(waits);
}

static void
add_both(add_fn *fn, int serial_of_a, int serial_of_b)
{
	add(fn, "a", waits_of("a", "x", "b", serial_of_a));
	add(fn, "b", waits_of("b", "y", "a", serial_of_b));
}

START_TEST(a_circle_through_two_cells_is_told_of_each_task_in_it)
{
	open_join();
	add_both(wait_join_add, 5, 8);
	ck_assert(wait_join_is_stuck(join));
	ck_assert(wait_join_has(join, "a") && wait_join_has(join, "b") && !wait_join_has(join, "c"));
	add_both(wait_join_add_again, 5, 8);
	wait_join_mark(join, tasks);
	ck_assert_str_eq(deadlock_of(0), CIRCLE_A);
	ck_assert_msg(strncmp(deadlock_of(1), "task 1 y (b) in cell b -> the queue of a", 40) == 0, "%s", deadlock_of(1));
	ck_assert_str_eq(deadlock_of(2), "its own");
	ck_assert_ptr_null(deadlock_of(3));
	close_join();
}
END_TEST

START_TEST(a_wait_that_has_become_another_is_in_no_circle)
{
	for (int of_a = 0; of_a < 2; of_a++) {
		open_join();
		add_both(wait_join_add, 5, 8);
		ck_assert(wait_join_is_stuck(join));
		add_both(wait_join_add_again, of_a ? 6 : 5, of_a ? 8 : 9);
		wait_join_mark(join, tasks);
		ck_assert_ptr_null(deadlock_of(0));
		ck_assert_ptr_null(deadlock_of(1));
		close_join();
	}
}
END_TEST

START_TEST(a_cell_that_is_not_heard_again_is_in_no_circle)
{
	open_join();
	add_both(wait_join_add, 5, 8);
	ck_assert(wait_join_is_stuck(join));
	add(wait_join_add_again, "a", waits_of("a", "x", "b", 5));
	wait_join_add_again(join, "b", NULL);
	wait_join_mark(join, tasks);
	ck_assert_ptr_null(deadlock_of(0));
	close_join();
}
END_TEST

START_TEST(what_the_other_cell_does_not_have_may_be_alive)
{
	open_join();
	add(wait_join_add, "a", waits_of("a", "x", "b", 5));
	wait_join_add(join, "b", NULL);
	ck_assert(!wait_join_is_stuck(join));
	close_join();
	/* It has another, by another link. */
	open_join();
	add(wait_join_add, "a", waits_of("a", "x", "b", 5));
	add(wait_join_add, "c", waits_of("c", "y", "a", 5));
	ck_assert(!wait_join_is_stuck(join));
	close_join();
}
END_TEST

START_TEST(what_is_held_back_waits_for_the_queue_over_there)
{
	json_t *a;

	open_join();
	a = waits_of("a", "x", "b", 5);
	json_object_set_new(a, "sent", json_array());
	json_object_set_new(a, "unsent", json_pack("[[i,s],[i,s]]", 12, "b", 98, "nobody"));
	wait_join_add(join, "a", a);
	add(wait_join_add, "b", waits_of("b", "y", "a", 8));
	/* The queue of b is not in c, whatever that says. */
	add(wait_join_add, "c", json_pack("{s:[], s:[[i,s]]}", "edges", "queues", 13, "b"));
	ck_assert(wait_join_is_stuck(join));
	add(wait_join_add_again, "b", waits_of("b", "y", "a", 8));
	wait_join_add_again(join, "a", a);
	json_decref(a);
	wait_join_mark(join, tasks);
	ck_assert_str_eq(deadlock_of(0), CIRCLE_A);
	close_join();
}
END_TEST

/* Tasks 1 to 400 of a cell wait for each other in a circle, and their names are as long as it likes. */
START_TEST(a_circle_of_many_with_long_names_has_a_short_text)
{
	enum { MANY = 400 };
	json_t *waits = json_pack("{s:[], s:[]}", "edges", "names");
	char name[2001];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	open_join();
	json_array_clear(tasks);
	for (int i = 1; i <= MANY; i++) {
		json_array_append_new(json_object_get(waits, "edges"), json_pack("[i,i,i,b]", i, i % MANY + 1, 1, false));
		json_array_append_new(json_object_get(waits, "names"), json_pack("[i,s]", i, name));
		json_array_append_new(tasks, json_pack("{s:s,s:i,s:i}", "cell", "a", "loop", 0, "id", i));
	}
	wait_join_add(join, "a", waits);
	ck_assert(wait_join_is_stuck(join));
	wait_join_add_again(join, "a", waits);
	wait_join_mark(join, tasks);
	ck_assert_ptr_nonnull(deadlock_of(0));
	ck_assert_ptr_nonnull(strstr(deadlock_of(0), "n in cell a -> ... -> n"));
	ck_assert_uint_lt(strlen(deadlock_of(0)), 3000);
	json_decref(waits);
	close_join();
}
END_TEST

/* --- circles ------------------------------------------------------------------------------------- */

/* What was told: "a b; ", the services of each circle in their order. */
static char circles[256];
static char circle_text[512];

static void
on_circle(const struct wait_member *members, size_t count, const char *text, void *arg)
{
	size_t length = strlen(circles);

	ck_assert_ptr_eq(arg, circles);
	for (size_t i = 0; i < count; i++) {
		if (members[i].service == NULL)
			continue;
		/* Each is of the cell that is called so. */
		ck_assert_str_eq(members[i].service, members[i].cell);
		if (strstr(circles + length, members[i].service) == NULL)
			strcat(strcat(circles, members[i].service), " ");
	}
	strcat(circles, "; ");
	snprintf(circle_text, sizeof(circle_text), "%s", text);
}

static bool
look_for_circles(void)
{
	circles[0] = '\0';
	return wait_join_circles(join, on_circle, circles);
}

START_TEST(a_circle_through_two_cells_is_told_once_with_its_services)
{
	open_join();
	add_both(wait_join_add, 5, 8);
	add_both(wait_join_add_again, 5, 8);
	ck_assert(look_for_circles());
	ck_assert_str_eq(circles, "a b ; ");
	ck_assert_str_eq(circle_text, CIRCLE_A);
	close_join();
	open_join();
	add_both(wait_join_add, 5, 8);
	add_both(wait_join_add_again, 5, 9);
	ck_assert(look_for_circles());
	ck_assert_str_eq(circles, "");
	close_join();
}
END_TEST

/* Tasks 21 and 22 of it wait for each other, too, which is for the cell itself to tell. */
static json_t *
waits_of_a_with_its_own(void)
{
	json_t *waits = waits_of("a", "x", "b", 5);

	for (int i = 21; i <= 22; i++) {
		json_array_append_new(json_object_get(waits, "edges"), json_pack("[i,i,i,b]", i, 43 - i, 3, false));
		json_array_append_new(json_object_get(waits, "services"), json_pack("[i,s]", i, "own"));
	}
	return waits;
}

START_TEST(a_circle_within_a_cell_is_not_told)
{
	open_join();
	add(wait_join_add, "a", waits_of_a_with_its_own());
	add(wait_join_add, "b", waits_of("b", "y", "a", 8));
	add(wait_join_add_again, "a", waits_of_a_with_its_own());
	add(wait_join_add_again, "b", waits_of("b", "y", "a", 8));
	ck_assert(look_for_circles());
	ck_assert_str_eq(circles, "a b ; ");
	close_join();
}
END_TEST

/* Each task of the one cell waits for that of the same number of the other, and the other way round. */
static json_t *
waits_of_many(const char *cell, const char *other, int many)
{
	json_t *waits = json_pack("{s:[], s:[], s:[], s:[]}", "edges", "services", "sent", "served");

	for (int i = 1; i <= many; i++) {
		char *service = xasprintf("%s%d", cell, i);

		json_array_append_new(json_object_get(waits, "edges"), json_pack("[i,i,i,b]", i, 10000 + i, 1, false));
		json_array_append_new(json_object_get(waits, "edges"), json_pack("[i,i,i,b]", 20000 + i, i, 0, false));
		json_array_append_new(json_object_get(waits, "services"), json_pack("[i,s]", i, service));
		json_array_append_new(json_object_get(waits, "sent"), json_pack("[i,s,i,i]", 10000 + i, other, 7, i));
		json_array_append_new(json_object_get(waits, "served"), json_pack("[i,i,i]", 20000 + i, 7, i));
		free(service);
	}
	return waits;
}

static void
count_circle(const struct wait_member *members, size_t count, const char *text, void *arg)
{
	unsigned *told = arg;

	(void)members;
	(void)text;
	ck_assert_uint_ge(count, 2);
	(*told)++;
}

START_TEST(more_circles_than_are_told_are_said_to_be_more)
{
	static const struct {
		int many;
		unsigned told;
		bool all;
	} cases[] = {{200, 200, true}, {300, 256, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned told = 0;

		open_join();
		add(wait_join_add, "a", waits_of_many("a", "b", cases[i].many));
		add(wait_join_add, "b", waits_of_many("b", "a", cases[i].many));
		add(wait_join_add_again, "a", waits_of_many("a", "b", cases[i].many));
		add(wait_join_add_again, "b", waits_of_many("b", "a", cases[i].many));
		ck_assert(wait_join_circles(join, count_circle, &told) == cases[i].all);
		ck_assert_uint_eq(told, cases[i].told);
		close_join();
	}
}
END_TEST

START_TEST(what_makes_no_sense_is_passed_over)
{
	static const char *const texts[] = {"{}", "[]", "7", "{\"edges\": 1, \"names\": {}, \"sent\": null}",
		("{\"edges\": [1, [], [1], [\"a\",2,3,false], [1,1,-1,false], [1,2,3,4]], \"names\": [[1], [1,2], [5,\"n\"]],"
			" \"queues\": [[7,\"q\"]], \"sent\": [[1,\"a\",0,0]], \"served\": [[1,0,0],[9223372036854775807,-1,0]],"
			" \"services\": [[1], 7, [2,3], [4,\"a/b\"], [4,\"\"], \"x\"]}")};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		json_t *waits = json_loads(texts[i], JSON_DECODE_ANY, NULL);

		ck_assert_ptr_nonnull(waits);
		open_join();
		wait_join_add(join, "a", waits);
		(void)wait_join_is_stuck(join);
		wait_join_add_again(join, "a", waits);
		wait_join_mark(join, tasks);
		close_join();
		open_join();
		wait_join_add(join, "a", waits);
		wait_join_add_again(join, "a", waits);
		ck_assert(look_for_circles());
		json_decref(waits);
		close_join();
	}
}
END_TEST

CHECK_MAIN("master/wait_join",
	a_circle_through_two_cells_is_told_of_each_task_in_it,
	a_wait_that_has_become_another_is_in_no_circle,
	a_cell_that_is_not_heard_again_is_in_no_circle,
	what_the_other_cell_does_not_have_may_be_alive,
	what_is_held_back_waits_for_the_queue_over_there,
	a_circle_of_many_with_long_names_has_a_short_text,
	a_circle_through_two_cells_is_told_once_with_its_services,
	a_circle_within_a_cell_is_not_told,
	more_circles_than_are_told_are_said_to_be_more,
	what_makes_no_sense_is_passed_over)
