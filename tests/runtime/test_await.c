/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/await.h"

#include <bay/bay.h>

#include "support/await_loops.h"
#include "support/run_tasks.h"

static struct bay_event *event;
static struct bay_lock *lock;
static struct bay_semaphore *semaphore;
static struct bay_barrier *barrier;
static struct bay_promise *promise;
static struct bay_once *once;
static struct bay_channel *channel, *heap;
static struct bay_ticker *ticker;
static struct bay_completions *completions;

/* The locks and places are given back in any case: the next loop wants them. */
static int
acquire_lock(void)
{
	int status = bay_lock_acquire(lock, BAY_INHERIT);

	if (status == BAY_OK)
		ck_assert_int_eq(bay_lock_release(lock), BAY_OK);
	return status;
}

static int
acquire_semaphore(void)
{
	int status = bay_semaphore_acquire(semaphore, 1, BAY_INHERIT);

	if (status == BAY_OK)
		ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_OK);
	return status;
}

static int
wait_for_event(void)
{
	return bay_event_wait(event, BAY_INHERIT);
}

static int
wait_at_barrier(void)
{
	int status = bay_barrier_wait(barrier, NULL, BAY_INHERIT);

	bay_barrier_reset(barrier);
	return status;
}

static int
wait_at_broken_barrier(void)
{
	int status;

	bay_barrier_abort(barrier);
	status = bay_barrier_wait(barrier, NULL, BAY_INHERIT);
	bay_barrier_reset(barrier);
	return status == BAY_FAILED ? BAY_OK : status;
}

static int
wait_for_promise(void)
{
	return bay_promise_wait(promise, NULL, BAY_INHERIT);
}

static int
do_nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static int
run_once(void)
{
	return bay_once_run(once, do_nothing, NULL, BAY_INHERIT);
}

static int
put_item(void)
{
	int status = bay_channel_put(channel, &channel, BAY_INHERIT);
	void *item;

	if (status == BAY_OK)
		ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_OK);
	return status;
}

static int
put_item_with(void)
{
	int status = bay_channel_put_with(heap, &heap, 1, 1, BAY_INHERIT);
	void *item;

	if (status == BAY_OK) {
		ck_assert_int_eq(bay_channel_try_get(heap, &item), BAY_OK);
		ck_assert_int_eq(bay_channel_done(heap), BAY_OK);
	}
	return status;
}

static int
get_item(void)
{
	void *item;
	int status;

	if (bay_channel_empty(channel))
		ck_assert_int_eq(bay_channel_try_put(channel, &channel), BAY_OK);
	status = bay_channel_get(channel, &item, BAY_INHERIT);
	if (status != BAY_OK)
		ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_OK);
	return status;
}

static int
join_channel(void)
{
	return bay_channel_join(heap, BAY_INHERIT);
}

static int
next_tick(void)
{
	return bay_ticker_next(ticker, NULL, BAY_INHERIT);
}

static int
next_completion(void)
{
	struct bay_task *task;

	ck_assert_int_eq(bay_completions_add(completions, NULL), BAY_OK);
	return bay_completions_next(completions, &task, BAY_INHERIT);
}

static int
close_empty_scope(void)
{
	return bay_scope_close(bay_scope_open(BAY_INHERIT));
}

/* Nothing but the wait: the scope itself is closed by the end of its task. To close it would be
 * an await that sees all there is to see. */
static int
wait_in_empty_scope(void)
{
	static struct bay_scope *scope;
	static uint64_t owner;

	if (owner != bay_task_id(bay_task_current())) {
		owner = bay_task_id(bay_task_current());
		scope = bay_scope_open(BAY_INHERIT);
	}
	return bay_scope_wait(scope);
}

/* What an await may leave unseen; not by another one, which would do its work for it. */
static int
look_at_deadline(int status)
{
	return status == BAY_OK && bay_now() >= bay_deadline() ? BAY_TIMEOUT : status;
}

