/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/deadlock_watch.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cell/crossing.h"
#include "loop/loop.h"
#include "service/topic_way.h"
#include "support/cell_control.h"
#include "support/services.h"
#include "support/two_cells.h"

static struct deadlock_watch *watch;
static struct bay_service *service;
static atomic_bool gate, held;
static int began, over, stood, went;
static char text[512];

/* --- two that wait for each other, on loop 0 ------------------------------------------------- */

static struct bay_lock *north, *south;

static struct bay_task *tied[2];

/* The first ties two, the next cuts one of them loose. */
static int
tie(struct bay_request *request)
{
	struct crossing down, up;

	(void)request;
	if (tied[0] != NULL) {
		bay_task_cancel(tied[0], "cut loose");
		return BAY_OK;
	}
	north = bay_lock_create("north");
	south = bay_lock_create("south");
	down = (struct crossing){north, south};
	up = (struct crossing){south, north};
	tied[0] = bay_spawn("a", crossing_take, &down);
	tied[1] = bay_spawn("b", crossing_take, &up);
	(void)bay_gather_all(tied, 2, BAY_INHERIT);
	bay_task_free(tied[0]);
	bay_task_free(tied[1]);
	tied[0] = tied[1] = NULL;
	bay_lock_destroy(north);
	bay_lock_destroy(south);
	return BAY_OK;
}

static const struct bay_plugin *const ties = PLUGIN(.handle = tie);

static int
send_one(void *arg)
{
	(void)arg;
	return bay_send(service, NULL, BAY_INHERIT);
}

/* The loop does nothing else meanwhile. */
static int
hold(void *arg)
{
	(void)arg;
	atomic_store(&held, true);
	while (!atomic_load(&gate))
		sched_yield();
	return BAY_OK;
}

static int
do_nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

/* --- the control thread ------------------------------------------------------------------------ */

static void
on_deadlock(const char *of, const char *circle, void *arg)
{
	(void)arg;
	ck_assert_str_eq(of, "s");
	began += circle != NULL;
	over += circle == NULL;
	if (circle != NULL)
		snprintf(text, sizeof text, "%s", circle);
}

static void
on_still(bool stands, void *arg)
{
	(void)arg;
	stood += stands;
	went += !stands;
}

static void
turn(void)
{
	loop_wait(&cell_control_loop, clock_monotonic_ns() + 20 * CLOCK_NS_PER_MS);
	loop_drain_inbox(&cell_control_loop);
}

static void
begin(void)
{
	services_begin(2);
	cell_control_begin();
	began = over = stood = went = 0;
	watch = deadlock_watch_create(&cell_control_loop, services_executor(), services_page(), on_deadlock,
		on_still, NULL);
	service = services_start(&(struct service_options){.name = "s", .plugin = ties});
	ck_assert_int_eq(services_run_on(0, send_one, NULL), BAY_OK);
	while (began == 0)
		turn();
}

static void
end(void)
{
	ck_assert_int_eq(services_run_on(0, send_one, NULL), BAY_OK);
	while (over == 0)
		turn();
	ck_assert(services_stop(service, 5 * BAY_SECOND, 5 * BAY_SECOND, NULL));
	ck_assert_int_eq(began, 1);
	ck_assert_int_eq(over, 1);
	ck_assert_int_eq(stood, 0);
	services_end();
	loop_drain_inbox(&cell_control_loop);
	deadlock_watch_destroy(watch);
	cell_control_end();
}

START_TEST(a_deadlock_is_told_once_and_its_end)
{
	begin();
	ck_assert_ptr_nonnull(strstr(text, " a (s) -> "));
	ck_assert_ptr_nonnull(strstr(text, " b (s)"));
	end();
}
END_TEST

/* For so long loop 1 has something to do. */
static void
turn_for(int64_t ns)
{
	int64_t until_ns = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < until_ns) {
		ck_assert_int_eq(services_run_on(1, do_nothing, NULL), BAY_OK);
		turn();
	}
}

/* While loop 0 answers to nothing, for as long as some looks take; and some more. */
static void
turn_while_held(void)
{
	struct services_job *job = services_go(0, hold, NULL);

	while (!atomic_load(&held))
		sched_yield();
	turn_for(3 * (int64_t)CLOCK_NS_PER_S);
	atomic_store(&gate, true);
	ck_assert_int_eq(services_join(job), BAY_OK);
	turn_for(2 * (int64_t)CLOCK_NS_PER_S);
}

START_TEST(a_deadlock_is_not_over_while_its_loop_is_silent)
{
	begin();
	turn_while_held();
	ck_assert_int_eq(over, 0);
	end();
}
END_TEST

/* --- waits for another cell, which is in the test's hand ----------------------------------------- */

static struct link hand;
static struct bay_service *far;

static void
begin_far(void)
{
	two_cells_begin(2);
	two_cells_by_hand(1, &hand);
	far = two_cells_elsewhere("far", 0);
	cell_control_begin();
	began = over = stood = went = 0;
	watch = deadlock_watch_create(&cell_control_loop, services_executor(), services_page(), on_deadlock,
		on_still, NULL);
}

