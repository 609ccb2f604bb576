/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/belonging.h"

#include <bay/task.h>

#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

/* Not real: nothing here looks into them. */
static struct bay_instance *const ours = (struct bay_instance *)16;
static struct bay_instance *const others = (struct bay_instance *)32;

struct thing {
	struct belonging belonging;
	int asked;
	int awaited;
	int ended;    /* as which of all */
	int64_t last_ns;
};

static int ends, awaits;

static struct thing *
thing_of(struct belonging *belonging)
{
	return container_of(belonging, struct thing, belonging);
}

static void
thing_ask(struct belonging *belonging)
{
	/* All are asked before one is waited for. */
	ck_assert_int_eq(awaits, 0);
	thing_of(belonging)->asked++;
}

static void
thing_await(struct belonging *belonging, int64_t last_ns)
{
	awaits++;
	ck_assert_int_eq(bay_yield(), BAY_OK);
	thing_of(belonging)->awaited++;
	thing_of(belonging)->last_ns = last_ns;
}

static void
thing_end(struct belonging *belonging)
{
	thing_of(belonging)->ended = ++ends;
	belonging_remove(belonging);
}

static const struct belonging_farewell slow = {.ask = thing_ask, .await = thing_await};

static void
add_for(struct thing *thing, struct bay_instance *instance, const struct belonging_farewell *farewell)
{
	struct bay_instance *before = task_current()->instance;

	task_current()->instance = instance;
	belonging_add(&thing->belonging, "thing", thing_end);
	task_current()->instance = before;
	thing->belonging.farewell = farewell;
}

TASK_TEST(an_instance_ends_what_it_has_left_and_nothing_else)
{
	struct thing things[4] = {{.asked = 0}};

	log_lines_keep();
	add_for(&things[0], ours, NULL);
	add_for(&things[1], others, NULL);
	add_for(&things[2], ours, NULL);
	add_for(&things[3], ours, NULL);
	belonging_remove(&things[3].belonging);
	belonging_remove(&things[3].belonging);
	belonging_end_of_instance(&run_tasks_scheduler, ours);
	/* The latest first. */
	ck_assert_int_eq(things[2].ended, 1);
	ck_assert_int_eq(things[0].ended, 2);
	ck_assert_int_eq(things[1].ended + things[3].ended, 0);
	ck_assert_int_eq(log_lines_with("it ended and left 2 things open"), 1);
	belonging_end_of_instance(&run_tasks_scheduler, others);
	ck_assert_int_eq(things[1].ended, 3);
	return BAY_OK;
}

TASK_TEST(what_takes_its_time_is_asked_and_waited_for)
{
	struct thing things[4] = {{.asked = 0}};

	add_for(&things[0], ours, &slow);
	add_for(&things[1], others, &slow);
	add_for(&things[2], ours, NULL);
	add_for(&things[3], ours, &slow);
	belonging_part(&run_tasks_scheduler, ours, 1234);
	ck_assert_int_eq(things[0].asked, 1);
	ck_assert_int_eq(things[0].awaited, 1);
	ck_assert_int_eq(things[0].last_ns, 1234);
	ck_assert_int_eq(things[3].awaited, 1);
	ck_assert_int_eq(things[1].asked + things[1].awaited + ends, 0);
	belonging_end_of_instance(&run_tasks_scheduler, ours);
	ck_assert_int_eq(ends, 3);
	belonging_end_of_instance(&run_tasks_scheduler, others);
	return BAY_OK;
}

static struct thing left[2];

static int
leave_two(void *arg)
{
	(void)arg;
	add_for(&left[0], ours, NULL);
	belonging_add_to_scheduler(&left[1].belonging, "resolver", thing_end);
	return BAY_OK;
}

START_TEST(the_end_of_the_scheduler_ends_the_rest)
{
	ck_assert_int_eq(run_task(leave_two, NULL), BAY_OK);
	ck_assert_int_eq(left[1].ended, 1);
	ck_assert_int_eq(left[0].ended, 2);
}
END_TEST

CHECK_MAIN("runtime/belonging",
	an_instance_ends_what_it_has_left_and_nothing_else,
	what_takes_its_time_is_asked_and_waited_for,
	the_end_of_the_scheduler_ends_the_rest)
