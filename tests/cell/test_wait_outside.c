/* SPDX-License-Identifier: BSD-2-Clause */
/* What a cell tells of its waits for others: sent requests are 100 and more, served ones 200 and more. */
#include "config.h"

#include "cell/wait_outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wait_graph.h"
#include "support/check_main.h"

/* Edges from a text: "1>2 2>1 3*4", where * stands for any. */
static struct wait_edges
edges_of(const char *text)
{
	struct wait_edges edges = {.count = 0};
	char *end;

	while (*text != '\0') {
		struct wait_edge edge = {.from = strtoul(text, &end, 10), .serial = 3};

		edge.any = *end == '*';
		edge.to = strtoul(end + 1, &end, 10);
		snprintf(edge.name, sizeof edge.name, "t%d", (int)edge.from);
		wait_edges_add(&edges, &edge);
		text = end + strspn(end, " ");
	}
	return edges;
}

static void
cross(struct wait_crossings *crossings, enum wait_crossing_kind kind, uint64_t node, uint64_t epoch)
{
	struct wait_crossing row = {.kind = kind, .node = node, .epoch = epoch, .id = node + 1, .cell = "far",
		.service = "s"};
	struct wait_crossings one = {.rows = &row, .count = 1};

	wait_crossings_append(crossings, &one);
}

/* The report in short, or "". */
static char *
report_of(const char *text, const struct wait_crossings *crossings)
{
	struct wait_edges edges = edges_of(text);
	bool cut;
	json_t *report = wait_outside_report(&edges, crossings, &cut);
	char *told = report != NULL ? json_dumps(report, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");

	ck_assert(!cut);
	json_decref(report);
	wait_edges_finish(&edges);
	return told;
}

static void
tells(const char *text, const struct wait_crossings *crossings, const char *expected)
{
	char *told = report_of(text, crossings);

	ck_assert_msg(strcmp(told, expected) == 0, "%s: %s", text, told);
	free(told);
}

START_TEST(what_only_other_cells_can_end_is_told)
{
	struct wait_crossings crossings = {.count = 0};

	cross(&crossings, WAIT_SENT, 100, 7);
	cross(&crossings, WAIT_SERVED, 200, 7);
	/* 5 waits for what goes on here, 6 for one of two. */
	tells("1>100 200>1 5>6 6*100 6*9", &crossings, "{\"edges\":[[1,100,3,false],[200,1,3,false]],"
		"\"names\":[[1,\"task 1 t1\"],[100,\"task 100 \"],[200,\"task 200 t200\"]],\"queues\":[],"
		"\"sent\":[[100,\"far\",7,101]],\"served\":[[200,7,201]],\"services\":[],\"unsent\":[]}");
	/* All of what it waits for any of. */
	tells("6*100 6*1 1>100", &crossings, "{\"edges\":[[1,100,3,false],[6,1,3,true],[6,100,3,true]],"
		"\"names\":[[1,\"task 1 t1\"],[6,\"task 6 t6\"],[100,\"task 100 \"]],\"queues\":[],"
		"\"sent\":[[100,\"far\",7,101]],\"served\":[],\"services\":[],\"unsent\":[]}");
	wait_crossings_finish(&crossings);
}
END_TEST

START_TEST(what_was_not_sent_waits_for_a_queue)
{
	struct wait_crossings crossings = {.count = 0};

	cross(&crossings, WAIT_UNSENT, 100, 0);
	tells("1>100", &crossings, "{\"edges\":[[1,100,3,false]],"
		"\"names\":[[1,\"task 1 t1\"],[100,\"task 100 \"]],\"queues\":[],"
		"\"sent\":[],\"served\":[],\"services\":[],\"unsent\":[[100,\"s\"]]}");
	wait_crossings_finish(&crossings);
}
END_TEST

START_TEST(who_needs_no_other_cell_tells_nothing)
{
	struct wait_crossings crossings = {.count = 0};

	tells("1>2 2>1", &crossings, "");
	cross(&crossings, WAIT_SERVED, 200, 7);
	tells("200>1 1>2 2>1", &crossings, "");
	tells("", &crossings, "");
	wait_crossings_finish(&crossings);
}
END_TEST

static bool
stands(const char *text, const struct wait_crossings *crossings)
{
	struct wait_edges edges = edges_of(text);
	bool does = wait_outside_stands(&edges, crossings);

	wait_edges_finish(&edges);
	return does;
}

START_TEST(a_task_that_only_other_cells_can_wake_stands)
{
	struct wait_crossings crossings = {.count = 0};

	/* Nothing was sent: whoever waits does so for others here. */
	ck_assert(!stands("1>2 2>1", &crossings));
	cross(&crossings, WAIT_SENT, 100, 7);
	ck_assert(!stands("", &crossings));
	ck_assert(!stands("5>6 6*100 6*9", &crossings));
	ck_assert(stands("1>100 5>6", &crossings));
	ck_assert(stands("6*100 6*1 1>100", &crossings));
	wait_crossings_finish(&crossings);
	cross(&crossings, WAIT_UNSENT, 100, 0);
	ck_assert(stands("1>100", &crossings));
	wait_crossings_finish(&crossings);
}
END_TEST

/* Who asked from outside has no task, and what serves a request is no wait of its own. */
START_TEST(what_was_sent_without_a_task_does_not_stand)
{
	struct wait_crossings crossings = {.count = 0};
	struct wait_edges edges = {.count = 0};

	cross(&crossings, WAIT_SENT, 100, 7);
	wait_edges_add(&edges, &(struct wait_edge){.from = 300, .to = 100});
	ck_assert(!wait_outside_stands(&edges, &crossings));
	wait_edges_finish(&edges);
	wait_crossings_finish(&crossings);
}
END_TEST

START_TEST(too_much_is_not_told_in_part)
{
	struct wait_crossings crossings = {.count = 0};
	struct wait_edges edges = {.count = 0};
	bool cut = false;

	cross(&crossings, WAIT_SENT, 100, 7);
	for (uint64_t i = 1000; i < 4000; i++)
		wait_edges_add(&edges, &(struct wait_edge){.from = i, .to = 100, .serial = 1});
	ck_assert_ptr_null(wait_outside_report(&edges, &crossings, &cut));
	ck_assert(cut);
	wait_edges_finish(&edges);
	wait_crossings_finish(&crossings);
}
END_TEST

CHECK_MAIN("cell/wait_outside",
	what_only_other_cells_can_end_is_told,
	what_was_not_sent_waits_for_a_queue,
	who_needs_no_other_cell_tells_nothing,
	a_task_that_only_other_cells_can_wake_stands,
	what_was_sent_without_a_task_does_not_stand,
	too_much_is_not_told_in_part)
