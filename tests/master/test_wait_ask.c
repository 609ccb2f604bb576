/* SPDX-License-Identifier: BSD-2-Clause */
/* Fake cells main, with service a, and risky, with b. */
#include "config.h"

#include "master/wait_ask.h"

#include <string.h>

#include "master/circle_cells.h"
#include "master/wait_join.h"
#include "protocol/cell_link.h"

static struct fake_master master;

/* Of the last ask. */
static unsigned answers, ends, circles;
static bool sure_of_main, sure_of_risky;
static int64_t took_ns;

static void
on_answer(const struct master_cell *cell, const struct cell_reply *reply, bool waits_only, void *arg)
{
	(void)reply;
	(void)arg;
	ck_assert(waits_only == (strcmp(master_cell_name(cell), "risky") == 0));
	answers++;
}

static void
on_circle(const struct wait_member *members, size_t count, const char *text, void *arg)
{
	(void)members;
	(void)count;
	(void)text;
	(void)arg;
	circles++;
}

static void
on_done(const struct wait_ask *ask, struct wait_join *join, void *arg)
{
	(void)arg;
	ends++;
	ck_assert(wait_join_circles(join, on_circle, NULL));
	sure_of_main = wait_ask_is_sure_of(ask, circle_cell(&master, "main"));
	sure_of_risky = wait_ask_is_sure_of(ask, circle_cell(&master, "risky"));
	took_ns = wait_ask_took_ns(ask);
}

static void
open_cells(void)
{
	fake_master_open_pair(&master, "", "", "cell = risky", NULL);
	fake_master_start(&master);
}

static void
begin_ask(void)
{
	const struct wait_ask_watcher watcher = {.answered = on_answer, .done = on_done};
	struct wait_ask *ask = wait_ask_create(master.supervisor, &watcher);

	answers = ends = circles = 0;
	ck_assert(wait_ask_cell(ask, circle_cell(&master, "main"), &(struct cell_tasks){.waits_only = false}));
	ck_assert(wait_ask_cell(ask, circle_cell(&master, "risky"), &(struct cell_tasks){.waits_only = true}));
	wait_ask_begin(ask);
	ck_assert_uint_eq(ends, 0);
}

static void
ask_both(void)
{
	begin_ask();
	UNTIL(&master, ends > 0);
	ck_assert_uint_eq(ends, 1);
	ck_assert_uint_eq(answers, 2);
}

static void
say_circle(int serial_of_risky)
{
	circle_cell_says(&master, "main", circle_waits("a", "risky", 5), false, 50000000);
	circle_cell_says(&master, "risky", circle_waits("b", "main", serial_of_risky), false, 90000000);
}

START_TEST(cells_that_do_not_seem_to_be_stuck_are_asked_once)
{
	open_cells();
	circle_cell_says(&master, "main", circle_waits("a", "risky", 5), false, 50000000);
	circle_cell_says(&master, "risky", NULL, false, 90000000);
	ask_both();
	ck_assert_uint_eq(circles, 0);
	ck_assert_uint_eq(circle_cell_asked(&master, "main"), 1);
	ck_assert_uint_eq(circle_cell_asked(&master, "risky"), 1);
	ck_assert(sure_of_main && sure_of_risky);
	ck_assert_int_eq(took_ns, 90000000);
	fake_master_close(&master);
}
END_TEST

START_TEST(the_time_of_the_master_counts_too)
{
	open_cells();
	circle_cell_says(&master, "main", circle_waits("a", "risky", 5), false, 0);
	circle_cell_says(&master, "risky", NULL, false, 0);
	ask_both();
	ck_assert_int_gt(took_ns, 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(those_that_seem_to_be_are_asked_twice)
{
	open_cells();
	say_circle(8);
	ask_both();
	ck_assert_uint_eq(circles, 1);
	ck_assert_uint_eq(circle_cell_asked(&master, "main"), 2);
	ck_assert_uint_eq(circle_cell_asked(&master, "risky"), 2);
	ck_assert(sure_of_main && sure_of_risky);
	ck_assert_int_eq(took_ns, 180000000);
	fake_master_close(&master);
}
END_TEST

START_TEST(of_one_that_does_not_tell_all_it_is_not_sure)
{
	open_cells();
	circle_cell_says(&master, "main", NULL, true, INT64_MAX);
	circle_cell_is_silent(&master, "risky");
	ask_both();
	ck_assert(!sure_of_main && !sure_of_risky);
	/* However long it says that it took. */
	ck_assert_int_le(took_ns, CLOCK_NS_PER_S);
	fake_master_close(&master);
}
END_TEST

START_TEST(nobody_to_ask_is_an_answer_at_once)
{
	const struct wait_ask_watcher watcher = {.done = on_done};
	struct wait_ask *ask;

	open_cells();
	master_cell_close(supervisor_find_cell(master.supervisor, "risky"));
	ask = wait_ask_create(master.supervisor, &watcher);
	ck_assert(!wait_ask_cell(ask, circle_cell(&master, "risky"), &(struct cell_tasks){.waits_only = true}));
	ends = 0;
	wait_ask_begin(ask);
	ck_assert_uint_eq(ends, 1);
	ck_assert(!sure_of_risky);
	fake_master_close(&master);
}
END_TEST

START_TEST(it_ends_with_the_cells)
{
	open_cells();
	circle_cell_is_silent(&master, "main");
	circle_cell_is_silent(&master, "risky");
	begin_ask();
	master_cell_close(supervisor_find_cell(master.supervisor, "main"));
	master_cell_close(supervisor_find_cell(master.supervisor, "risky"));
	ck_assert_uint_eq(ends, 1);
	ck_assert(!sure_of_main && !sure_of_risky);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/wait_ask",
	cells_that_do_not_seem_to_be_stuck_are_asked_once,
	the_time_of_the_master_counts_too,
	those_that_seem_to_be_are_asked_twice,
	of_one_that_does_not_tell_all_it_is_not_sure,
	nobody_to_ask_is_an_answer_at_once,
	it_ends_with_the_cells)
