/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks that are cancelled, or come to their deadline, at each of their awaits in turn. */
#include "config.h"

#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "support/cancel_everywhere.h"

enum { SHORT = 20 * 1000, CHILDREN = 3 };

/* --- what the children do ----------------------------------------------------------------- */

/* Two awaits, then its argument as result. It may be cancelled by whom it belongs to. */
static int
child(void *arg)
{
	int status = bay_yield();

	if (status == BAY_OK)
		status = bay_sleep(SHORT);
	return status != BAY_OK ? status : (int)(intptr_t)arg;
}

/* Has children of its own, one of which it forgets. */
static int
parent(void *arg)
{
	struct bay_task *one = bay_spawn("one", child, NULL);
	int status;

	ck_assert_ptr_nonnull(bay_spawn("forgotten", child, NULL));
	(void)arg;
	status = bay_join(one, BAY_INHERIT);
	return status != BAY_OK ? status : bay_yield();
}

/* --- sleeps and yields -------------------------------------------------------------------- */

EVERYWHERE(sleeps_and_yields, 7, run_tasks_check_nothing_left)
{
	TRY(bay_sleep(SHORT));
	TRY(bay_yield());
	TRY(bay_sleep_until(bay_after(SHORT)));
	TRY(bay_sleep_until(bay_now() - 1));
	TRY(bay_sleep(0));
	ck_assert_int_eq(bay_go("child", child, NULL), BAY_OK);
	TRY(bay_yield());
	TRY(bay_yield());
	return bay_sleep(2 * SHORT);
}

/* It is not asked whether it has time for its last words. */
EVERYWHERE(a_task_that_does_not_care_ends_all_the_same, 5, run_tasks_check_nothing_left)
{
	int i;

	for (i = 0; i < 5; i++) {
		(void)points_expect(bay_sleep(SHORT));
		(void)points_expect(bay_yield());
	}
	return BAY_OK;
}

/* --- joins ---------------------------------------------------------------------------------- */

EVERYWHERE(joins, 8, run_tasks_check_nothing_left)
{
	struct bay_task *first = bay_spawn("first", child, NULL);
	struct bay_task *second = bay_spawn("second", parent, NULL);
	struct bay_task *third = bay_spawn("third", child, NULL);

	TRY(bay_join(second, BAY_INHERIT));
	TRY(bay_join(first, BAY_INHERIT));
	bay_task_free(third);
	return bay_sleep(SHORT);
}

/* Whatever it is told, its end says nothing of it. */
static int
imperturbable(void *arg)
{
	(void)parent(arg);
	return BAY_OK;
}

/* A join that is cut short leaves the handle, which may be joined again. */
EVERYWHERE(joins_in_two_goes, 6, run_tasks_check_nothing_left)
{
	struct bay_task *task = bay_spawn("task", imperturbable, NULL);
	int status = bay_join(task, bay_after(1));

	if (status == BAY_OK)
		return status;
	ck_assert(!bay_task_done(task));
	if (bay_cancel_reason() == NULL && bay_deadline() == BAY_INHERIT)
		return bay_join(task, BAY_INHERIT);
	bay_task_free(task);
	return status;
}

/* --- several at once -------------------------------------------------------------------------- */

static void
spawn_children(struct bay_task *tasks[CHILDREN])
{
	tasks[0] = bay_spawn("a", child, NULL);
	tasks[1] = bay_spawn("b", parent, NULL);
	tasks[2] = bay_spawn("c", child, NULL);
}

static void
free_children(struct bay_task *tasks[CHILDREN])
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		bay_task_free(tasks[i]);
}

/* Whatever it returns, after a gather all have ended. */
EVERYWHERE(gathers, 10, run_tasks_check_nothing_left)
{
	struct bay_task *tasks[CHILDREN];
	int i, status;

	spawn_children(tasks);
	status = bay_gather(tasks, CHILDREN, BAY_INHERIT);
	for (i = 0; i < CHILDREN; i++) {
		ck_assert(bay_task_done(tasks[i]));
		ck_assert(points_allow(bay_task_status(tasks[i])) || bay_task_status(tasks[i]) == BAY_CANCELED);
		ck_assert(status != BAY_OK || bay_task_status(tasks[i]) == BAY_OK);
	}
	free_children(tasks);
	return status;
}

