/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/wait_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

/* Edges from a text: "1>2 2>1 3*4", where * stands for any. */
static struct wait_edges
edges_of(const char *text)
{
	struct wait_edges edges = {.count = 0};
	char *end;

	while (*text != '\0') {
		struct wait_edge edge = {.serial = 0};

		edge.from = strtoul(text, &end, 10);
		edge.any = *end == '*';
		edge.serial = (uint32_t)edge.from;
		edge.to = strtoul(end + 1, &end, 10);
		wait_edges_add(&edges, &edge);
		text = end + strspn(end, " ");
	}
	return edges;
}

/* How many are dead, and the circle through a node: "1 2". */
static void
check(const char *text, size_t dead, uint64_t node, const char *circle)
{
	struct wait_edges edges = edges_of(text);
	struct wait_graph *graph = wait_graph_create(&edges);
	size_t i, length;
	uint64_t *path = wait_graph_circle(graph, node, &length);
	char found[256] = "";

	for (i = 0; i < length; i++)
		snprintf(found + strlen(found), sizeof found - strlen(found), "%s%d", i > 0 ? " " : "", (int)path[i]);
	ck_assert_msg(wait_graph_dead(graph) == dead, "%s: %zu are dead", text, wait_graph_dead(graph));
	ck_assert_msg(strcmp(found, circle) == 0, "%s: '%s'", text, found);
	free(path);
	wait_graph_destroy(graph);
	wait_edges_finish(&edges);
}

START_TEST(who_waits_for_somebody_alive_is_alive)
{
	check("", 0, 1, "");
	check("1>2", 0, 1, "");
	check("1>2 2>3 3>4", 0, 1, "");
	check("1>2 1>3 2>4 3>4", 0, 1, "");
}
END_TEST

START_TEST(a_circle_is_dead_and_who_waits_for_it)
{
	check("1>1", 1, 1, "1");
	check("1>2 2>1", 2, 1, "1 2");
	check("1>2 2>1", 2, 2, "2 1");
	check("1>2 2>3 3>1 4>1", 4, 3, "3 1 2");
	/* It is in none itself. */
	check("1>2 2>1 4>1 5>4", 4, 4, "");
	check("1>2 2>1 7>8", 2, 7, "");
}
END_TEST

START_TEST(who_waits_for_all_is_dead_with_one)
{
	check("1>2 1>3 2>1", 2, 1, "1 2");
	check("1>3 1>4 3>5 4>1", 2, 4, "4 1");
}
END_TEST

START_TEST(who_waits_for_any_is_alive_with_one)
{
	check("1*2 1*3 2>1", 0, 1, "");
	check("1*2 1*3 2>1 3>1", 3, 1, "1 2");
	check("1*2 1*3 2>1 3>4", 0, 1, "");
}
END_TEST

START_TEST(the_shortest_circle_is_told)
{
	check("1>2 2>3 3>1 1>4 4>1", 4, 1, "1 4");
	check("1>2 2>3 3>1 1>4 4>1", 4, 3, "3 1 2");
}
END_TEST

START_TEST(only_waits_that_go_on_are_kept)
{
	struct wait_edges edges = edges_of("1>2 2>1 3>3"), later = edges_of("2>1 1>2 3>3");
	struct wait_graph *graph;

	/* Another wait of the same task for the same. */
	later.rows[1].serial = 99;
	wait_edges_keep(&edges, &later);
	ck_assert_uint_eq(edges.count, 2);
	graph = wait_graph_create(&edges);
	ck_assert_uint_eq(wait_graph_dead(graph), 1);
	wait_graph_destroy(graph);
	/* What is no task is told once. */
	edges.rows[0].serial = 0;
	wait_edges_finish(&later);
	wait_edges_keep(&edges, &later);
	ck_assert_uint_eq(edges.count, 1);
	wait_edges_finish(&edges);
}
END_TEST

START_TEST(of_too_many_nothing_is_said)
{
	struct wait_edges edges = {.count = 0}, more = edges_of("1>2 2>1");
	struct wait_edge edge = {.from = 7, .to = 7};
	struct wait_graph *graph;
	size_t i;

	for (i = 0; i < WAIT_EDGES_MAX; i++, edge.from++)
		wait_edges_add(&edges, &edge);
	ck_assert(!edges.too_many);
	graph = wait_graph_create(&edges);
	ck_assert_uint_eq(wait_graph_dead(graph), WAIT_EDGES_MAX);
	wait_graph_destroy(graph);
	wait_edges_append(&edges, &more);
	ck_assert(edges.too_many);
	graph = wait_graph_create(&edges);
	ck_assert_uint_eq(wait_graph_dead(graph), 0);
	wait_graph_destroy(graph);
	wait_edges_finish(&more);
	wait_edges_finish(&edges);
}
END_TEST

