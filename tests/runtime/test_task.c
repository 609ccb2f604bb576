/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/task.h"

#include <stdlib.h>
#include <string.h>

#include <bay/channel.h>
#include <bay/scope.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

#if defined(BAY_TSAN)
enum { DEEP = 200, WIDE = 1000, MANY = 3000 };
#else
enum { DEEP = 2000, WIDE = 20000, MANY = 200000 };
#endif

/* --- what tasks do here --------------------------------------------------------- */

static int
seven(void *arg)
{
	(void)arg;
	return 7;
}

static int
count(void *arg)
{
	++*(int *)arg;
	return BAY_OK;
}

static int
fails(void *arg)
{
	(void)arg;
	return BAY_IO;
}

/* Waits until it is cancelled. */
static int
wait_for_cancel(void *arg)
{
	const char **reason = arg;
	int status = bay_sleep(100 * BAY_SECOND);

	if (reason != NULL)
		*reason = bay_cancel_reason() != NULL ? strdup(bay_cancel_reason()) : NULL;
	return status;
}

/* Goes on for a while after it was cancelled. */
static int
resist(void *arg)
{
	int i;

	(void)bay_sleep(100 * BAY_SECOND);
	for (i = 0; i < 10; i++) {
		struct waiter waiter;

		ck_assert_int_eq(bay_yield(), BAY_CANCELED);
		waiter_init(&waiter, AWAIT_TO_THE_END);
		task_make_ready(task_current());
		task_park(task_current());
	}
	*(bool *)arg = true;
	return BAY_OK;
}

/* --- spawn and results ------------------------------------------------------------ */

TASK_TEST(a_task_runs_when_its_maker_awaits_and_gives_its_result)
{
	int n = 0;
	struct bay_task *counts = bay_spawn("count", count, &n);
	struct bay_task *task = bay_spawn("seven", seven, NULL);

	ck_assert_int_eq(n, 0);
	ck_assert(!bay_task_done(task));
	ck_assert_int_eq(bay_task_status(task), BAY_BUSY);
	ck_assert_str_eq(bay_task_error(task), "");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), 7);
	ck_assert_int_eq(n, 1);
	ck_assert(bay_task_done(counts));
	ck_assert_int_eq(bay_join(counts, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

TASK_TEST(a_name_is_copied_and_cut_at_23_bytes)
{
	char name[] = "a name that is longer than a name may be";
	struct bay_task *task = bay_spawn(name, seven, NULL);
	struct bay_task *nameless = bay_spawn(NULL, seven, NULL);

	name[0] = 'x';
	ck_assert_str_eq(bay_task_name(task), "a name that is longer t");
	ck_assert_str_eq(bay_task_name(nameless), "task");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), 7);
	ck_assert_int_eq(bay_join(nameless, BAY_INHERIT), 7);
	return BAY_OK;
}

TASK_TEST(nothing_to_run_is_no_task)
{
	ck_assert_ptr_null(bay_spawn("nothing", NULL, NULL));
	ck_assert_int_eq(bay_go("nothing", NULL, NULL), BAY_INVALID);
	ck_assert_int_eq(bay_join(NULL, BAY_INHERIT), BAY_NO_MEMORY);
	ck_assert(bay_task_done(NULL));
	ck_assert_int_eq(bay_task_status(NULL), BAY_NO_MEMORY);
	ck_assert_str_ne(bay_task_error(NULL), "");
	ck_assert_ptr_null(bay_task_take_reply(NULL));
	bay_task_cancel(NULL, "x");
	bay_task_free(NULL);
	return BAY_OK;
}

TASK_TEST(a_task_of_nobody_runs_to_its_end)
{
	int n = 0;

	ck_assert_int_eq(bay_go("count", count, &n), BAY_OK);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(n, 1);
	return BAY_OK;
}

TASK_TEST(a_task_has_no_reply_to_take)
{
	struct bay_task *task = bay_spawn("seven", seven, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(task));
	ck_assert_ptr_null(bay_task_take_reply(task));
	ck_assert_int_eq(bay_task_status(task), 7);
	bay_task_free(task);
	return BAY_OK;
}

struct node {
	int depth;
	int deepest;
	char *stack;
};