/* A failure of one against the cancellation of all. */
EVERYWHERE(gathers_of_failures, 6, run_tasks_check_nothing_left)
{
	struct bay_task *tasks[CHILDREN];
	int i, status;

	tasks[0] = bay_spawn("fails", child, (void *)(intptr_t)BAY_IO);
	tasks[1] = bay_spawn("parent", parent, NULL);
	tasks[2] = bay_spawn("fails too", child, (void *)(intptr_t)BAY_FULL);
	status = bay_gather(tasks, CHILDREN, bay_after(100 * BAY_SECOND));
	for (i = 0; i < CHILDREN; i++)
		ck_assert(bay_task_done(tasks[i]));
	free_children(tasks);
	ck_assert_int_ne(status, BAY_OK);
	return status == BAY_IO || status == BAY_FULL ? bay_yield() : status;
}

/* The others go on: they have not been cancelled, and can be waited for. */
EVERYWHERE(waits_for_the_first, 10, run_tasks_check_nothing_left)
{
	struct bay_task *tasks[CHILDREN];
	size_t left = CHILDREN, which;
	int status = BAY_OK;

	spawn_children(tasks);
	while (left > 0 && status == BAY_OK) {
		status = bay_wait_first(tasks, left, &which, BAY_INHERIT);
		if (status != BAY_OK)
			break;
		ck_assert_uint_lt(which, left);
		ck_assert(bay_task_done(tasks[which]));
		ck_assert(points_allow(bay_task_status(tasks[which])));
		bay_task_free(tasks[which]);
		tasks[which] = tasks[--left];
	}
	while (left > 0)
		bay_task_free(tasks[--left]);
	return status;
}

/* --- scopes ------------------------------------------------------------------------------------- */

EVERYWHERE(closes_scopes, 12, run_tasks_check_nothing_left)
{
	struct bay_scope *outer = bay_scope_open(BAY_INHERIT), *inner;
	int status, first;

	ck_assert_int_eq(bay_scope_go(outer, "outer", parent, NULL), BAY_OK);
	first = points_expect(bay_sleep(SHORT));
	inner = bay_scope_open(bay_after(100 * BAY_SECOND));
	ck_assert_int_eq(bay_scope_go(inner, "inner", child, NULL), BAY_OK);
	ck_assert_ptr_nonnull(bay_scope_spawn(inner, "inner too", parent, NULL));
	status = points_expect(bay_scope_close(inner));
	first = first != BAY_OK ? first : status;
	status = points_expect(bay_scope_close(outer));
	first = first != BAY_OK ? first : status;
	/* Only we are left: they have been waited for. */
	ck_assert_uint_le(run_tasks_scheduler.task_count, 2);
	return first;
}

EVERYWHERE(forgets_scopes, 5, run_tasks_check_nothing_left)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	ck_assert_ptr_nonnull(bay_scope_open(BAY_INHERIT));
	ck_assert_int_eq(bay_scope_go(scope, "forgotten", parent, NULL), BAY_OK);
	ck_assert_ptr_nonnull(bay_spawn("forgotten too", child, NULL));
	return bay_yield();
}

/* --- channels ----------------------------------------------------------------------------------- */

enum { ITEMS = 6 };

static struct {
	struct bay_channel *channel;
	unsigned next;                  /* item to be put */
	unsigned char put[ITEMS];
	unsigned char got[ITEMS];
	unsigned char *last;            /* got */
} flow;

static void
flow_begin(size_t capacity)
{
	memset(&flow, 0, sizeof flow);
	flow.channel = bay_channel_create(capacity);
	ck_assert_ptr_nonnull(flow.channel);
}

/* Who puts takes the next number in the moment in which its put begins. */
static int
put_items(void *arg)
{
	(void)arg;
	while (flow.next < ITEMS) {
		unsigned i = flow.next++;

		int status = bay_channel_put(flow.channel, &flow.got[i], BAY_INHERIT);

		if (status == BAY_CLOSED)
			return BAY_OK;
		TRY(status);
		flow.put[i]++;
	}
	return BAY_OK;
}