/* Chains as long as can be, in both orders. */
START_TEST(long_chains_are_followed_to_their_end)
{
	size_t i, n;

	for (n = 0; n < 2; n++) {
		struct wait_edges edges = {.count = 0};
		struct wait_graph *graph;

		for (i = 1; i <= WAIT_EDGES_MAX; i++) {
			struct wait_edge edge = {.from = n == 0 ? i : i + 1, .to = n == 0 ? i + 1 : i};

			wait_edges_add(&edges, &edge);
		}
		graph = wait_graph_create(&edges);
		ck_assert_uint_eq(wait_graph_dead(graph), 0);
		wait_graph_destroy(graph);
		wait_edges_finish(&edges);
	}
}
END_TEST

/* As large as it can be. */
enum { BEHIND = WAIT_EDGES_MAX - 8 };

static void
add(struct wait_edges *edges, uint64_t from, uint64_t to)
{
	wait_edges_add(edges, &(struct wait_edge){.from = from, .to = to});
}

/* Between two circles, too. */
START_TEST(who_waits_behind_a_circle_costs_no_search)
{
	struct wait_edges edges = {.count = 0};
	struct wait_graph *graph;
	size_t i, length;
	uint64_t *path;

	add(&edges, 1, 2);
	add(&edges, 2, 1);
	for (i = 3; i <= BEHIND; i++)
		add(&edges, i, i - 1);
	add(&edges, BEHIND + 1, BEHIND + 2);
	add(&edges, BEHIND + 2, BEHIND + 1);
	add(&edges, BEHIND + 2, BEHIND);
	graph = wait_graph_create(&edges);
	ck_assert_uint_eq(wait_graph_dead(graph), BEHIND + 2);
	for (i = 3; i <= BEHIND; i++)
		ck_assert_ptr_null(wait_graph_circle(graph, i, &length));
	ck_assert(!wait_graph_gave_up(graph));
	path = wait_graph_circle(graph, 2, &length);
	ck_assert_uint_eq(length, 2);
	free(path);
	path = wait_graph_circle(graph, BEHIND + 2, &length);
	ck_assert_uint_eq(length, 2);
	free(path);
	ck_assert(!wait_graph_gave_up(graph));
	wait_graph_destroy(graph);
	wait_edges_finish(&edges);
}
END_TEST

START_TEST(searches_end_when_they_have_taken_too_long)
{
	struct wait_edges edges = {.count = 0};
	struct wait_graph *graph;
	size_t i, length, found = 0;

	for (i = 1; i <= BEHIND; i++)
		add(&edges, i, i % BEHIND + 1);
	graph = wait_graph_create(&edges);
	for (i = 1; i <= BEHIND && !wait_graph_gave_up(graph); i++) {
		uint64_t *path = wait_graph_circle(graph, i, &length);

		ck_assert(length == (path != NULL ? (size_t)BEHIND : 0));
		found += path != NULL;
		free(path);
	}
	ck_assert(wait_graph_gave_up(graph));
	ck_assert_uint_le(found, WAIT_STEPS_MAX / BEHIND + 1);
	wait_graph_destroy(graph);
	wait_edges_finish(&edges);
}
END_TEST

START_TEST(what_lies_between_two_circles_is_on_none)
{
	check("1>2 2>1 2>3 3>4 4>5 5>4", 5, 3, "");
	check("1>2 2>1 2>3 3>4 4>5 5>4", 5, 5, "5 4");
	check("1>2 2>1 2>3 3>4 4>5 5>4", 5, 2, "2 1");
	/* One that a walk meets again, after its knot is known. */
	check("1>2 1>3 2>2 3>2 3>1", 3, 3, "3 1");
	check("1>2 1>3 2>2 3>2", 3, 3, "");
}
END_TEST

CHECK_MAIN("base/wait_graph",
	who_waits_behind_a_circle_costs_no_search,
	searches_end_when_they_have_taken_too_long,
	what_lies_between_two_circles_is_on_none,
	who_waits_for_somebody_alive_is_alive,
	a_circle_is_dead_and_who_waits_for_it,
	who_waits_for_all_is_dead_with_one,
	who_waits_for_any_is_alive_with_one,
	the_shortest_circle_is_told,
	only_waits_that_go_on_are_kept,
	of_too_many_nothing_is_said,
	long_chains_are_followed_to_their_end)
