/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/semaphore.h>

#include <stdlib.h>

#include <bay/task.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

/* One who takes some units, keeps them for some turns and gives them back. */
struct user {
	struct bay_semaphore *semaphore;
	size_t count;
	int64_t deadline;
	int turns;
	int *clock;
	int place;
	int status;
};

static int
use(void *arg)
{
	struct user *user = arg;
	int turn;

	user->status = bay_semaphore_acquire(user->semaphore, user->count, user->deadline);
	if (user->status != BAY_OK)
		return BAY_OK;
	user->place = ++*user->clock;
	for (turn = 0; turn < user->turns; turn++)
		(void)bay_yield();
	ck_assert_int_eq(bay_semaphore_release(user->semaphore, user->count), BAY_OK);
	return BAY_OK;
}

static struct bay_task *
start(struct user *user)
{
	struct bay_task *task = bay_spawn("user", use, user);

	ck_assert_ptr_nonnull(task);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static void
turns(int count)
{
	while (count-- > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
}

static int clock;

static struct user
user_of(struct bay_semaphore *semaphore, size_t count)
{
	return (struct user){semaphore, count, BAY_INHERIT, 0, &clock, 0, -1};
}

TASK_TEST(units_are_taken_and_given_back)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("plain", 3);

	ck_assert_uint_eq(bay_semaphore_value(semaphore), 3);
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 2, bay_after(-BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(bay_semaphore_try_acquire(semaphore, 2), BAY_BUSY);
	ck_assert_int_eq(bay_semaphore_try_acquire(semaphore, 1), BAY_OK);
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 0);
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 1, bay_after(BAY_MS)), BAY_TIMEOUT);
	/* More than there were at first. */
	ck_assert_int_eq(bay_semaphore_release(semaphore, 5), BAY_OK);
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 5, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 0, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_semaphore_try_acquire(semaphore, 0), BAY_INVALID);
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 0);
	bay_semaphore_destroy(semaphore);
	bay_semaphore_destroy(NULL);
	return BAY_OK;
}

TASK_TEST(a_bounded_one_takes_no_more_than_it_gave)
{
	struct bay_semaphore *semaphore = bay_semaphore_create_bounded("strict", 3);

	log_lines_keep();
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("1 units are too many for semaphore strict, which has 3 of at most 3"), 1);
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 2, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 3), BAY_INVALID);
	ck_assert_int_eq(bay_semaphore_release(semaphore, SIZE_MAX), BAY_INVALID);
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 1);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 2), BAY_OK);
	/* It would wait for ever. */
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 4, BAY_INHERIT), BAY_TOO_BIG);
	ck_assert_int_eq(bay_semaphore_try_acquire(semaphore, 4), BAY_TOO_BIG);
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

TASK_TEST(the_count_does_not_overflow)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("full", SIZE_MAX - 1);

	ck_assert_int_eq(bay_semaphore_release(semaphore, 2), BAY_INVALID);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_OK);
	ck_assert_uint_eq(bay_semaphore_value(semaphore), SIZE_MAX);
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

/* The one who wants many is not overtaken by those who want few. */
TASK_TEST(those_who_wait_are_served_in_the_order_of_their_coming)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("fifo", 1);
	static const size_t counts[] = {3, 1, 2, 1, 1};
	struct user users[5];
	struct bay_task *tasks[5];
	int i;

	for (i = 0; i < 5; i++) {
		users[i] = user_of(semaphore, counts[i]);
		tasks[i] = start(&users[i]);
	}
	turns(2);
	ck_assert_int_eq(clock, 0);
	ck_assert_int_eq(bay_semaphore_try_acquire(semaphore, 1), BAY_BUSY);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_OK);
	turns(2);
	ck_assert_int_eq(clock, 0);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_OK);
	for (i = 0; i < 5; i++) {
		end(tasks[i]);
		ck_assert_int_eq(users[i].place, i + 1);
	}
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 3);
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