static void
count_item(void *item)
{
	unsigned char *got = item;

	ck_assert(got >= flow.got && got < flow.got + ITEMS);
	++*got;
}

static int
get_items(void *arg)
{
	void *item;
	int status;

	(void)arg;
	while ((status = bay_channel_get(flow.channel, &item, BAY_INHERIT)) == BAY_OK) {
		count_item(item);
		TRY(bay_yield());
	}
	return status == BAY_CLOSED ? BAY_OK : status;
}

/* Each item that was put was got, or is still there; no other was. */
static void
flow_check(void)
{
	void *item;
	unsigned i;

	run_tasks_check_nothing_left();
	while (bay_channel_try_get(flow.channel, &item) == BAY_OK)
		count_item(item);
	for (i = 0; i < ITEMS; i++)
		ck_assert_msg(flow.got[i] == flow.put[i], "item %u was put %u and got %u times", i, flow.put[i],
			flow.got[i]);
	bay_channel_destroy(flow.channel);
}

/* The root puts, together with another; two others get. */
static int
root_puts(size_t capacity)
{
	struct bay_task *getters[2], *putter;

	flow_begin(capacity);
	getters[0] = bay_spawn("gets", get_items, NULL);
	getters[1] = bay_spawn("gets too", get_items, NULL);
	putter = bay_spawn("puts", put_items, NULL);
	TRY(put_items(NULL));
	TRY(bay_join(putter, BAY_INHERIT));
	bay_channel_close(flow.channel);
	return bay_gather(getters, 2, BAY_INHERIT);
}

/* The root gets, together with another; two others put. */
static int
root_gets(size_t capacity)
{
	struct bay_task *putters[2], *getter;

	flow_begin(capacity);
	getter = bay_spawn("gets", get_items, NULL);
	putters[0] = bay_spawn("puts", put_items, NULL);
	putters[1] = bay_spawn("puts too", put_items, NULL);
	while (flow.next < ITEMS && !bay_task_done(putters[0])) {
		void *item;

		TRY(bay_channel_get(flow.channel, &item, bay_after(100 * BAY_SECOND)));
		count_item(item);
	}
	bay_channel_close(flow.channel);
	TRY(bay_join(getter, BAY_INHERIT));
	return bay_yield();
}

EVERYWHERE(puts_without_room, 12, flow_check)
{
	return root_puts(0);
}

EVERYWHERE(puts_with_room, 8, flow_check)
{
	return root_puts(2);
}

EVERYWHERE(gets_without_room, 8, flow_check)
{
	return root_gets(0);
}

EVERYWHERE(gets_with_room, 6, flow_check)
{
	return root_gets(2);
}

static int
close_later(void *arg)
{
	int status = bay_sleep(SHORT);

	(void)arg;
	/* On a slow machine the getter's time is up first, and it lets go of us. */
	if (status == BAY_OK)
		bay_channel_close(flow.channel);
	return status;
}

/* A cancellation against a close. Who closes may not: then the deadline ends it. */
EVERYWHERE(sees_a_close, 3, flow_check)
{
	struct bay_task *closes = bay_spawn("closes", close_later, NULL);
	void *item;
	int status;

	flow_begin(0);
	status = bay_channel_get(flow.channel, &item, bay_after(BAY_MS));
	ck_assert(status == BAY_CLOSED || status == BAY_TIMEOUT || points_allow(status));
	status = points_expect(bay_yield());
	bay_task_free(closes);
	return status;
}

CHECK_MAIN("runtime/cancel everywhere",
	sleeps_and_yields,
	a_task_that_does_not_care_ends_all_the_same,
	joins,
	joins_in_two_goes,
	gathers,
	gathers_of_failures,
	waits_for_the_first,
	closes_scopes,
	forgets_scopes,
	puts_without_room,
	puts_with_room,
	gets_without_room,
	gets_with_room,
	sees_a_close)
