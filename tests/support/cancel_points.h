/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a scenario again and again, and ends it at another of its awaits each time.
 *
 *	points_everywhere(&(struct points_scenario){
 *		.run = run_tasks, .body = sleeps, .check = check_nothing_left});
 *
 * The body is a task, the root. Every place at which a task of the scenario leaves the
 * processor is a point: a wait, a yield, a pause, an eager call. Run N is disturbed exactly
 * at point N, for N = 1, 2, ... until a run is over before its point N comes:
 *
 *	whom    the root, or the task that awaits at the point
 *	when    before anybody else runs, or after all who are ready (so that what was
 *	        waited for may have come already)
 *	how     by a cancellation, or by a deadline that passes
 *
 * Each of the eight goes through all points. At every point, whoever it is that awaits, these
 * are failures: to park although cancelled or past the deadline, to end a wait that was cut
 * short in another way, to be cancelled without a reason.
 *
 * A program that uses this is linked with points_ldflags (see tests.am).
 */
#ifndef BAY_TESTS_SUPPORT_CANCEL_POINTS_H
#define BAY_TESTS_SUPPORT_CANCEL_POINTS_H

#include <stdbool.h>

#include <bay/task.h>

struct scheduler;

struct points_scenario {
	/* Runs a task to its end in some scheduler: run_tasks, services_run, ... */
	int (*run)(bay_task_fn *fn, void *arg);
	/* The root. What its own awaits end with, it returns. */
	bay_task_fn *body;
	/* Called after each run, outside of the scheduler; or NULL. */
	void (*check)(void);
	/* All tasks are on one loop and end with the root: then it is also checked that the
	 * points are all the places at which somebody left the processor, and that all stacks
	 * are back. */
	bool one_loop;
};

/* Goes through all points in all eight ways, several times, and fails the test when memory
 * grows from one time to the next. Returns the points of an undisturbed run. */
unsigned points_everywhere(const struct points_scenario *scenario);

/* A point where nobody awaits, for code that may not: the root is disturbed here and now. */
void points_here(void);

/* Whether an await may end so in this run: well, or as the disturbance has it. */
bool points_allow(int status);

/* Fails the test when it may not; returns status. */
int points_expect(int status);

/* Each task of the scheduler has a stack, and all others are back or kept warm. */
void points_check_stacks(const struct scheduler *scheduler);

/* What the cancellation says. */
#define POINTS_REASON "cancelled at a point"

#endif
