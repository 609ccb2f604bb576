/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/lock.h"

#include <bay/task.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

/* One who takes the lock once, and holds it for some turns. */
struct worker {
	struct bay_lock *lock;
	int64_t deadline;
	int turns;
	int *inside;    /* how many hold it */
	int *clock;
	int place;      /* in the order of those who got it */
	int status;
};

static int
work(void *arg)
{
	struct worker *worker = arg;
	int turn;

	worker->status = bay_lock_acquire(worker->lock, worker->deadline);
	if (worker->status != BAY_OK)
		return BAY_OK;
	worker->place = ++*worker->clock;
	ck_assert(bay_lock_is_mine(worker->lock));
	ck_assert_int_eq(++*worker->inside, 1);
	for (turn = 0; turn < worker->turns; turn++)
		(void)bay_yield();
	--*worker->inside;
	ck_assert_int_eq(bay_lock_release(worker->lock), BAY_OK);
	return BAY_OK;
}

static struct bay_task *
start(struct worker *worker)
{
	struct bay_task *task = bay_spawn("worker", work, worker);

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

TASK_TEST(a_free_lock_is_taken_at_once)
{
	struct bay_lock *lock = bay_lock_create("plain");

	ck_assert(!bay_lock_is_held(lock));
	ck_assert(!bay_lock_is_mine(lock));
	/* Even past the deadline: nobody has to wait. */
	ck_assert_int_eq(bay_lock_acquire(lock, bay_after(-BAY_SECOND)), BAY_OK);
	ck_assert(bay_lock_is_held(lock));
	ck_assert(bay_lock_is_mine(lock));
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	ck_assert(!bay_lock_is_held(lock));
	ck_assert_int_eq(bay_lock_try_acquire(lock), BAY_OK);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	bay_lock_destroy(lock);
	bay_lock_destroy(NULL);
	return BAY_OK;
}

TASK_TEST(those_who_wait_get_it_in_the_order_of_their_coming)
{
	struct bay_lock *lock = bay_lock_create("fifo");
	struct bay_task *tasks[10];
	struct worker workers[10];
	int i, inside = 0, clock = 0;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	for (i = 0; i < 10; i++) {
		workers[i] = (struct worker){lock, BAY_INHERIT, i % 3, &inside, &clock, 0, -1};
		tasks[i] = start(&workers[i]);
	}
	turns(2);
	ck_assert_int_eq(clock, 0);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	for (i = 0; i < 10; i++) {
		end(tasks[i]);
		ck_assert_int_eq(workers[i].place, i + 1);
	}
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* The lock is the waiter's from the release on, though it has not run yet. */
TASK_TEST(nobody_overtakes_a_task_that_was_handed_the_lock)
{
	struct bay_lock *lock = bay_lock_create("fair");
	int inside = 0, clock = 0;
	struct worker worker = {lock, BAY_INHERIT, 0, &inside, &clock, 0, -1};
	struct bay_task *task;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	task = start(&worker);
	turns(1);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	ck_assert(bay_lock_is_held(lock));
	ck_assert(!bay_lock_is_mine(lock));
	ck_assert_int_eq(bay_lock_try_acquire(lock), BAY_BUSY);
	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(clock, 1);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	end(task);
	bay_lock_destroy(lock);
	return BAY_OK;
}

TASK_TEST(a_waiter_cancelled_in_the_queue_leaves_it_to_the_next)
{
	struct bay_lock *lock = bay_lock_create("queue");
	int inside = 0, clock = 0;
	struct worker first = {lock, BAY_INHERIT, 0, &inside, &clock, 0, -1}, second = first;
	struct bay_task *one, *two;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	one = start(&first);
	two = start(&second);
	turns(1);
	bay_task_cancel(one, "enough");
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_CANCELED);
	ck_assert_int_eq(second.status, BAY_OK);
	ck_assert(!bay_lock_is_held(lock));
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* Handed over first, cancelled before it ran: it has the lock, so it gives it back. */
TASK_TEST(a_waiter_cancelled_after_the_hand_over_has_the_lock)
{
	struct bay_lock *lock = bay_lock_create("both");
	int inside = 0, clock = 0;
	struct worker first = {lock, BAY_INHERIT, 0, &inside, &clock, 0, -1}, second = first;
	struct bay_task *one, *two;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	one = start(&first);
	two = start(&second);
	turns(1);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	bay_task_cancel(one, "enough");
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_OK);
	ck_assert_int_eq(second.status, BAY_OK);
	ck_assert(!bay_lock_is_held(lock));
	bay_lock_destroy(lock);
	return BAY_OK;
}

TASK_TEST(a_deadline_ends_the_wait_and_holds_up_nobody)
{
	struct bay_lock *lock = bay_lock_create("slow");
	int64_t deadline = bay_after(2 * BAY_MS);
	int inside = 0, clock = 0;
	struct worker first = {lock, deadline, 0, &inside, &clock, 0, -1};
	struct worker second = {lock, BAY_INHERIT, 0, &inside, &clock, 0, -1};
	struct bay_task *one, *two;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	one = start(&first);
	two = start(&second);
	end(one);
	ck_assert_int_eq(first.status, BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	end(two);
	ck_assert_int_eq(second.status, BAY_OK);
	bay_lock_destroy(lock);
	return BAY_OK;
}

static int
acquire_canceled(void *arg)
{
	struct bay_lock *lock = arg;

	ck_assert_int_eq(bay_sleep(100 * BAY_SECOND), BAY_CANCELED);
	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_CANCELED);
	ck_assert(!bay_lock_is_held(lock));
	/* To clean up, it may still try. */
	ck_assert_int_eq(bay_lock_try_acquire(lock), BAY_OK);
	return bay_lock_release(lock);
}

TASK_TEST(a_cancelled_task_gets_no_lock_but_may_try)
{
	struct bay_lock *lock = bay_lock_create("late");
	struct bay_task *task = bay_spawn("late", acquire_canceled, lock);

	turns(1);
	bay_task_cancel(task, "enough");
	end(task);
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* --- mistakes ------------------------------------------------------------------------------ */

TASK_TEST(taking_it_twice_is_refused_instead_of_a_deadlock)
{
	struct bay_lock *lock = bay_lock_create("twice");

	log_lines_keep();
	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_lock_acquire: task test owns lock twice already"), 1);
	ck_assert_int_eq(bay_lock_try_acquire(lock), BAY_INVALID);
	ck_assert(bay_lock_is_mine(lock));
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	ck_assert(!bay_lock_is_held(lock));
	bay_lock_destroy(lock);
	return BAY_OK;
}

TASK_TEST(only_the_owner_releases)
{
	struct bay_lock *lock = bay_lock_create("mine");
	int inside = 0, clock = 0;
	struct worker worker = {lock, BAY_INHERIT, 3, &inside, &clock, 0, -1};
	struct bay_task *task;

	log_lines_keep();
	ck_assert_int_eq(bay_lock_release(lock), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_lock_release: task test does not own lock mine: nobody does"), 1);
	task = start(&worker);
	turns(1);
	ck_assert_int_eq(bay_lock_release(lock), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("does not own lock mine: its owner is task worker"), 1);
	ck_assert(bay_lock_is_held(lock));
	end(task);
	bay_lock_destroy(lock);
	return BAY_OK;
}

static int
forget_both(void *arg)
{
	struct bay_lock **locks = arg;

	ck_assert_int_eq(bay_lock_acquire(locks[0], BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_lock_acquire(locks[1], BAY_INHERIT), BAY_OK);
	turns(2);
	return BAY_OK;
}

TASK_TEST(what_a_task_forgets_to_release_goes_to_the_next_and_into_the_log)
{
	struct bay_lock *locks[2] = {bay_lock_create("left"), bay_lock_create("right")};
	struct bay_task *task = bay_spawn("careless", forget_both, locks);

	log_lines_keep();
	turns(1);
	ck_assert_int_eq(bay_lock_acquire(locks[0], bay_after(60 * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(log_lines_with("careless ended without releasing lock left"), 1);
	ck_assert_int_eq(log_lines_with("careless ended without releasing lock right"), 1);
	ck_assert(!bay_lock_is_held(locks[1]));
	ck_assert_int_eq(bay_lock_release(locks[0]), BAY_OK);
	end(task);
	bay_lock_destroy(locks[0]);
	bay_lock_destroy(locks[1]);
	return BAY_OK;
}

static int
take_and_go(void *arg)
{
	struct bay_lock *lock = arg;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	return bay_lock_release(lock);
}

static int
leave_child_behind(void *arg)
{
	ck_assert_int_eq(bay_lock_acquire(arg, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_go("child", take_and_go, arg), BAY_OK);
	turns(1);
	return BAY_OK;
}

/* A task ends when its children have; one of them waits for its lock. */
TASK_TEST(what_a_task_forgets_is_given_to_its_own_children_too)
{
	struct bay_lock *lock = bay_lock_create("family");

	end(bay_spawn("parent", leave_child_behind, lock));
	ck_assert(!bay_lock_is_held(lock));
	bay_lock_destroy(lock);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits)
{
	struct bay_lock *lock = bay_lock_create("gone");
	int inside = 0, clock = 0;
	struct worker first = {lock, BAY_INHERIT, 0, &inside, &clock, 0, -1}, second = first;
	struct bay_task *one, *two;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	one = start(&first);
	two = start(&second);
	turns(1);
	bay_lock_destroy(lock);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_CLOSED);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	return BAY_OK;
}

/* The hand-over is worth nothing when the lock is gone before the task runs. */
TASK_TEST(a_lock_destroyed_after_the_hand_over_is_closed)
{
	struct bay_lock *lock = bay_lock_create("gone");
	int inside = 0, clock = 0;
	struct worker worker = {lock, BAY_INHERIT, 0, &inside, &clock, 0, -1};
	struct bay_task *task;

	ck_assert_int_eq(bay_lock_acquire(lock, BAY_INHERIT), BAY_OK);
	task = start(&worker);
	turns(1);
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	bay_lock_destroy(lock);
	end(task);
	ck_assert_int_eq(worker.status, BAY_CLOSED);
	return BAY_OK;
}

/* --- everywhere ------------------------------------------------------------------------------ */

enum { WORKERS = 4, MOMENTS = 30 };

/* One of several is cancelled at one of all moments: the others get the lock, in their order. */
static void
cancel_one(int victim, int moment)
{
	struct bay_lock *lock = bay_lock_create("each");
	struct worker workers[WORKERS];
	struct bay_task *tasks[WORKERS];
	int i, last = 0, inside = 0, clock = 0;

	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){lock, BAY_INHERIT, 3, &inside, &clock, 0, -1};
		tasks[i] = start(&workers[i]);
	}
	turns(moment);
	bay_task_cancel(tasks[victim], "at this moment");
	for (i = 0; i < WORKERS; i++) {
		end(tasks[i]);
		ck_assert_msg(workers[i].status == BAY_OK || (i == victim && workers[i].status == BAY_CANCELED),
			"victim %d moment %d: worker %d got %d", victim, moment, i, workers[i].status);
		if (workers[i].status == BAY_OK)
			ck_assert_int_eq(workers[i].place, ++last);
	}
	ck_assert(!bay_lock_is_held(lock));
	ck_assert_int_eq(inside, 0);
	bay_lock_destroy(lock);
}

TASK_TEST(whoever_is_cancelled_whenever_the_others_get_the_lock)
{
	int victim, moment;

	for (victim = 0; victim < WORKERS; victim++) {
		for (moment = 0; moment < MOMENTS; moment++)
			cancel_one(victim, moment);
	}
	return BAY_OK;
}

CHECK_MAIN("runtime/lock",
	a_free_lock_is_taken_at_once,
	those_who_wait_get_it_in_the_order_of_their_coming,
	nobody_overtakes_a_task_that_was_handed_the_lock,
	a_waiter_cancelled_in_the_queue_leaves_it_to_the_next,
	a_waiter_cancelled_after_the_hand_over_has_the_lock,
	a_deadline_ends_the_wait_and_holds_up_nobody,
	a_cancelled_task_gets_no_lock_but_may_try,
	taking_it_twice_is_refused_instead_of_a_deadlock,
	only_the_owner_releases,
	what_a_task_forgets_to_release_goes_to_the_next_and_into_the_log,
	what_a_task_forgets_is_given_to_its_own_children_too,
	destroying_ends_the_waits,
	a_lock_destroyed_after_the_hand_over_is_closed,
	whoever_is_cancelled_whenever_the_others_get_the_lock)
