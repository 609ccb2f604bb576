/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/promise.h>

#include <bay/task.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

struct guest {
	struct bay_promise *promise;
	int64_t deadline;
	void *value;
	int status;
};

static int
wait_once(void *arg)
{
	struct guest *guest = arg;

	guest->status = bay_promise_wait(guest->promise, &guest->value, guest->deadline);
	return BAY_OK;
}

static struct bay_task *
start(struct guest *guest, struct bay_promise *promise)
{
	struct bay_task *task;

	*guest = (struct guest){promise, BAY_INHERIT, NULL, -1};
	task = bay_spawn("guest", wait_once, guest);
	ck_assert_ptr_nonnull(task);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static int thing;

TASK_TEST(all_get_the_value_before_and_after)
{
	struct bay_promise *promise = bay_promise_create("answer");
	struct guest guests[5];
	struct bay_task *tasks[5];
	void *value = NULL;
	int i;

	for (i = 0; i < 5; i++)
		tasks[i] = start(&guests[i], promise);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_promise_done(promise));
	ck_assert_int_eq(bay_promise_status(promise), BAY_BUSY);
	ck_assert_int_eq(bay_promise_set(promise, &thing), BAY_OK);
	ck_assert(bay_promise_done(promise));
	ck_assert_int_eq(bay_promise_status(promise), BAY_OK);
	for (i = 0; i < 5; i++) {
		end(tasks[i]);
		ck_assert_int_eq(guests[i].status, BAY_OK);
		ck_assert_ptr_eq(guests[i].value, &thing);
	}
	ck_assert_int_eq(bay_promise_wait(promise, &value, bay_after(-BAY_SECOND)), BAY_OK);
	ck_assert_ptr_eq(value, &thing);
	ck_assert_int_eq(bay_promise_wait(promise, NULL, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(bay_promise_error(promise), "");
	bay_promise_destroy(promise);
	bay_promise_destroy(NULL);
	return BAY_OK;
}

TASK_TEST(it_is_settled_once)
{
	struct bay_promise *promise = bay_promise_create("once");
	void *value = NULL;

	ck_assert_int_eq(bay_promise_set(promise, &thing), BAY_OK);
	ck_assert_int_eq(bay_promise_set(promise, NULL), BAY_CLOSED);
	ck_assert_int_eq(bay_promise_fail(promise, BAY_IO, "too late"), BAY_CLOSED);
	ck_assert_int_eq(bay_promise_cancel(promise, "too late"), BAY_CLOSED);
	ck_assert_int_eq(bay_promise_wait(promise, &value, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_eq(value, &thing);
	bay_promise_destroy(promise);
	return BAY_OK;
}

TASK_TEST(all_get_the_failure_and_its_text)
{
	struct bay_promise *promise = bay_promise_create("bad");
	struct guest guest;
	struct bay_task *task = start(&guest, promise);
	void *value = &thing;

	log_lines_keep();
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_promise_fail(promise, BAY_IO, "disk %d", 7), BAY_OK);
	end(task);
	ck_assert_int_eq(guest.status, BAY_IO);
	ck_assert_int_eq(bay_promise_wait(promise, &value, BAY_INHERIT), BAY_IO);
	ck_assert_ptr_eq(value, &thing);
	ck_assert_int_eq(bay_promise_status(promise), BAY_IO);
	ck_assert_str_eq(bay_promise_error(promise), "disk 7");
	bay_promise_destroy(promise);
	ck_assert_int_eq(log_lines_with("nobody asked"), 0);
	/* Success is no failure. */
	promise = bay_promise_create("worse");
	ck_assert_int_eq(bay_promise_fail(promise, BAY_OK, "no"), BAY_OK);
	ck_assert_int_eq(bay_promise_status(promise), BAY_FAILED);
	bay_promise_destroy(promise);
	return BAY_OK;
}

TASK_TEST(a_failure_that_nobody_saw_is_logged)
{
	struct bay_promise *promise = bay_promise_create("unseen");
	struct bay_promise *canceled = bay_promise_create("unwanted");

	log_lines_keep();
	ck_assert_int_eq(bay_promise_fail(promise, BAY_IO, "disk full"), BAY_OK);
	bay_promise_destroy(promise);
	ck_assert_int_eq(log_lines_with("promise unseen failed and nobody asked how it ended: io: disk full"), 1);
	ck_assert_int_eq(bay_promise_cancel(canceled, "no need"), BAY_OK);
	bay_promise_destroy(canceled);
	ck_assert_int_eq(log_lines_with("nobody asked"), 1);
	return BAY_OK;
}

/* A cancelled promise and a cancelled wait can be told apart. */
TASK_TEST(cancelling_it_ends_all_waits_and_cancelling_a_wait_only_that)
{
	struct bay_promise *promise = bay_promise_create("off");
	struct guest one, two;
	struct bay_task *first = start(&one, promise), *second = start(&two, promise);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(first, "only this one");
	end(first);
	ck_assert_int_eq(one.status, BAY_CANCELED);
	ck_assert(!bay_promise_done(promise));
	ck_assert(!bay_task_done(second));
	ck_assert_int_eq(bay_promise_cancel(promise, "no need"), BAY_OK);
	end(second);
	ck_assert_int_eq(two.status, BAY_CANCELED);
	ck_assert(bay_promise_done(promise));
	ck_assert_str_eq(bay_promise_error(promise), "no need");
	bay_promise_destroy(promise);
	promise = bay_promise_create("off");
	ck_assert_int_eq(bay_promise_cancel(promise, NULL), BAY_OK);
	ck_assert_str_eq(bay_promise_error(promise), "cancelled");
	bay_promise_destroy(promise);
	return BAY_OK;
}

TASK_TEST(a_waiter_cancelled_after_the_value_has_it)
{
	struct bay_promise *promise = bay_promise_create("both");
	struct guest guest;
	struct bay_task *task = start(&guest, promise);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_promise_set(promise, &thing), BAY_OK);
	bay_task_cancel(task, "enough");
	bay_promise_destroy(promise);
	end(task);
	ck_assert_int_eq(guest.status, BAY_OK);
	ck_assert_ptr_eq(guest.value, &thing);
	return BAY_OK;
}

TASK_TEST(a_deadline_ends_the_wait)
{
	struct bay_promise *promise = bay_promise_create("slow");
	int64_t deadline = bay_after(2 * BAY_MS);
	void *value = &thing;

	ck_assert_int_eq(bay_promise_wait(promise, &value, deadline), BAY_TIMEOUT);
	ck_assert_int_ge(bay_now(), deadline);
	ck_assert_ptr_eq(value, &thing);
	ck_assert_int_eq(bay_promise_set(promise, NULL), BAY_OK);
	ck_assert_int_eq(bay_promise_wait(promise, &value, BAY_INHERIT), BAY_OK);
	ck_assert_ptr_null(value);
	bay_promise_destroy(promise);
	return BAY_OK;
}

TASK_TEST(destroying_ends_the_waits)
{
	struct bay_promise *promise = bay_promise_create("gone");
	struct guest guest;
	struct bay_task *task = start(&guest, promise);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_promise_destroy(promise);
	end(task);
	ck_assert_int_eq(guest.status, BAY_CLOSED);
	return BAY_OK;
}

CHECK_MAIN("runtime/promise",
	all_get_the_value_before_and_after,
	it_is_settled_once,
	all_get_the_failure_and_its_text,
	a_failure_that_nobody_saw_is_logged,
	cancelling_it_ends_all_waits_and_cancelling_a_wait_only_that,
	a_waiter_cancelled_after_the_value_has_it,
	a_deadline_ends_the_wait,
	destroying_ends_the_waits)