TASK_TEST(one_release_serves_as_many_as_it_can)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("many", 0);
	struct user users[4];
	struct bay_task *tasks[4];
	int i;

	for (i = 0; i < 4; i++) {
		users[i] = user_of(semaphore, 2);
		users[i].turns = 1000;
		tasks[i] = start(&users[i]);
	}
	turns(1);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 7), BAY_OK);
	turns(2);
	ck_assert_int_eq(clock, 3);
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 1);
	for (i = 0; i < 4; i++) {
		bay_task_cancel(tasks[i], "enough");
		end(tasks[i]);
	}
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

/* Who wanted too many stood before somebody for whom there are enough. */
TASK_TEST(who_leaves_the_queue_makes_way_for_those_behind)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("way", 1);
	struct user big = user_of(semaphore, 2), late = user_of(semaphore, 2), small = user_of(semaphore, 1);
	struct bay_task *tasks[3];

	late.deadline = bay_after(2 * BAY_MS);
	tasks[0] = start(&big);
	tasks[1] = start(&late);
	tasks[2] = start(&small);
	turns(1);
	bay_task_cancel(tasks[0], "enough");
	end(tasks[0]);
	ck_assert_int_eq(small.status, -1);
	end(tasks[1]);
	end(tasks[2]);
	ck_assert_int_eq(big.status, BAY_CANCELED);
	ck_assert_int_eq(late.status, BAY_TIMEOUT);
	ck_assert_int_eq(small.status, BAY_OK);
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 1);
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

TASK_TEST(a_waiter_cancelled_after_it_was_served_has_its_units)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("both", 0);
	struct user first = user_of(semaphore, 1), second = first;
	struct bay_task *one = start(&first), *two = start(&second);

	turns(1);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_OK);
	bay_task_cancel(one, "enough");
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_OK);
	ck_assert_int_eq(second.status, BAY_OK);
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("gone", 0);
	struct user first = user_of(semaphore, 1), second = first;
	struct bay_task *one = start(&first), *two = start(&second);

	turns(1);
	/* The first has its units, which are gone before it runs. */
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_OK);
	bay_semaphore_destroy(semaphore);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_CLOSED);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	return BAY_OK;
}

/* --- many, with cancellations at random ----------------------------------------------------- */

enum { USERS = 8, ROUNDS = 400 };

static void
use_at_random(unsigned seed)
{
	struct bay_semaphore *semaphore = bay_semaphore_create_bounded("random", 4);
	struct bay_task *tasks[USERS] = {NULL};
	struct user users[USERS];
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		i = rand_r(&seed) % USERS;
		if (tasks[i] != NULL && (bay_task_done(tasks[i]) || rand_r(&seed) % 2 == 0)) {
			bay_task_cancel(tasks[i], "at random");
			end(tasks[i]);
			tasks[i] = NULL;
		} else if (tasks[i] == NULL) {
			users[i] = user_of(semaphore, 1 + (size_t)rand_r(&seed) % 4);
			users[i].turns = rand_r(&seed) % 5;
			tasks[i] = start(&users[i]);
		}
		turns(rand_r(&seed) % 3);
	}
	for (i = 0; i < USERS; i++) {
		if (tasks[i] != NULL)
			end(tasks[i]);
	}
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 4);
	bay_semaphore_destroy(semaphore);
}

TASK_TEST(no_unit_is_lost_or_doubled_whoever_is_cancelled)
{
	unsigned seed;

	for (seed = 1; seed <= 20; seed++)
		use_at_random(seed);
	return BAY_OK;
}

CHECK_MAIN("runtime/semaphore",
	units_are_taken_and_given_back,
	a_bounded_one_takes_no_more_than_it_gave,
	the_count_does_not_overflow,
	those_who_wait_are_served_in_the_order_of_their_coming,
	one_release_serves_as_many_as_it_can,
	who_leaves_the_queue_makes_way_for_those_behind,
	a_waiter_cancelled_after_it_was_served_has_its_units,
	destroying_ends_the_waits,
	no_unit_is_lost_or_doubled_whoever_is_cancelled)
