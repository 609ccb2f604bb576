/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/barrier.h>

#include <bay/task.h>

#include "support/run_tasks.h"

enum { PARTIES = 3, NONE = 99 };

struct party {
	struct bay_barrier *barrier;
	int64_t deadline;
	size_t index;
	int status;
};

static int
meet(void *arg)
{
	struct party *party = arg;

	party->status = bay_barrier_wait(party->barrier, &party->index, party->deadline);
	return BAY_OK;
}

static struct bay_task *
start(struct party *party, struct bay_barrier *barrier)
{
	struct bay_task *task;

	*party = (struct party){barrier, BAY_INHERIT, NONE, -1};
	task = bay_spawn("party", meet, party);
	ck_assert_ptr_nonnull(task);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static void
turn(void)
{
	ck_assert_int_eq(bay_yield(), BAY_OK);
}

TASK_TEST(the_last_lets_all_go_on_round_after_round)
{
	struct bay_barrier *barrier = bay_barrier_create("start", PARTIES);
	struct party parties[PARTIES];
	struct bay_task *tasks[PARTIES];
	size_t i, index;
	int round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < PARTIES - 1; i++)
			tasks[i] = start(&parties[i], barrier);
		turn();
		ck_assert_uint_eq(bay_barrier_waiting(barrier), PARTIES - 1);
		ck_assert_int_eq(parties[0].status, -1);
		/* The last does not wait, so no deadline is too early for it. */
		ck_assert_int_eq(bay_barrier_wait(barrier, &index, bay_after(-BAY_SECOND)), BAY_OK);
		ck_assert_uint_eq(index, PARTIES - 1);
		ck_assert_uint_eq(bay_barrier_waiting(barrier), 0);
		for (i = 0; i < PARTIES - 1; i++) {
			end(tasks[i]);
			ck_assert_int_eq(parties[i].status, BAY_OK);
			ck_assert_uint_eq(parties[i].index, i);
		}
	}
	ck_assert(!bay_barrier_is_broken(barrier));
	bay_barrier_destroy(barrier);
	bay_barrier_destroy(NULL);
	return BAY_OK;
}

TASK_TEST(one_party_never_waits_and_none_is_refused)
{
	struct bay_barrier *barrier = bay_barrier_create("alone", 1);

	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_OK);
	bay_barrier_destroy(barrier);
	ck_assert_ptr_null(bay_barrier_create("nobody", 0));
	return BAY_OK;
}

TASK_TEST(a_cancelled_party_breaks_it_for_all_until_a_reset)
{
	struct bay_barrier *barrier = bay_barrier_create("broken", PARTIES);
	struct party one, two;
	struct bay_task *first = start(&one, barrier), *second = start(&two, barrier);

	turn();
	bay_task_cancel(first, "enough");
	end(first);
	end(second);
	ck_assert_int_eq(one.status, BAY_CANCELED);
	ck_assert_int_eq(two.status, BAY_FAILED);
	ck_assert_uint_eq(two.index, NONE);
	ck_assert(bay_barrier_is_broken(barrier));
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_FAILED);
	bay_barrier_reset(barrier);
	ck_assert(!bay_barrier_is_broken(barrier));
	first = start(&one, barrier);
	second = start(&two, barrier);
	turn();
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_OK);
	end(first);
	end(second);
	ck_assert_int_eq(one.status, BAY_OK);
	ck_assert_int_eq(two.status, BAY_OK);
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

