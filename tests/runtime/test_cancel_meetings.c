/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks that wait for each other in locks, conditions, semaphores, ..., cancelled or come to
 * their deadline at each of their awaits in turn: nothing stays held, nothing gets lost, and
 * those who are left in peace get what they wait for.
 */
#include "config.h"

#include <bay/bay.h>

#include "support/cancel_everywhere.h"

enum { SHORT = 20 * 1000, PARTIES = 3, UNITS = 3 };

/* What the tasks of a run meet at. The check after the run destroys it, since tasks may end
 * after the root. */
static struct {
	struct bay_lock *lock;
	struct bay_condition *condition;
	struct bay_semaphore *semaphore;
	struct bay_barrier *barrier;
	struct bay_event *event;
	struct bay_promise *promise;
	struct bay_once *once;
	int inside;
	int goods;
	int made;
	int sold;
	int tries;
	int done;
	int through;
} met;

static int
spawn_and_join(bay_task_fn *fn, const size_t count)
{
	struct bay_task *tasks[PARTIES];
	size_t i;

	for (i = 0; i < count; i++)
		tasks[i] = bay_spawn("party", fn, (void *)(i + 1));
	for (i = 0; i < count; i++)
		TRY(bay_join(tasks[i], BAY_INHERIT));
	return BAY_OK;
}

/* --- locks ------------------------------------------------------------------------------- */

static int
take_and_sleep(void *arg)
{
	(void)arg;
	TRY(bay_lock_acquire(met.lock, BAY_INHERIT));
	ck_assert_int_eq(++met.inside, 1);
	(void)points_expect(bay_sleep(SHORT));
	(void)points_expect(bay_yield());
	--met.inside;
	ck_assert_int_eq(bay_lock_release(met.lock), BAY_OK);
	return BAY_OK;
}

static void
check_lock(void)
{
	run_tasks_check_nothing_left();
	ck_assert(!bay_lock_is_held(met.lock));
	ck_assert_int_eq(met.inside, 0);
	bay_lock_destroy(met.lock);
}

EVERYWHERE(no_lock_stays_held, 8, check_lock)
{
	met.lock = bay_lock_create("lock");
	return spawn_and_join(take_and_sleep, PARTIES);
}

/* --- conditions ------------------------------------------------------------------------------ */

static bool
has_goods(void *arg)
{
	(void)arg;
	return met.goods > 0;
}

/* Whatever the wait ends with, the lock is held after it. */
static int
buy(void *arg)
{
	int status;

	(void)arg;
	TRY(bay_lock_acquire(met.lock, BAY_INHERIT));
	status = points_expect(bay_condition_wait_for(met.condition, has_goods, NULL, BAY_INHERIT));
	ck_assert(bay_lock_is_mine(met.lock));
	ck_assert_int_eq(++met.inside, 1);
	if (status == BAY_OK) {
		(void)points_expect(bay_yield());
		met.goods--;
		met.sold++;
	}
	--met.inside;
	ck_assert_int_eq(bay_lock_release(met.lock), BAY_OK);
	return status;
}

static int
sell(void)
{
	TRY(bay_lock_acquire(met.lock, BAY_INHERIT));
	ck_assert_int_eq(++met.inside, 1);
	met.goods++;
	met.made++;
	ck_assert_int_eq(bay_condition_notify(met.condition, 1), BAY_OK);
	(void)points_expect(bay_sleep(SHORT));
	--met.inside;
	ck_assert_int_eq(bay_lock_release(met.lock), BAY_OK);
	return bay_yield();
}

static void
check_condition(void)
{
	check_lock();
	ck_assert_int_eq(met.goods + met.sold, met.made);
	bay_condition_destroy(met.condition);
}

EVERYWHERE(after_a_condition_the_lock_is_held_and_given_back, 8, check_condition)
{
	struct bay_task *tasks[2];

	met.lock = bay_lock_create("lock");
	met.condition = bay_condition_create("goods", met.lock);
	met.goods = met.sold = met.made = 0;
	tasks[0] = bay_spawn("buyer", buy, NULL);
	tasks[1] = bay_spawn("buyer", buy, NULL);
	TRY(bay_yield());
	TRY(sell());
	TRY(sell());
	TRY(bay_join(tasks[0], BAY_INHERIT));
	return bay_join(tasks[1], BAY_INHERIT);
}

