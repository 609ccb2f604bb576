/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/belonging.h"

#include <string.h>

#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

struct thing {
	struct belonging belonging;
	int *order;     /* counts the ends */
	int ended;      /* the how many-th it was, 0: not yet */
};

static void
thing_on_end(struct belonging *belonging)
{
	struct thing *thing = container_of(belonging, struct thing, belonging);

	thing->ended = ++*thing->order;
}

/* Instances are only compared here. */
static int instances[2];

static struct bay_instance *
instance(int i)
{
	return (struct bay_instance *)(void *)&instances[i];
}

static void
add_as(struct thing *thing, struct bay_instance *whose, int *order, const char *kind)
{
	struct task *self = task_current();
	struct bay_instance *own = self->instance;

	thing->order = order;
	thing->ended = 0;
	self->instance = whose;
	belonging_add(&thing->belonging, kind, thing_on_end);
	self->instance = own;
}

TASK_TEST(the_end_of_an_instance_ends_what_belongs_to_it_the_latest_first)
{
	struct thing things[4];
	int order = 0;

	add_as(&things[0], instance(0), &order, "socket");
	add_as(&things[1], instance(1), &order, "socket");
	add_as(&things[2], NULL, &order, "socket");
	add_as(&things[3], instance(0), &order, "socket");
	belonging_end_of_instance(scheduler_here, instance(0));
	ck_assert_int_eq(things[3].ended, 1);
	ck_assert_int_eq(things[0].ended, 2);
	ck_assert_int_eq(things[1].ended, 0);
	ck_assert_int_eq(things[2].ended, 0);
	belonging_end_of_instance(scheduler_here, instance(0));
	ck_assert_int_eq(order, 2);
	belonging_remove(&things[1].belonging);
	belonging_remove(&things[2].belonging);
	return BAY_OK;
}

TASK_TEST(what_its_owner_has_ended_is_left_alone)
{
	struct thing thing;
	int order = 0;

	add_as(&thing, instance(0), &order, "socket");
	belonging_remove(&thing.belonging);
	belonging_remove(&thing.belonging);
	belonging_end_of_instance(scheduler_here, instance(0));
	ck_assert_int_eq(order, 0);
	return BAY_OK;
}

static struct thing left[2];
static int left_order;

static int
leave_two(void *arg)
{
	(void)arg;
	add_as(&left[0], instance(0), &left_order, "socket");
	left[1].order = &left_order;
	belonging_add_to_scheduler(&left[1].belonging, "resolver", thing_on_end);
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
	the_end_of_an_instance_ends_what_belongs_to_it_the_latest_first,
	what_its_owner_has_ended_is_left_alone,
	the_end_of_the_scheduler_ends_the_rest)
