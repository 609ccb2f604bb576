/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/once.h>

#include <bay/task.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

/* One who needs it done. */
struct user {
	struct bay_once *once;
	int64_t deadline;
	int result;     /* of its function */
	int turns;      /* that the function takes */
	int *runs;      /* how often any function ran */
	int status;
};

static int
make(void *arg)
{
	struct user *user = arg;
	int turn, status = BAY_OK;

	++*user->runs;
	for (turn = 0; turn < user->turns && status == BAY_OK; turn++)
		status = bay_yield();
	return status != BAY_OK ? status : user->result;
}

static int
need(void *arg)
{
	struct user *user = arg;

	user->status = bay_once_run(user->once, make, user, user->deadline);
	return BAY_OK;
}

static struct bay_task *
start(struct user *user)
{
	struct bay_task *task = bay_spawn("user", need, user);

	ck_assert_ptr_nonnull(task);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static int runs;

static struct user
user_of(struct bay_once *once, int result)
{
	return (struct user){once, BAY_INHERIT, result, 3, &runs, -1};
}

TASK_TEST(the_first_runs_it_and_the_others_wait)
{
	struct bay_once *once = bay_once_create("table");
	struct user users[5];
	struct bay_task *tasks[5];
	int i;

	for (i = 0; i < 5; i++) {
		users[i] = user_of(once, BAY_OK);
		tasks[i] = start(&users[i]);
	}
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_once_done(once));
	for (i = 0; i < 5; i++) {
		end(tasks[i]);
		ck_assert_int_eq(users[i].status, BAY_OK);
	}
	ck_assert_int_eq(runs, 1);
	ck_assert(bay_once_done(once));
	users[0].deadline = bay_after(-BAY_SECOND);
	ck_assert_int_eq(bay_once_run(once, make, &users[0], users[0].deadline), BAY_OK);
	ck_assert_int_eq(runs, 1);
	bay_once_destroy(once);
	bay_once_destroy(NULL);
	return BAY_OK;
}

TASK_TEST(after_a_failure_the_next_tries)
{
	struct bay_once *once = bay_once_create("table");
	struct user users[] = {user_of(once, BAY_IO), user_of(once, BAY_FULL), user_of(once, BAY_OK), user_of(once, BAY_IO)};
	struct bay_task *tasks[4];
	int i;

	for (i = 0; i < 4; i++)
		tasks[i] = start(&users[i]);
	for (i = 0; i < 4; i++)
		end(tasks[i]);
	ck_assert_int_eq(users[0].status, BAY_IO);
	ck_assert_int_eq(users[1].status, BAY_FULL);
	ck_assert_int_eq(users[2].status, BAY_OK);
	ck_assert_int_eq(users[3].status, BAY_OK);
	ck_assert_int_eq(runs, 3);
	bay_once_destroy(once);
	return BAY_OK;
}

