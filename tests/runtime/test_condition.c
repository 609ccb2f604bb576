/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/condition.h"

#include <bay/task.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

/* One who takes the lock and waits once. */
struct guest {
	struct bay_lock *lock;
	struct bay_condition *condition;
	int64_t deadline;
	int64_t patience_ns;
	int *clock;
	int place;
	int status;
	bool held;      /* whether it had the lock after the wait */
};

static int
wait_once(void *arg)
{
	struct guest *guest = arg;

	if (bay_lock_acquire(guest->lock, BAY_INHERIT) != BAY_OK)
		return BAY_OK;
	guest->status = condition_wait(guest->condition, guest->deadline, guest->patience_ns);
	guest->place = ++*guest->clock;
	guest->held = bay_lock_is_mine(guest->lock);
	if (guest->held)
		ck_assert_int_eq(bay_lock_release(guest->lock), BAY_OK);
	return BAY_OK;
}

static struct bay_task *
start(struct guest *guest)
{
	struct bay_task *task = bay_spawn("guest", wait_once, guest);

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

static struct guest
guest_of(struct bay_lock *lock, struct bay_condition *condition)
{
	return (struct guest){lock, condition, BAY_INHERIT, 100 * BAY_SECOND, &clock, 0, -1, false};
}

static void
take(struct bay_lock *lock)
{
	ck_assert_int_eq(bay_lock_acquire(lock, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static void
give(struct bay_lock *lock)
{
	ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
}

TASK_TEST(notifying_wakes_as_many_as_asked_in_their_order)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest guests[6];
	struct bay_task *tasks[6];
	int i;

	for (i = 0; i < 6; i++) {
		guests[i] = guest_of(lock, condition);
		tasks[i] = start(&guests[i]);
	}
	turns(1);
	/* They wait without the lock. */
	take(lock);
	ck_assert_int_eq(bay_condition_notify(condition, 2), BAY_OK);
	turns(2);
	ck_assert_int_eq(clock, 0);
	give(lock);
	turns(5);
	ck_assert_int_eq(clock, 2);
	take(lock);
	ck_assert_int_eq(bay_condition_notify_all(condition), BAY_OK);
	ck_assert_int_eq(bay_condition_notify_all(condition), BAY_OK);
	give(lock);
	for (i = 0; i < 6; i++) {
		end(tasks[i]);
		ck_assert_int_eq(guests[i].status, BAY_OK);
		ck_assert(guests[i].held);
		ck_assert_int_eq(guests[i].place, i + 1);
	}
	bay_condition_destroy(condition);
	bay_condition_destroy(NULL);
	bay_lock_destroy(lock);
	return BAY_OK;
}

TASK_TEST(without_the_lock_nothing_is_allowed)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);

	log_lines_keep();
	ck_assert_int_eq(bay_condition_wait(condition, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_condition_wait: task test does not own lock lock"), 1);
	ck_assert_int_eq(bay_condition_wait_for(condition, NULL, NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_INVALID);
	ck_assert_int_eq(bay_condition_notify_all(condition), BAY_INVALID);
	ck_assert_ptr_null(bay_condition_create("news", NULL));
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* A notification that came first is used up by the task it woke, cancelled or not. */
TASK_TEST(a_waiter_cancelled_after_the_notification_has_it_and_the_lock)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest first = guest_of(lock, condition), second = first;
	struct bay_task *one = start(&first), *two = start(&second);

	turns(1);
	take(lock);
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_OK);
	bay_task_cancel(one, "enough");
	turns(3);
	ck_assert(!bay_task_done(one));
	give(lock);
	end(one);
	ck_assert_int_eq(first.status, BAY_OK);
	ck_assert(first.held);
	ck_assert(!bay_task_done(two));
	bay_task_cancel(two, "enough");
	end(two);
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

TASK_TEST(a_waiter_cancelled_before_leaves_the_notification_to_the_next)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest first = guest_of(lock, condition), second = first;
	struct bay_task *one = start(&first), *two = start(&second);

	turns(1);
	take(lock);
	bay_task_cancel(one, "enough");
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_OK);
	give(lock);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_CANCELED);
	ck_assert(first.held);
	ck_assert_int_eq(second.status, BAY_OK);
	ck_assert(second.held);
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* The lock is taken again after a deadline, however long that takes. */
TASK_TEST(after_a_deadline_the_lock_is_held_too)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest guest = guest_of(lock, condition);
	struct bay_task *task;

	guest.deadline = bay_after(2 * BAY_MS);
	task = start(&guest);
	turns(1);
	take(lock);
	ck_assert_int_eq(bay_sleep_until(guest.deadline + BAY_MS), BAY_OK);
	ck_assert(!bay_task_done(task));
	/* It waits for the lock now, and a notification does not concern it any more. */
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_OK);
	give(lock);
	end(task);
	ck_assert_int_eq(guest.status, BAY_TIMEOUT);
	ck_assert(guest.held);
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

static int
hold_for_turns(void *arg)
{
	take(arg);
	++clock;
	turns(2);
	give(arg);
	return BAY_OK;
}

/* Who is to end goes before those who wait in the queue of the lock. */
TASK_TEST(a_cancelled_waiter_gets_the_lock_before_others)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest guest = guest_of(lock, condition);
	struct bay_task *task = start(&guest), *other;

	turns(1);
	take(lock);
	other = bay_spawn("other", hold_for_turns, lock);
	turns(1);
	bay_task_cancel(task, "enough");
	turns(2);
	give(lock);
	end(task);
	ck_assert_int_eq(guest.status, BAY_CANCELED);
	ck_assert(guest.held);
	ck_assert_int_eq(guest.place, 1);
	end(other);
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* --- a lock that does not come ------------------------------------------------------------- */

/* Waits for its child while it owns the lock that the child wants. */
TASK_TEST(patience_ends_a_wait_for_who_waits_for_us)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest guest = guest_of(lock, condition);
	struct bay_task *task;

	log_lines_keep();
	guest.patience_ns = 2 * BAY_MS;
	task = start(&guest);
	turns(1);
	take(lock);
	bay_task_cancel(task, "enough");
	end(task);
	ck_assert_int_eq(guest.status, BAY_BUSY);
	ck_assert(!guest.held);
	ck_assert_int_eq(log_lines_with("guest goes on without lock lock, which task"), 1);
	ck_assert(bay_lock_is_mine(lock));
	give(lock);
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* The news goes on to somebody who can act on it. */
TASK_TEST(who_goes_on_without_the_lock_passes_the_notification_on)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest first = guest_of(lock, condition), second = first;
	struct bay_task *one, *two;

	first.patience_ns = 2 * BAY_MS;
	one = start(&first);
	two = start(&second);
	turns(1);
	take(lock);
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_OK);
	bay_task_cancel(one, "enough");
	end(one);
	ck_assert_int_eq(first.status, BAY_BUSY);
	give(lock);
	end(two);
	ck_assert_int_eq(second.status, BAY_OK);
	bay_condition_destroy(condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* --- destroying ------------------------------------------------------------------------------ */

TASK_TEST(destroying_the_condition_ends_the_waits_with_the_lock)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest guest = guest_of(lock, condition);
	struct bay_task *task = start(&guest);

	turns(1);
	bay_condition_destroy(condition);
	end(task);
	ck_assert_int_eq(guest.status, BAY_CLOSED);
	ck_assert(guest.held);
	bay_lock_destroy(lock);
	return BAY_OK;
}