static void
end_far(void)
{
	ck_assert_int_eq(began, 0);
	two_cells_check_nothing_left();
	two_cells_end();
	loop_drain_inbox(&cell_control_loop);
	deadlock_watch_destroy(watch);
	cell_control_end();
}

static int
call_far(void *arg)
{
	(void)arg;
	return bay_call(far, NULL, NULL, BAY_INHERIT);
}

/* The call is there until the other end of the link is closed. */
static struct services_job *
begin_call(void)
{
	struct services_job *job = services_go(0, call_far, NULL);

	while (stood == 0)
		turn();
	return job;
}

static void
end_call(struct services_job *job)
{
	ck_assert_int_eq(went, 0);
	link_close(&hand);
	ck_assert_int_ne(services_join(job), BAY_OK);
	while (went == 0)
		turn();
	ck_assert_int_eq(stood, 1);
	ck_assert_int_eq(went, 1);
}

START_TEST(a_wait_for_another_cell_that_stands_still_is_told_once_and_its_end)
{
	struct services_job *job;

	begin_far();
	job = begin_call();
	/* Whatever else runs. */
	turn_for(2 * (int64_t)CLOCK_NS_PER_S);
	end_call(job);
	end_far();
}
END_TEST

START_TEST(a_wait_for_another_cell_is_not_over_while_its_loop_is_silent)
{
	struct services_job *job;

	begin_far();
	job = begin_call();
	turn_while_held();
	end_call(job);
	end_far();
}
END_TEST

static int
call_again_and_again(void *arg)
{
	(void)arg;
	while (!atomic_load(&gate))
		(void)bay_call(far, NULL, NULL, bay_after(50 * BAY_MS));
	return BAY_OK;
}

START_TEST(a_wait_for_another_cell_that_ends_while_another_loop_is_silent_is_over)
{
	struct services_job *call, *job;
	int64_t until_ns;

	begin_far();
	call = begin_call();
	job = services_go(1, hold, NULL);
	while (!atomic_load(&held))
		sched_yield();
	link_close(&hand);
	ck_assert_int_ne(services_join(call), BAY_OK);
	/* As long as some looks take, in which that loop is missing. */
	until_ns = clock_monotonic_ns() + 2 * (int64_t)CLOCK_NS_PER_S;
	while (clock_monotonic_ns() < until_ns)
		turn();
	ck_assert_int_eq(went, 0);
	atomic_store(&gate, true);
	ck_assert_int_eq(services_join(job), BAY_OK);
	/* Nothing runs any more. */
	while (went == 0)
		turn();
	ck_assert_int_eq(stood, 1);
	ck_assert_int_eq(went, 1);
	end_far();
}
END_TEST

START_TEST(waits_for_another_cell_that_come_and_go_are_not_told)
{
	struct services_job *job;

	begin_far();
	job = services_go(0, call_again_and_again, NULL);
	turn_for(4 * (int64_t)CLOCK_NS_PER_S);
	atomic_store(&gate, true);
	ck_assert_int_eq(services_join(job), BAY_OK);
	ck_assert_int_eq(stood, 0);
	link_close(&hand);
	end_far();
}
END_TEST

/* More than may be on its way. */
static int
publish_much(void *arg)
{
	int i, status = BAY_OK;

	(void)arg;
	for (i = 0; i < 2000 && status == BAY_OK; i++)
		status = bay_publish("much", NULL, BAY_INHERIT);
	return status;
}

/* No task runs when there is a link, and all that may go over it has gone. */
START_TEST(a_publisher_that_waits_for_another_cell_is_told_when_what_was_published_is_there)
{
	const char *pattern = "much";
	struct services_job *job;

	two_cells_begin(2);
	cell_control_begin();
	began = over = stood = went = 0;
	watch = deadlock_watch_create(&cell_control_loop, services_executor(), services_page(), on_deadlock,
		on_still, NULL);
	topic_way_set("b", TOPIC_WAIT, &pattern, 1);
	job = services_go(0, publish_much, NULL);
	for (int i = 0; i < 120; i++)
		turn();
	ck_assert_int_eq(stood, 0);
	two_cells_by_hand(1, &hand);
	while (stood == 0)
		turn();
	topic_way_set("b", TOPIC_WAIT, NULL, 0);
	ck_assert_int_eq(services_join(job), BAY_OK);
	while (went == 0)
		turn();
	ck_assert_int_eq(stood, 1);
	link_close(&hand);
	topic_ways_stop();
	end_far();
	topic_ways_finish();
}
END_TEST

CHECK_MAIN("cell/deadlock_watch",
	a_deadlock_is_told_once_and_its_end,
	a_deadlock_is_not_over_while_its_loop_is_silent,
	a_wait_for_another_cell_that_stands_still_is_told_once_and_its_end,
	a_wait_for_another_cell_is_not_over_while_its_loop_is_silent,
	a_wait_for_another_cell_that_ends_while_another_loop_is_silent_is_over,
	waits_for_another_cell_that_come_and_go_are_not_told,
	a_publisher_that_waits_for_another_cell_is_told_when_what_was_published_is_there)
