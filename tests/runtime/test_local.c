/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/bay.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

static int destroyed;
static struct bay_local *user;

static void
destroy_value(void *value)
{
	ck_assert_int_eq(bay_yield(), BAY_INVALID);
	++*(int *)value;
	destroyed++;
}

struct child {
	int *inherited;
	int *own;
	bool leave;
};

static int
use_values(void *arg)
{
	struct child *child = arg;

	if (child->leave)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_ptr_eq(bay_local_get(user), child->inherited);
	if (child->own != NULL) {
		ck_assert_int_eq(bay_local_set(user, child->own), BAY_OK);
		ck_assert_ptr_eq(bay_local_get(user), child->own);
	}
	return bay_yield();
}

TASK_TEST(a_child_has_its_parents_values_and_sets_its_own)
{
	int mine = 0, own = 0;
	struct child child = {&mine, &own, false};
	struct bay_task *task;

	log_lines_keep();
	destroyed = 0;
	user = bay_local_create("user", destroy_value);
	ck_assert_str_eq(bay_local_name(user), "user");
	ck_assert_ptr_null(bay_local_get(user));
	ck_assert_int_eq(bay_local_set(user, &mine), BAY_OK);
	task = bay_spawn("child", use_values, &child);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(own, 1);
	ck_assert_int_eq(mine, 0);
	ck_assert_ptr_eq(bay_local_get(user), &mine);
	ck_assert_int_eq(bay_local_set(user, NULL), BAY_OK);
	ck_assert_ptr_null(bay_local_get(user));
	ck_assert_int_eq(mine, 1);
	ck_assert_int_eq(destroyed, 2);
	bay_local_destroy(user);
	return BAY_OK;
}

TASK_TEST(a_value_lives_as_long_as_the_last_task_that_has_it)
{
	int mine = 0, next = 0;
	struct child child = {&mine, NULL, true};
	struct bay_local *other = bay_local_create("other", NULL);
	struct bay_task *task;

	log_lines_keep();
	user = bay_local_create("user", destroy_value);
	ck_assert_int_eq(bay_local_set(other, &child), BAY_OK);
	ck_assert_int_eq(bay_local_set(user, &mine), BAY_OK);
	task = bay_spawn("child", use_values, &child);
	/* What the parent sets from now on is its own, and a local may go before its values. */
	ck_assert_int_eq(bay_local_set(user, &next), BAY_OK);
	ck_assert_ptr_eq(bay_local_get(other), &child);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(mine, 0);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(mine, 1);
	ck_assert_int_eq(next, 0);
	ck_assert_int_eq(bay_local_set(user, NULL), BAY_OK);
	ck_assert_int_eq(next, 1);
	bay_local_destroy(user);
	bay_local_destroy(other);
	return BAY_OK;
}

static int
set_and_end(void *arg)
{
	return bay_local_set(user, arg);
}

TASK_TEST(the_end_of_a_task_destroys_its_values)
{
	int value = 0;
	struct bay_task *task;

	log_lines_keep();
	user = bay_local_create("user", destroy_value);
	task = bay_spawn("sets", set_and_end, &value);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(value, 1);
	ck_assert_int_eq(log_lines_with("bay_yield"), 1);
	ck_assert_int_eq(bay_local_set(NULL, &value), BAY_INVALID);
	bay_local_destroy(user);
	bay_local_destroy(NULL);
	return BAY_OK;
}

CHECK_MAIN("runtime/local",
	a_child_has_its_parents_values_and_sets_its_own,
	a_value_lives_as_long_as_the_last_task_that_has_it,
	the_end_of_a_task_destroys_its_values)
