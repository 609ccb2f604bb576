/* SPDX-License-Identifier: BSD-2-Clause */
/* Callers of functions on helper threads, cut short at each of their awaits in turn. */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <bay/bay.h>

#include "io/blocking_pool.h"
#include "support/cancel_everywhere.h"

/* Arguments made, and those that somebody freed: the container or their owner. */
static atomic_int made, freed;

static void *
make(void)
{
	made++;
	return malloc(8);
}

static void
drop(void *arg)
{
	free(arg);
	freed++;
}

/* All functions come to their end, and each argument was freed once. */
static void
check_arguments(void)
{
	blocking_pool_finish();
	loop_drain_inbox(&run_tasks_scheduler.loop);
	ck_assert_int_eq(made, freed);
	run_tasks_check_nothing_left();
}

static int
write_into(void *arg)
{
	*(int *)arg = 5;
	return 9;
}

static int
run_one(void *arg)
{
	int *mine = make(), result = 0;
	int status;

	(void)arg;
	status = points_expect(bay_blocking("write", write_into, mine, drop, &result, BAY_INHERIT));
	if (status != BAY_OK)
		return status;
	ck_assert_int_eq(*mine, 5);
	ck_assert_int_eq(result, 9);
	drop(mine);
	return BAY_OK;
}

EVERYWHERE(a_call_loses_and_doubles_no_argument, 2, check_arguments)
{
	TRY(run_one(NULL));
	TRY(bay_yield());
	return run_one(NULL);
}

EVERYWHERE(several_calls_lose_and_double_no_argument, 2, check_arguments)
{
	struct bay_task *tasks[3];
	int status;

	for (int i = 0; i < 3; i++)
		tasks[i] = bay_spawn("calls", run_one, NULL);
	status = points_expect(bay_gather(tasks, 3, BAY_INHERIT));
	for (int i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	return status;
}

CHECK_MAIN("service/blocking, everywhere",
	a_call_loses_and_doubles_no_argument,
	several_calls_lose_and_double_no_argument)