TASK_TEST(a_failure_without_others_leaves_it_to_be_done)
{
	struct bay_once *once = bay_once_create("table");
	struct user user = user_of(once, BAY_IO);

	ck_assert_int_eq(bay_once_run(once, make, &user, BAY_INHERIT), BAY_IO);
	ck_assert(!bay_once_done(once));
	user.result = BAY_OK;
	ck_assert_int_eq(bay_once_run(once, make, &user, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(runs, 2);
	bay_once_destroy(once);
	return BAY_OK;
}

/* Its turn came and it was cancelled at once: its function does not run, the next one's does. */
TASK_TEST(a_waiter_cancelled_as_its_turn_comes_passes_it_on)
{
	struct bay_once *once = bay_once_create("table");
	struct user users[] = {user_of(once, BAY_IO), user_of(once, BAY_OK), user_of(once, BAY_OK)};
	struct bay_task *tasks[3];
	int i;

	users[0].turns = 1;
	for (i = 0; i < 3; i++)
		tasks[i] = start(&users[i]);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(users[0].status, BAY_IO);
	bay_task_cancel(tasks[1], "enough");
	for (i = 0; i < 3; i++)
		end(tasks[i]);
	ck_assert_int_eq(users[1].status, BAY_CANCELED);
	ck_assert_int_eq(users[2].status, BAY_OK);
	ck_assert_int_eq(runs, 2);
	bay_once_destroy(once);
	return BAY_OK;
}

TASK_TEST(its_own_function_may_not_ask_and_has_to_be_there)
{
	struct bay_once *once = bay_once_create("self");
	struct user user = user_of(once, BAY_OK);

	log_lines_keep();
	ck_assert_int_eq(bay_once_run(once, NULL, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_once_run(once, need, &user, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(user.status, BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_once_run: task test runs once self and would wait for itself"), 1);
	ck_assert_int_eq(bay_once_run(once, NULL, NULL, BAY_INHERIT), BAY_OK);
	bay_once_destroy(once);
	return BAY_OK;
}

static int
sleep_long(void *arg)
{
	ck_assert_int_eq(bay_deadline(), *(int64_t *)arg);
	return bay_sleep(100 * BAY_SECOND);
}

TASK_TEST(the_deadline_bounds_the_wait_and_the_function)
{
	struct bay_once *once = bay_once_create("slow");
	struct user user = user_of(once, BAY_OK);
	int64_t deadline = bay_after(3 * BAY_MS);
	struct bay_task *task;

	user.deadline = bay_after(BAY_MS);
	task = start(&user);
	ck_assert_int_eq(bay_once_run(once, sleep_long, &deadline, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_eq(bay_deadline(), BAY_INHERIT);
	end(task);
	ck_assert_int_eq(user.status, BAY_TIMEOUT);
	ck_assert_int_eq(runs, 0);
	bay_once_destroy(once);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits_and_not_the_function)
{
	struct bay_once *once = bay_once_create("gone");
	struct user first = user_of(once, BAY_IO), second = first;
	struct bay_task *one = start(&first), *two = start(&second);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_once_destroy(once);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_IO);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	return BAY_OK;
}

/* Its turn came, and it was destroyed before it ran. */
TASK_TEST(one_whose_turn_comes_too_late_is_told_that_it_is_gone)
{
	struct bay_once *once = bay_once_create("gone");
	struct user first = user_of(once, BAY_IO), second = first;
	struct bay_task *one, *two;

	first.turns = 1;
	one = start(&first);
	two = start(&second);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(first.status, BAY_IO);
	bay_once_destroy(once);
	end(one);
	end(two);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	ck_assert_int_eq(runs, 1);
	return BAY_OK;
}

enum { USERS = 4, MOMENTS = 20 };

/* Whoever is cancelled, whenever: it gets done once, and the others hear of it. */
static void
cancel_one(int victim, int moment)
{
	struct bay_once *once = bay_once_create("each");
	struct user users[USERS];
	struct bay_task *tasks[USERS];
	int i;

	for (i = 0; i < USERS; i++) {
		users[i] = user_of(once, BAY_OK);
		tasks[i] = start(&users[i]);
	}
	for (i = 0; i < moment; i++)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(tasks[victim], "at this moment");
	for (i = 0; i < USERS; i++) {
		end(tasks[i]);
		ck_assert_msg(users[i].status == BAY_OK || (i == victim && users[i].status == BAY_CANCELED),
			"victim %d moment %d: user %d got %d", victim, moment, i, users[i].status);
	}
	ck_assert(bay_once_done(once));
	bay_once_destroy(once);
}

TASK_TEST(whoever_is_cancelled_whenever_it_gets_done)
{
	int victim, moment;

	for (victim = 0; victim < USERS; victim++) {
		for (moment = 0; moment < MOMENTS; moment++)
			cancel_one(victim, moment);
	}
	return BAY_OK;
}

CHECK_MAIN("runtime/once",
	the_first_runs_it_and_the_others_wait,
	after_a_failure_the_next_tries,
	a_failure_without_others_leaves_it_to_be_done,
	a_waiter_cancelled_as_its_turn_comes_passes_it_on,
	its_own_function_may_not_ask_and_has_to_be_there,
	the_deadline_bounds_the_wait_and_the_function,
	destroying_ends_the_waits_and_not_the_function,
	one_whose_turn_comes_too_late_is_told_that_it_is_gone,
	whoever_is_cancelled_whenever_it_gets_done)