TASK_TEST(a_deadline_breaks_it_too)
{
	struct bay_barrier *barrier = bay_barrier_create("late", PARTIES);
	struct party one;
	struct bay_task *first = start(&one, barrier);

	turn();
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
	end(first);
	ck_assert_int_eq(one.status, BAY_FAILED);
	ck_assert(bay_barrier_is_broken(barrier));
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

TASK_TEST(who_comes_cancelled_breaks_it)
{
	struct bay_barrier *barrier = bay_barrier_create("never", PARTIES);
	struct party one, two;
	struct bay_task *first = start(&one, barrier), *second;

	turn();
	second = start(&two, barrier);
	bay_task_cancel(second, "before it came");
	end(first);
	end(second);
	ck_assert_int_eq(one.status, BAY_FAILED);
	ck_assert_int_eq(two.status, BAY_CANCELED);
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

/* One was cancelled and has not run yet: whoever comes sees it nevertheless. */
TASK_TEST(who_has_left_is_missed_at_once)
{
	struct bay_barrier *barrier = bay_barrier_create("gap", PARTIES);
	struct party one, two;
	struct bay_task *first = start(&one, barrier), *second = start(&two, barrier);

	turn();
	bay_task_cancel(first, "enough");
	ck_assert(bay_barrier_is_broken(barrier));
	ck_assert_uint_eq(bay_barrier_waiting(barrier), 0);
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_FAILED);
	end(first);
	end(second);
	ck_assert_int_eq(one.status, BAY_CANCELED);
	ck_assert_int_eq(two.status, BAY_FAILED);
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

/* It leaves a round that is over: that breaks nothing. */
TASK_TEST(who_left_before_a_reset_does_not_break_the_next_round)
{
	struct bay_barrier *barrier = bay_barrier_create("next", 2);
	struct party one, two;
	struct bay_task *first = start(&one, barrier), *second;

	turn();
	bay_task_cancel(first, "enough");
	bay_barrier_reset(barrier);
	end(first);
	ck_assert_int_eq(one.status, BAY_CANCELED);
	ck_assert(!bay_barrier_is_broken(barrier));
	second = start(&two, barrier);
	turn();
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_OK);
	end(second);
	ck_assert_int_eq(two.status, BAY_OK);
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

TASK_TEST(a_party_cancelled_after_it_was_let_through_is_through)
{
	struct bay_barrier *barrier = bay_barrier_create("through", 2);
	struct party one;
	struct bay_task *first = start(&one, barrier);

	turn();
	ck_assert_int_eq(bay_barrier_wait(barrier, NULL, BAY_INHERIT), BAY_OK);
	bay_task_cancel(first, "enough");
	end(first);
	ck_assert_int_eq(one.status, BAY_OK);
	ck_assert_uint_eq(one.index, 0);
	ck_assert(!bay_barrier_is_broken(barrier));
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

TASK_TEST(abort_and_reset_end_the_round)
{
	struct bay_barrier *barrier = bay_barrier_create("ended", PARTIES);
	struct party one, two;
	struct bay_task *first = start(&one, barrier), *second;

	turn();
	bay_barrier_abort(barrier);
	ck_assert(bay_barrier_is_broken(barrier));
	end(first);
	ck_assert_int_eq(one.status, BAY_FAILED);
	bay_barrier_reset(barrier);
	second = start(&two, barrier);
	turn();
	bay_barrier_reset(barrier);
	ck_assert(!bay_barrier_is_broken(barrier));
	end(second);
	ck_assert_int_eq(two.status, BAY_FAILED);
	bay_barrier_destroy(barrier);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits)
{
	struct bay_barrier *barrier = bay_barrier_create("gone", PARTIES);
	struct party one, two;
	struct bay_task *first = start(&one, barrier), *second = start(&two, barrier);

	turn();
	bay_barrier_destroy(barrier);
	bay_task_cancel(first, "too late");
	end(first);
	end(second);
	ck_assert_int_eq(one.status, BAY_CLOSED);
	ck_assert_int_eq(two.status, BAY_CLOSED);
	return BAY_OK;
}

/* Whoever is cancelled, whenever, all of a round hear the same. */
static void
cancel_one(size_t victim, int moment)
{
	struct bay_barrier *barrier = bay_barrier_create("each", PARTIES);
	struct party parties[PARTIES];
	struct bay_task *tasks[PARTIES];
	int i, through = 0, failed = 0;

	for (i = 0; i < PARTIES; i++) {
		tasks[i] = start(&parties[i], barrier);
		if (i == moment)
			bay_task_cancel(tasks[victim < (size_t)i ? victim : (size_t)i], "at this moment");
		turn();
	}
	if (moment >= PARTIES)
		bay_task_cancel(tasks[victim], "at this moment");
	for (i = 0; i < PARTIES; i++) {
		end(tasks[i]);
		through += parties[i].status == BAY_OK;
		failed += parties[i].status == BAY_FAILED;
	}
	ck_assert_msg(through == PARTIES || failed == PARTIES - 1, "victim %zu moment %d: %d through, %d failed", victim,
		moment, through, failed);
	bay_barrier_destroy(barrier);
}

TASK_TEST(whoever_is_cancelled_whenever_all_hear_of_it)
{
	size_t victim;
	int moment;

	for (victim = 0; victim < PARTIES; victim++) {
		for (moment = 0; moment <= PARTIES; moment++)
			cancel_one(victim, moment);
	}
	return BAY_OK;
}

CHECK_MAIN("runtime/barrier",
	the_last_lets_all_go_on_round_after_round,
	one_party_never_waits_and_none_is_refused,
	a_cancelled_party_breaks_it_for_all_until_a_reset,
	a_deadline_breaks_it_too,
	who_comes_cancelled_breaks_it,
	who_has_left_is_missed_at_once,
	who_left_before_a_reset_does_not_break_the_next_round,
	a_party_cancelled_after_it_was_let_through_is_through,
	abort_and_reset_end_the_round,
	destroying_ends_the_waits,
	whoever_is_cancelled_whenever_all_hear_of_it)
