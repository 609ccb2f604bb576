/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that end at once, one after the other: how long a loop of them keeps others from running. */
#include "config.h"

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/calls.h"

static struct bay_service *first, *second;

struct greedy {
	struct bay_service *service;
	bool stop;
	int64_t calls;
};

static int
call_for_ever(void *arg)
{
	struct greedy *greedy = arg;

	while (!greedy->stop) {
		ck_assert_int_eq(bay_call(greedy->service, NULL, NULL, BAY_INHERIT), BAY_OK);
		greedy->calls++;
	}
	return BAY_OK;
}

static int
stop_greedy(void *arg)
{
	((struct greedy *)arg)->stop = true;
	return BAY_OK;
}

WITH_SERVICES(a_loop_of_direct_calls_lets_others_run,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF));
	second = START("eager", PLUGIN(.handle = echo)))
{
	struct greedy leaf = {.service = first}, eager = {.service = second};
	struct bay_task *calls = bay_spawn("calls", call_for_ever, &leaf);

	ck_assert_int_eq(bay_go("stops", stop_greedy, &leaf), BAY_OK);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(leaf.calls, SCHEDULER_SLICE + 1);
	ck_assert_int_ge(leaf.calls, SCHEDULER_SLICE / 2);
	calls = bay_spawn("calls", call_for_ever, &eager);
	ck_assert_int_eq(bay_go("stops", stop_greedy, &eager), BAY_OK);
	ck_assert_int_eq(bay_join(calls, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(eager.calls, SCHEDULER_SLICE + 1);
	return BAY_OK;
}

static int
work_hard(struct bay_request *request)
{
	int64_t end = bay_now() + 20 * BAY_US;

	while (bay_now() < end)
		;
	return echo(request);
}

static int
sleep_and_stop(void *arg)
{
	struct greedy *greedy = arg;

	ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	greedy->stop = true;
	/* Each takes 20 us: the time is over before the second slice is. */
	ck_assert_int_le(greedy->calls, 4 * SCHEDULER_SLICE);
	return BAY_OK;
}

WITH_SERVICES(a_loop_of_direct_calls_lets_timers_fire,
	first = START("leaf", PLUGIN(.handle = work_hard, .flags = BAY_LEAF)))
{
	struct greedy greedy = {.service = first};

	ck_assert_int_eq(bay_go("stops", sleep_and_stop, &greedy), BAY_OK);
	return bay_join(bay_spawn("calls", call_for_ever, &greedy), BAY_INHERIT);
}

static int
call_leaf_until_it_fails(void *arg)
{
	int64_t *calls = arg;
	int status;

	while ((status = bay_call(first, NULL, NULL, BAY_INHERIT)) == BAY_OK)
		++*calls;
	return status;
}

WITH_SERVICES(a_loop_of_direct_calls_sees_its_deadline,
	first = START("leaf", PLUGIN(.handle = work_hard, .flags = BAY_LEAF)))
{
	int64_t deadline = bay_after(5 * BAY_MS), calls = 0;
	struct bay_scope *scope = bay_scope_open(deadline);
	struct bay_task *task = bay_scope_spawn(scope, "calls", call_leaf_until_it_fails, &calls);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_le(calls, 4 * SCHEDULER_SLICE);
	return bay_scope_close(scope);
}

/* Calls as often as it says, without a wait of its own. */
static int
call_often(void *arg)
{
	struct greedy *greedy = arg;
	int64_t i;

	for (i = 0; i < greedy->calls; i++)
		ck_assert_int_eq(bay_call(greedy->service, NULL, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* What one has used of its slice is not taken from the next, who comes right behind it; and
 * who was sent behind the others comes back with a whole one. */
WITH_SERVICES(each_turn_has_a_slice_of_its_own,
	first = START("leaf", PLUGIN(.handle = echo, .flags = BAY_LEAF)))
{
	struct greedy greedy = {.service = first, .calls = SCHEDULER_SLICE - 10};
	uint64_t passes = task_current()->scheduler->passes;
	int i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(bay_go("calls", call_often, &greedy), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_le(task_current()->scheduler->passes - passes, 2);
	greedy.calls = 20 * SCHEDULER_SLICE;
	passes = task_current()->scheduler->passes;
	ck_assert_int_eq(call_often(&greedy), BAY_OK);
	ck_assert_uint_le(task_current()->scheduler->passes - passes, 25);
	return BAY_OK;
}

static int
send_for_ever(void *arg)
{
	struct greedy *greedy = arg;

	while (!greedy->stop && greedy->calls < 3 * SCHEDULER_SLICE) {
		ck_assert_int_eq(bay_send(greedy->service, NULL, BAY_INHERIT), BAY_OK);
		greedy->calls++;
	}
	return BAY_OK;
}

WITH_SERVICES(a_loop_of_sends_lets_others_run, first = START("eager", PLUGIN(.handle = echo)))
{
	struct greedy greedy = {.service = first};
	struct bay_task *sends = bay_spawn("sends", send_for_ever, &greedy);

	ck_assert_int_eq(bay_go("stops", stop_greedy, &greedy), BAY_OK);
	ck_assert_int_eq(bay_join(sends, BAY_INHERIT), BAY_OK);
	ck_assert_int_le(greedy.calls, SCHEDULER_SLICE + 1);
	while (first->queued > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

/* A started call does not suspend, so the state that tasks share stays as it is. */
static int
count_turns(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

WITH_SERVICES(starting_calls_lets_nobody_run, first = START("eager", PLUGIN(.handle = echo)))
{
	int i, turns = 0;

	ck_assert_int_eq(bay_go("counts", count_turns, &turns), BAY_OK);
	for (i = 0; i < 3 * SCHEDULER_SLICE; i++) {
		struct bay_task *call = bay_call_start(first, NULL);

		ck_assert_int_eq(bay_task_status(call), BAY_OK);
		bay_task_free(call);
	}
	ck_assert_int_eq(turns, 0);
	return bay_yield();
}

CHECK_MAIN("service/call_slice",
	a_loop_of_direct_calls_lets_others_run,
	each_turn_has_a_slice_of_its_own,
	a_loop_of_sends_lets_others_run,
	a_loop_of_direct_calls_lets_timers_fire,
	a_loop_of_direct_calls_sees_its_deadline,
	starting_calls_lets_nobody_run)