static int
wait_without_a_look_back(void *arg)
{
	struct guest *guest = arg;

	take(guest->lock);
	guest->status = bay_condition_wait(guest->condition, BAY_INHERIT);
	return BAY_OK;
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static int
wait_for_never(void *arg)
{
	struct guest *guest = arg;

	take(guest->lock);
	guest->status = bay_condition_wait_for(guest->condition, never, NULL, BAY_INHERIT);
	if (bay_lock_is_mine(guest->lock))
		give(guest->lock);
	return BAY_OK;
}

/* Both at once, as in the end of a plugin: who waited looks at neither. */
TASK_TEST(destroying_both_ends_the_waits_without_the_lock)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest first = guest_of(lock, condition), second = first;
	struct bay_task *one = bay_spawn("one", wait_without_a_look_back, &first);
	struct bay_task *two = bay_spawn("two", wait_without_a_look_back, &second);

	turns(1);
	take(lock);
	/* The first waits for the lock already, the second still for news. */
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_OK);
	turns(1);
	bay_lock_destroy(lock);
	bay_condition_destroy(condition);
	end(one);
	end(two);
	ck_assert_int_eq(first.status, BAY_CLOSED);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	return BAY_OK;
}

TASK_TEST(a_condition_destroyed_after_the_notification_is_not_waited_for_again)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct bay_condition *condition = bay_condition_create("news", lock);
	struct guest guest = guest_of(lock, condition);
	struct bay_task *task = bay_spawn("guest", wait_for_never, &guest);

	turns(1);
	take(lock);
	ck_assert_int_eq(bay_condition_notify(condition, 1), BAY_OK);
	bay_condition_destroy(condition);
	give(lock);
	end(task);
	ck_assert_int_eq(guest.status, BAY_CLOSED);
	ck_assert(!bay_lock_is_held(lock));
	bay_lock_destroy(lock);
	return BAY_OK;
}