static int
grow_deeper(void *arg)
{
	struct node *parent = arg, node = {.depth = parent->depth + 1};
	char here;
	int status;

	node.stack = &here;
	ck_assert(node.stack - parent->stack > 4096 || parent->stack - node.stack > 4096);
	if (node.depth == DEEP) {
		parent->deepest = DEEP;
		return BAY_OK;
	}
	status = bay_join(bay_spawn("deeper", grow_deeper, &node), BAY_INHERIT);
	parent->deepest = node.deepest;
	return status;
}

TASK_TEST(a_tree_may_be_deep)
{
	char here;
	struct node root = {.stack = &here};

	ck_assert_int_eq(bay_join(bay_spawn("deep", grow_deeper, &root), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(root.deepest, DEEP);
	return BAY_OK;
}

TASK_TEST(a_tree_may_be_wide)
{
	int i, n = 0;

	for (i = 0; i < WIDE; i++)
		ck_assert_int_eq(bay_go("count", count, &n), BAY_OK);
	while (n < WIDE)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	return BAY_OK;
}

TASK_TEST(stacks_are_used_again)
{
	struct task *self = task_current();
	int i, n = 0;

	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(bay_join(bay_spawn("count", count, &n), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(n, MANY);
	ck_assert_uint_lt(stack_pool_mapped(self->class->pool), 200);
	ck_assert_uint_le(stack_pool_taken(self->class->pool), 3);
	return BAY_OK;
}

/* --- what a task leaves behind ------------------------------------------------------- */

struct left {
	bool child_ended;
	const char *reason;
	struct bay_task *handle;
};

static int
leave_one_that_resists(void *arg)
{
	struct left *left = arg;

	left->handle = bay_spawn("resists", resist, &left->child_ended);
	return bay_yield();
}

TASK_TEST(a_forgotten_child_is_cancelled_and_waited_for)
{
	struct left left = {0};

	ck_assert_int_eq(bay_join(bay_spawn("owner", leave_one_that_resists, &left), BAY_INHERIT), BAY_OK);
	ck_assert(left.child_ended);
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 1);
	return BAY_OK;
}

static int
leave_one_that_waits(void *arg)
{
	struct left *left = arg;

	left->handle = bay_spawn("waits", wait_for_cancel, &left->reason);
	return bay_yield();
}

TASK_TEST(a_forgotten_child_hears_why)
{
	struct left left = {0};

	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("owner", leave_one_that_waits, &left), BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(left.reason, "its owner has ended");
	free((char *)left.reason);
	/* It did as it was asked: nothing to complain about. */
	ck_assert_int_eq(log_lines_with(""), 0);
	return BAY_OK;
}

static int
leave_a_failure(void *arg)
{
	(void)arg;
	(void)!bay_spawn("fails", fails, NULL);
	return bay_yield();
}

TASK_TEST(a_failure_that_nobody_collected_is_logged)
{
	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("owner", leave_a_failure, NULL), BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(log_lines_with("io"), 1);
	return BAY_OK;
}

TASK_TEST(a_failure_that_somebody_asked_about_is_not_logged)
{
	struct bay_task *asked = bay_spawn("asked", fails, NULL);
	struct bay_task *joined = bay_spawn("joined", fails, NULL);

	log_lines_keep();
	ck_assert_int_eq(bay_join(joined, BAY_INHERIT), BAY_IO);
	ck_assert_int_eq(bay_task_status(asked), BAY_IO);
	bay_task_free(asked);
	ck_assert_int_eq(log_lines_with(""), 0);
	ck_assert_ptr_null(bay_cancel_reason());
	return BAY_OK;
}

TASK_TEST(a_handle_given_up_unseen_after_a_failure_cancels_its_owner)
{
	struct bay_task *task = bay_spawn("fails", fails, NULL);

	log_lines_keep();
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_free(task);
	ck_assert_int_eq(log_lines_with("task fails failed: io"), 1);
	ck_assert_str_eq(bay_cancel_reason(), "task fails failed: io");
	return BAY_OK;
}

TASK_TEST(one_that_was_cancelled_has_not_failed)
{
	struct bay_task *task = bay_spawn("waits", wait_for_cancel, NULL);

	log_lines_keep();
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(bay_task_done(task));
	bay_task_free(task);
	ck_assert_int_eq(log_lines_with(""), 0);
	ck_assert_ptr_null(bay_cancel_reason());
	return BAY_OK;
}

TASK_TEST(a_handle_given_up_early_cancels_its_task)
{
	const char *reason = NULL;
	struct bay_task *task = bay_spawn("waits", wait_for_cancel, &reason);

	log_lines_keep();
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_free(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(reason, "its handle was freed");
	free((char *)reason);
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 1);
	ck_assert_int_eq(log_lines_with(""), 0);
	return BAY_OK;
}

static int
join_it(void *arg)
{
	return bay_join(arg, BAY_INHERIT);
}

TASK_TEST(a_handle_that_somebody_waits_for_is_not_freed)
{
	struct bay_task *task = bay_spawn("waits", wait_for_cancel, NULL);
	struct bay_task *joins = bay_spawn("joins", join_it, task);

	log_lines_keep();
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_free(task);
	ck_assert_int_eq(log_lines_with("waits for it"), 1);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(joins, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

/* --- failures of tasks that nobody holds ---------------------------------------------- */

static int
own_a_failure(void *arg)
{
	const char **reason = arg;
	const char *sibling = NULL;
	int status;

	ck_assert_int_eq(bay_go("fails", fails, NULL), BAY_OK);
	ck_assert_int_eq(bay_go("sibling", wait_for_cancel, &sibling), BAY_OK);
	status = wait_for_cancel(reason);
	ck_assert_str_eq(sibling, "task fails failed: io");
	free((char *)sibling);
	return status;
}

TASK_TEST(a_failure_that_nobody_can_collect_cancels_the_owner_and_its_other_tasks)
{
	const char *reason = NULL;

	log_lines_keep();
	ck_assert_int_eq(bay_join(bay_spawn("owner", own_a_failure, &reason), BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(reason, "task fails failed: io");
	free((char *)reason);
	ck_assert_int_eq(log_lines_with("task fails failed: io"), 1);
	return BAY_OK;
}

struct top {
	struct bay_scope scope;
	char *text;
	int times;
};

static void
top_failed(struct bay_scope *scope)
{
	struct top *top = (struct top *)scope;

	if (top->times++ == 0)
		top->text = strdup(scope->error);
}

static int
go_and_fail(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_go("inner", fails, NULL), BAY_OK);
	return bay_sleep(100 * BAY_SECOND);
}

static int
go_and_go_and_fail(void *arg)
{
	(void)arg;
	ck_assert_int_eq(bay_go("middle", go_and_fail, NULL), BAY_OK);
	return bay_sleep(100 * BAY_SECOND);
}

/* A run task that ends because a task of its own failed has failed, not been cancelled. */
TASK_TEST(a_failure_goes_up_until_somebody_answers_for_it)
{
	struct top top = {.times = 0};

	log_lines_keep();
	scope_init(&top.scope, NULL, BAY_INHERIT);
	top.scope.failed = top_failed;
	ck_assert_int_eq(bay_scope_go(&top.scope, "outer", go_and_go_and_fail, NULL), BAY_OK);
	while (top.scope.live > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(top.times, 1);
	ck_assert_ptr_nonnull(strstr(top.text, "task inner failed: io"));
	ck_assert_int_eq(top.scope.status, BAY_IO);
	free(top.text);
	scope_finish(&top.scope);
	return BAY_OK;
}

TASK_TEST(a_task_that_fails_because_of_its_own_names_the_first_failure)
{
	struct bay_task *task = bay_spawn("outer", go_and_fail, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	while (!bay_task_done(task))
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_task_status(task), BAY_CANCELED);
	ck_assert_str_eq(bay_task_error(task), "task inner failed: io");
	bay_task_free(task);
	return BAY_OK;
}

/* --- cancelling ------------------------------------------------------------------------- */

static int
await_everything(void *arg)
{
	struct bay_channel *channel = bay_channel_create(4), *finished = bay_channel_create(4);
	struct bay_task *other = bay_spawn("other", wait_for_cancel, NULL);
	struct bay_scope *scope;
	int round;
	size_t which;
	void *item;

	(void)arg;
	/* A get of one and a join of the other need not wait; they are refused all the same. */
	ck_assert_int_eq(bay_channel_try_put(channel, channel), BAY_OK);
	ck_assert_int_eq(bay_sleep(100 * BAY_SECOND), BAY_CANCELED);
	for (round = 0; round < 3; round++) {
		ck_assert_str_eq(bay_cancel_reason(), "enough");
		ck_assert_int_eq(bay_sleep(1), BAY_CANCELED);
		ck_assert_int_eq(bay_sleep(0), BAY_CANCELED);
		ck_assert_int_eq(bay_sleep_until(0), BAY_CANCELED);
		ck_assert_int_eq(bay_yield(), BAY_CANCELED);
		ck_assert_int_eq(bay_channel_put(channel, channel, BAY_INHERIT), BAY_CANCELED);
		ck_assert_int_eq(bay_channel_get(channel, &item, BAY_INHERIT), BAY_CANCELED);
		ck_assert_int_eq(bay_channel_join(channel, BAY_INHERIT), BAY_CANCELED);
		ck_assert_int_eq(bay_channel_join(finished, BAY_INHERIT), BAY_CANCELED);
		ck_assert_int_eq(bay_join(other, BAY_INHERIT), BAY_CANCELED);
		ck_assert_int_eq(bay_wait_first(&other, 1, &which, BAY_INHERIT), BAY_CANCELED);
		ck_assert(!bay_task_done(other));
		scope = bay_scope_open(BAY_INHERIT);
		ck_assert_int_eq(bay_scope_go(scope, "waits", wait_for_cancel, NULL), BAY_OK);
		ck_assert_int_eq(bay_scope_close(scope), BAY_CANCELED);
	}
	ck_assert_int_eq(bay_gather(&other, 1, BAY_INHERIT), BAY_CANCELED);
	ck_assert(bay_task_done(other));
	bay_task_free(other);
	bay_channel_destroy(channel);
	bay_channel_destroy(finished);
	return BAY_OK;
}

TASK_TEST(cancelled_is_seen_at_every_await_until_the_end)
{
	struct bay_task *task = bay_spawn("awaits", await_everything, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	bay_task_cancel(task, "more than enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

struct stubborn {
	bool let_go;
	struct bay_channel *channel;
	size_t rounds;
};

/* Does not care for what it is told, and never waits once it is cancelled. */
static int
await_on_and_on(void *arg)
{
	struct stubborn *stubborn = arg;
	struct bay_task *self = task_current()->handle;
	struct bay_task *other = bay_spawn("other", wait_for_cancel, NULL);
	size_t which;
	void *item;

	while (!stubborn->let_go) {
		ck_assert_int_ne(bay_sleep(BAY_SECOND), BAY_INVALID);
		switch (stubborn->rounds++ % 6) {
		case 0:
			ck_assert_int_eq(bay_yield(), BAY_CANCELED);
			break;
		case 1:
			ck_assert_int_eq(bay_channel_get(stubborn->channel, &item, BAY_INHERIT), BAY_CANCELED);
			break;
		case 2:
			ck_assert_int_eq(bay_channel_put(stubborn->channel, self, BAY_INHERIT), BAY_CANCELED);
			break;
		case 3:
			ck_assert_int_eq(bay_join(other, BAY_INHERIT), BAY_CANCELED);
			break;
		case 4:
			ck_assert_int_eq(bay_wait_first(&other, 1, &which, BAY_INHERIT), BAY_CANCELED);
			break;
		default:
			ck_assert_int_eq(bay_sleep_until(0), BAY_CANCELED);
			break;
		}
	}
	bay_task_free(other);
	return BAY_OK;
}

TASK_TEST(one_that_does_not_care_lets_the_others_run_all_the_same)
{
	struct stubborn stubborn = {.channel = bay_channel_create(1)};
	struct bay_task *task = bay_spawn("stubborn", await_on_and_on, &stubborn);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	/* Timers as well. */
	ck_assert_int_eq(bay_sleep(5 * BAY_MS), BAY_OK);
	ck_assert_uint_gt(stubborn.rounds, 0);
	stubborn.let_go = true;
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	bay_channel_destroy(stubborn.channel);
	return BAY_OK;
}

TASK_TEST(a_reason_is_copied_and_cut_at_63_bytes)
{
	char reason[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
	const char *seen = NULL;
	struct bay_task *task = bay_spawn("waits", wait_for_cancel, &seen);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, reason);
	memset(reason, 'x', 10);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(seen, "012345678901234567890123456789012345678901234567890123456789012");
	free((char *)seen);
	return BAY_OK;
}

TASK_TEST(one_cancelled_before_it_began_sees_it_at_its_first_await)
{
	const char *reason = NULL;
	struct bay_task *task = bay_spawn("waits", wait_for_cancel, &reason);

	bay_task_cancel(task, NULL);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_str_eq(reason, "cancelled");
	free((char *)reason);
	return BAY_OK;
}

TASK_TEST(cancelling_one_that_has_ended_does_nothing)
{
	struct bay_task *task = bay_spawn("seven", seven, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "too late");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), 7);
	return BAY_OK;
}

static int
spawn_when_cancelled(void *arg)
{
	const char *reason = NULL;
	struct bay_task *task;

	(void)arg;
	ck_assert_int_eq(bay_yield(), BAY_CANCELED);
	/* Its own tasks are not cancelled: it may still tidy up with them. */
	task = bay_spawn("tidies", seven, NULL);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(bay_gather(&task, 1, BAY_INHERIT), BAY_CANCELED);
	ck_assert_int_eq(bay_task_status(task), 7);
	bay_task_free(task);
	ck_assert_ptr_null(reason);
	return BAY_OK;
}

TASK_TEST(a_cancelled_task_may_still_spawn)
{
	struct bay_task *task = bay_spawn("spawns", spawn_when_cancelled, NULL);

	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* --- yield, deadlines ------------------------------------------------------------------- */

static int
yield_twice(void *arg)
{
	int *turns = arg;

	++*turns;
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(*turns, 3);
	return BAY_OK;
}

TASK_TEST(a_yield_lets_all_the_others_run_once)
{
	int turns = 0, i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(bay_go("yields", yield_twice, &turns), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(turns, 3);
	return bay_yield();
}

static int
count_turns(void *arg)
{
	int *turns = arg;

	for (;;) {
		++*turns;
		if (bay_yield() != BAY_OK)
			return BAY_OK;
	}
}

static int
yield_when_refused(void *arg)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int turns = 0, i;

	ck_assert_int_eq(bay_scope_go(scope, "counts", count_turns, &turns), BAY_OK);
	for (i = 1; i <= 3; i++) {
		ck_assert_int_eq(bay_yield(), *(int *)arg);
		ck_assert_int_eq(turns, i);
	}
	(void)bay_scope_close(scope);
	return BAY_OK;
}

TASK_TEST(a_yield_of_a_task_that_is_to_end_lets_the_others_run_too)
{
	int status = BAY_CANCELED;
	struct bay_task *task = bay_spawn("yields", yield_when_refused, &status);

	bay_task_cancel(task, "enough");
	return bay_join(task, BAY_INHERIT);
}

static int
yield_until_it_fails(void *arg)
{
	int status;

	(void)arg;
	while ((status = bay_yield()) == BAY_OK)
		;
	return status;
}

static int
inherit_deadline(void *arg)
{
	ck_assert_int_eq(bay_deadline(), *(int64_t *)arg);
	return yield_until_it_fails(NULL);
}

TASK_TEST(a_yield_sees_an_inherited_deadline)
{
	int64_t deadline = bay_after(5 * BAY_MS);
	struct bay_scope *scope = bay_scope_open(deadline);
	struct bay_task *task = bay_scope_spawn(scope, "inherits", inherit_deadline, &deadline);

	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_int_eq(bay_scope_close(scope), BAY_OK);
	return BAY_OK;
}

/* A task with a timeout, as a service gives it to its handlers. */
static struct task *
make_with_timeout(bay_task_fn *fn, void *arg, int64_t timeout_ns)
{
	struct task *self = task_current();
	struct task_spec spec = {
		.name = "timed",
		.fn = fn,
		.arg = arg,
		.scope = &self->scope,
		.deadline = BAY_INHERIT,
		.timeout_ns = timeout_ns,
		.slot = STATUS_NO_SLOT,
		.class = self->class,
	};
	struct task *task = task_create(self->scheduler, &spec);

	task_start(task);
	return task;
}

TASK_TEST(a_timeout_ends_a_task_that_only_yields)
{
	struct bay_task *task = make_with_timeout(yield_until_it_fails, NULL, 2 * BAY_MS)->handle;
	size_t which;

	ck_assert_int_eq(bay_wait_first(&task, 1, &which, bay_after(60 * BAY_SECOND)), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_TIMEOUT);
	return BAY_OK;
}

static int
check_deadline(void *arg)
{
	int64_t deadline = bay_deadline();

	(void)arg;
	ck_assert_int_gt(deadline, bay_now());
	ck_assert_int_le(deadline, bay_after(BAY_SECOND));
	return BAY_OK;
}

static int
spawn_with_timeout_pending(void *arg)
{
	(void)arg;
	return bay_join(bay_spawn("child", check_deadline, NULL), BAY_INHERIT);
}

TASK_TEST(a_timeout_is_inherited_too)
{
	struct task *task = make_with_timeout(spawn_with_timeout_pending, NULL, BAY_SECOND);

	ck_assert_int_eq(bay_join(task->handle, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* --- outside ----------------------------------------------------------------------------- */

START_TEST(outside_a_task_nothing_awaits)
{
	int n = 0;

	ck_assert_int_eq(bay_yield(), BAY_INVALID);
	ck_assert_int_eq(bay_sleep(1), BAY_INVALID);
	ck_assert_int_eq(bay_go("count", count, &n), BAY_INVALID);
	ck_assert_ptr_null(bay_spawn("count", count, &n));
	ck_assert_ptr_null(bay_scope_open(BAY_INHERIT));
	ck_assert_int_eq(bay_gather(NULL, 0, BAY_INHERIT), BAY_INVALID);
	ck_assert_ptr_null(bay_cancel_reason());
	ck_assert_int_eq(bay_deadline(), BAY_INHERIT);
	run_tasks_begin();
	ck_assert_int_eq(bay_yield(), BAY_INVALID);
	run_tasks_end();
}
END_TEST

TASK_TEST(a_timeout_never_puts_a_deadline_off)
{
	int64_t deadline = bay_after(BAY_SECOND);

	task_current()->deadline = deadline;
	task_current()->timeout_ns = 100 * BAY_SECOND;
	ck_assert_int_eq(bay_deadline(), deadline);
	task_current()->timeout_ns = BAY_MS;
	ck_assert_int_lt(bay_deadline(), deadline);
	task_current()->deadline = BAY_INHERIT;
	return BAY_OK;
}

static int
yield_once(void *arg)
{
	(void)arg;
	return bay_yield();
}

TASK_TEST(a_yield_ends_as_cancelled_when_that_came_meanwhile)
{
	struct bay_task *task = bay_spawn("yields", yield_once, NULL);

	/* It yields behind us, and then goes on behind us. */
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_task_done(task));
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_CANCELED);
	return BAY_OK;
}

CHECK_MAIN("runtime/task",
	a_task_runs_when_its_maker_awaits_and_gives_its_result,
	a_name_is_copied_and_cut_at_23_bytes,
	nothing_to_run_is_no_task,
	a_task_of_nobody_runs_to_its_end,
	a_task_has_no_reply_to_take,
	a_tree_may_be_deep,
	a_tree_may_be_wide,
	stacks_are_used_again,
	a_forgotten_child_is_cancelled_and_waited_for,
	a_forgotten_child_hears_why,
	a_failure_that_nobody_collected_is_logged,
	a_failure_that_somebody_asked_about_is_not_logged,
	a_handle_given_up_unseen_after_a_failure_cancels_its_owner,
	one_that_was_cancelled_has_not_failed,
	a_handle_given_up_early_cancels_its_task,
	a_handle_that_somebody_waits_for_is_not_freed,
	a_failure_that_nobody_can_collect_cancels_the_owner_and_its_other_tasks,
	a_failure_goes_up_until_somebody_answers_for_it,
	a_task_that_fails_because_of_its_own_names_the_first_failure,
	cancelled_is_seen_at_every_await_until_the_end,
	one_that_does_not_care_lets_the_others_run_all_the_same,
	a_reason_is_copied_and_cut_at_63_bytes,
	one_cancelled_before_it_began_sees_it_at_its_first_await,
	cancelling_one_that_has_ended_does_nothing,
	a_cancelled_task_may_still_spawn,
	a_yield_lets_all_the_others_run_once,
	a_yield_of_a_task_that_is_to_end_lets_the_others_run_too,
	a_yield_sees_an_inherited_deadline,
	a_timeout_ends_a_task_that_only_yields,
	a_timeout_is_inherited_too,
	a_timeout_never_puts_a_deadline_off,
	a_yield_ends_as_cancelled_when_that_came_meanwhile,
	outside_a_task_nothing_awaits)