/* --- semaphores ------------------------------------------------------------------------------ */

static int
use_units(void *arg)
{
	size_t count = (uintptr_t)arg;

	TRY(bay_semaphore_acquire(met.semaphore, count, BAY_INHERIT));
	met.inside += (int)count;
	ck_assert_int_le(met.inside, UNITS);
	(void)points_expect(bay_sleep(SHORT));
	met.inside -= (int)count;
	ck_assert_int_eq(bay_semaphore_release(met.semaphore, count), BAY_OK);
	return BAY_OK;
}

static void
check_semaphore(void)
{
	run_tasks_check_nothing_left();
	ck_assert_uint_eq(bay_semaphore_value(met.semaphore), UNITS);
	bay_semaphore_destroy(met.semaphore);
}

EVERYWHERE(no_unit_is_lost, 4, check_semaphore)
{
	met.semaphore = bay_semaphore_create_bounded("units", UNITS);
	return spawn_and_join(use_units, PARTIES);
}

/* --- barriers -------------------------------------------------------------------------------- */

static int
meet(void *arg)
{
	size_t index;
	int status = bay_barrier_wait(met.barrier, &index, BAY_INHERIT);

	(void)arg;
	met.through += status == BAY_OK;
	/* One of the others did not come. */
	return status == BAY_FAILED ? BAY_OK : points_expect(status);
}

static void
check_barrier(void)
{
	run_tasks_check_nothing_left();
	ck_assert(met.through == 0 || met.through == PARTIES);
	ck_assert_uint_eq(bay_barrier_waiting(met.barrier), 0);
	bay_barrier_destroy(met.barrier);
}

EVERYWHERE(all_pass_a_barrier_or_none, 3, check_barrier)
{
	met.barrier = bay_barrier_create("gate", PARTIES);
	met.through = 0;
	return spawn_and_join(meet, PARTIES);
}

/* --- events and promises ----------------------------------------------------------------------- */

static int
await_both(void *arg)
{
	void *value = NULL;

	(void)arg;
	TRY(bay_event_wait(met.event, BAY_INHERIT));
	TRY(bay_promise_wait(met.promise, &value, BAY_INHERIT));
	ck_assert_ptr_eq(value, &met);
	return BAY_OK;
}

static void
check_both(void)
{
	run_tasks_check_nothing_left();
	bay_event_destroy(met.event);
	bay_promise_destroy(met.promise);
}

EVERYWHERE(events_and_promises_reach_those_who_wait, 4, check_both)
{
	struct bay_task *tasks[2];
	int i;

	met.event = bay_event_create("start");
	met.promise = bay_promise_create("value");
	for (i = 0; i < 2; i++)
		tasks[i] = bay_spawn("waits", await_both, NULL);
	TRY(bay_yield());
	bay_event_set(met.event);
	bay_event_clear(met.event);
	TRY(bay_sleep(SHORT));
	ck_assert_int_eq(bay_promise_set(met.promise, &met), BAY_OK);
	for (i = 0; i < 2; i++)
		TRY(bay_join(tasks[i], BAY_INHERIT));
	return BAY_OK;
}

/* --- once -------------------------------------------------------------------------------------- */

static int
do_it(void *arg)
{
	(void)arg;
	met.tries++;
	TRY(bay_sleep(SHORT));
	met.done++;
	return BAY_OK;
}

static int
need_it(void *arg)
{
	(void)arg;
	TRY(bay_once_run(met.once, do_it, NULL, BAY_INHERIT));
	ck_assert_int_eq(met.done, 1);
	return BAY_OK;
}

static void
check_once(void)
{
	run_tasks_check_nothing_left();
	ck_assert_int_eq(bay_once_done(met.once), met.done);
	ck_assert_int_le(met.done, 1);
	bay_once_destroy(met.once);
}

EVERYWHERE(it_is_done_at_most_once, 4, check_once)
{
	met.once = bay_once_create("table");
	met.tries = met.done = 0;
	return spawn_and_join(need_it, PARTIES);
}

CHECK_MAIN("runtime/cancel_meetings",
	no_lock_stays_held,
	after_a_condition_the_lock_is_held_and_given_back,
	no_unit_is_lost,
	all_pass_a_barrier_or_none,
	events_and_promises_reach_those_who_wait,
	it_is_done_at_most_once)