/* --- waiting for something ------------------------------------------------------------------- */

struct store {
	struct bay_lock *lock;
	struct bay_condition *condition;
	int goods;
	int sold;
};

static bool
store_has_goods(void *arg)
{
	return ((struct store *)arg)->goods > 0;
}

static int
buy(void *arg)
{
	struct store *store = arg;
	int status = bay_lock_acquire(store->lock, BAY_INHERIT);

	if (status != BAY_OK)
		return BAY_OK;
	status = bay_condition_wait_for(store->condition, store_has_goods, store, BAY_INHERIT);
	if (status == BAY_OK) {
		ck_assert_int_gt(store->goods, 0);
		(void)bay_yield();
		store->goods--;
		store->sold++;
	}
	ck_assert(bay_lock_is_mine(store->lock));
	give(store->lock);
	return BAY_OK;
}

static void
sell(struct store *store)
{
	take(store->lock);
	store->goods++;
	ck_assert_int_eq(bay_condition_notify(store->condition, 1), BAY_OK);
	give(store->lock);
}

enum { BUYERS = 4, MOMENTS = 40 };

/* Three goods for four buyers, one of whom is cancelled at one of all moments: unless that one
 * has bought, the other three do, and nobody waits beside goods that are there. */
static void
cancel_one(int victim, int moment)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct store store = {lock, bay_condition_create("goods", lock), 0, 0};
	struct bay_task *tasks[BUYERS];
	int i;

	for (i = 0; i < BUYERS; i++)
		tasks[i] = bay_spawn("buyer", buy, &store);
	for (i = 0; i < MOMENTS; i++) {
		if (i == moment)
			bay_task_cancel(tasks[victim], "at this moment");
		if (i % 5 == 2 && i < 15)
			sell(&store);
		turns(1);
	}
	ck_assert_msg(store.sold == 3 && store.goods == 0, "victim %d moment %d: %d sold", victim, moment, store.sold);
	ck_assert(!bay_lock_is_held(lock));
	for (i = 0; i < BUYERS; i++) {
		bay_task_cancel(tasks[i], "closing time");
		end(tasks[i]);
	}
	ck_assert(!bay_lock_is_held(lock));
	bay_condition_destroy(store.condition);
	bay_lock_destroy(lock);
}

TASK_TEST(whoever_is_cancelled_whenever_no_notification_is_lost)
{
	int victim, moment;

	for (victim = 0; victim < BUYERS; victim++) {
		for (moment = 0; moment < MOMENTS; moment++)
			cancel_one(victim, moment);
	}
	return BAY_OK;
}

TASK_TEST(what_is_true_already_is_not_waited_for)
{
	struct bay_lock *lock = bay_lock_create("lock");
	struct store store = {lock, bay_condition_create("goods", lock), 1, 0};

	take(lock);
	ck_assert_int_eq(bay_condition_wait_for(store.condition, store_has_goods, &store, bay_after(-BAY_SECOND)), BAY_OK);
	store.goods = 0;
	ck_assert_int_eq(bay_condition_wait_for(store.condition, store_has_goods, &store, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert(bay_lock_is_mine(lock));
	give(lock);
	bay_condition_destroy(store.condition);
	bay_lock_destroy(lock);
	return BAY_OK;
}

CHECK_MAIN("runtime/condition",
	notifying_wakes_as_many_as_asked_in_their_order,
	without_the_lock_nothing_is_allowed,
	a_waiter_cancelled_after_the_notification_has_it_and_the_lock,
	a_waiter_cancelled_before_leaves_the_notification_to_the_next,
	after_a_deadline_the_lock_is_held_too,
	a_cancelled_waiter_gets_the_lock_before_others,
	patience_ends_a_wait_for_who_waits_for_us,
	who_goes_on_without_the_lock_passes_the_notification_on,
	destroying_the_condition_ends_the_waits_with_the_lock,
	destroying_both_ends_the_waits_without_the_lock,
	a_condition_destroyed_after_the_notification_is_not_waited_for_again,
	whoever_is_cancelled_whenever_no_notification_is_lost,
	what_is_true_already_is_not_waited_for)