static int
gather_nothing(void)
{
	/* What has ended is given even after the deadline. */
	return look_at_deadline(bay_gather(NULL, 0, BAY_INHERIT));
}

static int
shield_nothing(void)
{
	int status = bay_shield("nothing", do_nothing, NULL, bay_after(BAY_SECOND));

	/* It is for those who have been cancelled, too. */
	return status == BAY_OK && bay_cancel_reason() != NULL ? BAY_CANCELED : look_at_deadline(status);
}

static const struct await_loop loops[] = {
	{"bay_event_wait", wait_for_event},
	{"bay_lock_acquire", acquire_lock},
	{"bay_semaphore_acquire", acquire_semaphore},
	{"bay_barrier_wait", wait_at_barrier},
	{"bay_barrier_wait, broken", wait_at_broken_barrier},
	{"bay_promise_wait", wait_for_promise},
	{"bay_once_run", run_once},
	{"bay_channel_put", put_item},
	{"bay_channel_put_with", put_item_with},
	{"bay_channel_get", get_item},
	{"bay_channel_join", join_channel},
	{"bay_ticker_next", next_tick},
	{"bay_completions_next", next_completion},
	{"bay_scope_close", close_empty_scope},
	{"bay_scope_wait", wait_in_empty_scope},
	{"bay_gather", gather_nothing},
	{"bay_shield", shield_nothing},
};

static void
make_them(void)
{
	event = bay_event_create("set");
	bay_event_set(event);
	lock = bay_lock_create("free");
	semaphore = bay_semaphore_create("free", 1);
	barrier = bay_barrier_create("alone", 1);
	promise = bay_promise_create("kept");
	ck_assert_int_eq(bay_promise_set(promise, NULL), BAY_OK);
	once = bay_once_create("done");
	ck_assert_int_eq(bay_once_run(once, do_nothing, NULL, BAY_INHERIT), BAY_OK);
	channel = bay_channel_create(4);
	heap = bay_channel_create_with(&(struct bay_channel_options){.length = sizeof(struct bay_channel_options),
		.capacity = 4, .order = BAY_PRIORITY});
	ck_assert_ptr_nonnull(heap);
	ticker = bay_ticker_create(1);
	completions = bay_as_completed(NULL, 0);
}

static void
destroy_them(void)
{
	bay_completions_destroy(completions);
	bay_ticker_destroy(ticker);
	bay_channel_destroy(heap);
	bay_channel_destroy(channel);
	bay_once_destroy(once);
	bay_promise_destroy(promise);
	bay_barrier_destroy(barrier);
	bay_semaphore_destroy(semaphore);
	bay_lock_destroy(lock);
	bay_event_destroy(event);
}

TASK_TEST(a_loop_of_awaits_that_need_not_wait_lets_others_run)
{
	make_them();
	await_loops_check(loops, sizeof loops / sizeof loops[0]);
	destroy_them();
	return BAY_OK;
}

/* What it looked at may be gone when it comes back: it looks no more. */
static int
destroy_event(void *arg)
{
	(void)arg;
	bay_event_destroy(event);
	event = NULL;
	return BAY_OK;
}

TASK_TEST(what_was_awaited_may_be_gone_after_the_turn_of_the_others)
{
	event = bay_event_create("set");
	bay_event_set(event);
	ck_assert_int_eq(bay_go("destroys", destroy_event, NULL), BAY_OK);
	for (int i = 0; event != NULL; i++) {
		ck_assert_int_lt(i, SCHEDULER_SLICE);
		ck_assert_int_eq(bay_event_wait(event, BAY_INHERIT), BAY_OK);
	}
	return BAY_OK;
}

CHECK_MAIN("runtime/await",
	a_loop_of_awaits_that_need_not_wait_lets_others_run,
	what_was_awaited_may_be_gone_after_the_turn_of_the_others)
