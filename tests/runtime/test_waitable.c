/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/waitable.h"

#include <stdio.h>
#include <string.h>

#include <bay/event.h>
#include <bay/lock.h>
#include <bay/semaphore.h>

#include "support/log_lines.h"
#include "support/run_tasks.h"

/* Takes one lock, and after a turn another. */
struct crossing {
	struct bay_lock *first;
	struct bay_lock *second;
	int status;
};

static int
cross(void *arg)
{
	struct crossing *crossing = arg;

	ck_assert_int_eq(bay_lock_acquire(crossing->first, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	crossing->status = bay_lock_acquire(crossing->second, BAY_INHERIT);
	if (crossing->status == BAY_OK)
		ck_assert_int_eq(bay_lock_release(crossing->second), BAY_OK);
	ck_assert_int_eq(bay_lock_release(crossing->first), BAY_OK);
	return BAY_OK;
}

static const struct task *
inside_of(struct bay_task *handle)
{
	return task_of_handle(handle);
}

static void
turns(int count)
{
	while (count-- > 0)
		ck_assert_int_eq(bay_yield(), BAY_OK);
}

TASK_TEST(a_waiting_task_says_for_what_and_for_whom)
{
	struct bay_lock *a = bay_lock_create("a"), *b = bay_lock_create("b");
	struct crossing crossing = {a, b, -1};
	struct bay_task *task;
	char text[128], wanted[128];

	ck_assert_int_eq(bay_lock_acquire(b, BAY_INHERIT), BAY_OK);
	task = bay_spawn("writer", cross, &crossing);
	turns(1);
	ck_assert(!waitable_describe(inside_of(task), text, sizeof text));
	turns(1);
	ck_assert(waitable_describe(inside_of(task), text, sizeof text));
	snprintf(wanted, sizeof wanted, "lock b held by task %u test", (unsigned)task_current()->id);
	ck_assert_str_eq(text, wanted);
	ck_assert_int_eq(bay_lock_release(b), BAY_OK);
	ck_assert(!waitable_describe(inside_of(task), text, sizeof text));
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	bay_lock_destroy(a);
	bay_lock_destroy(b);
	return BAY_OK;
}

static int
wait_for_event(void *event)
{
	return bay_event_wait(event, BAY_INHERIT);
}

TASK_TEST(what_has_no_holder_or_no_name_is_described_too)
{
	struct bay_event *named = bay_event_create("a name that is longer than there is room for");
	struct bay_event *unnamed = bay_event_create(NULL);
	struct bay_task *tasks[] = {
		bay_spawn("one", wait_for_event, named), bay_spawn("two", wait_for_event, unnamed)};
	char text[128];

	turns(1);
	ck_assert(waitable_describe(inside_of(tasks[0]), text, sizeof text));
	ck_assert_str_eq(text, "event a name that is longer than ther");
	ck_assert(waitable_describe(inside_of(tasks[1]), text, sizeof text));
	ck_assert_str_eq(text, "event");
	bay_event_set(named);
	bay_event_set(unnamed);
	ck_assert_int_eq(bay_gather(tasks, 2, BAY_INHERIT), BAY_OK);
	bay_event_destroy(named);
	bay_event_destroy(unnamed);
	return BAY_OK;
}

/* Three tasks, each with a lock that the next one wants, and one that waits for them. */
TASK_TEST(a_circle_is_named_in_full)
{
	struct bay_lock *locks[] = {bay_lock_create("a"), bay_lock_create("b"), bay_lock_create("c")};
	struct crossing crossings[] = {
		{locks[0], locks[1], -1}, {locks[1], locks[2], -1}, {locks[2], locks[0], -1}};
	struct bay_task *tasks[] = {bay_spawn("one", cross, &crossings[0]), bay_spawn("two", cross, &crossings[1]),
		bay_spawn("three", cross, &crossings[2])};
	char text[256], wanted[256], small[24];
	unsigned first = (unsigned)bay_task_id(tasks[0]);

	log_lines_keep();
	turns(2);
	snprintf(wanted, sizeof wanted, "lock b held by task %u two, which waits for lock c held by task %u three, "
		"which waits for lock a held by task %u one: deadlock", first + 1, first + 2, first);
	ck_assert(waitable_describe(inside_of(tasks[0]), text, sizeof text));
	ck_assert_str_eq(text, wanted);
	/* As much as there is room for. */
	ck_assert(waitable_describe(inside_of(tasks[0]), small, sizeof small));
	ck_assert_uint_eq(strlen(small), sizeof small - 1);
	ck_assert_int_eq(strncmp(small, wanted, sizeof small - 1), 0);
	/* Once, by the one who closed it. */
	ck_assert_int_eq(log_lines_with("three waits for lock a held by task"), 1);
	ck_assert_int_eq(log_lines_with("deadlock"), 1);
	/* Who waits for one in the circle is not in it. */
	ck_assert_int_eq(bay_lock_acquire(locks[0], bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(log_lines_with("deadlock"), 1);
	/* A cancellation opens it. */
	bay_task_cancel(tasks[1], "break the circle");
	ck_assert_int_eq(bay_gather(tasks, 3, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(crossings[0].status, BAY_OK);
	ck_assert_int_eq(crossings[1].status, BAY_CANCELED);
	ck_assert_int_eq(crossings[2].status, BAY_OK);
	for (int i = 0; i < 3; i++)
		bay_lock_destroy(locks[i]);
	return BAY_OK;
}

TASK_TEST(what_belongs_to_another_loop_is_refused)
{
	struct bay_semaphore *semaphore = bay_semaphore_create("theirs", 1);
	struct waitable *waitable = (struct waitable *)semaphore;

	log_lines_keep();
	waitable->scheduler = NULL;
	ck_assert_int_eq(bay_semaphore_acquire(semaphore, 1, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_semaphore_acquire: semaphore theirs belongs to another loop"), 1);
	ck_assert_int_eq(bay_semaphore_release(semaphore, 1), BAY_INVALID);
	bay_semaphore_destroy(semaphore);
	waitable->scheduler = &run_tasks_scheduler;
	ck_assert_uint_eq(bay_semaphore_value(semaphore), 1);
	ck_assert_int_eq(bay_semaphore_acquire(NULL, 1, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_semaphore_acquire: NULL was given"), 1);
	bay_semaphore_destroy(semaphore);
	return BAY_OK;
}

START_TEST(off_the_loops_there_are_none)
{
	log_lines_keep();
	ck_assert_ptr_null(bay_lock_create("nowhere"));
	ck_assert_int_eq(log_lines_with("a lock was asked for on a thread that is no loop"), 1);
	ck_assert_int_eq(bay_lock_acquire(NULL, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(log_lines_with("bay_lock_acquire was called on a thread that is no loop"), 1);
}
END_TEST

static void
call_it_north(const struct waitable *waitable, const struct waiter *waiter, char *text, size_t size)
{
	snprintf(text, size, "north of %s%s", waitable->name, waiter != NULL ? ", waited for" : "");
}

TASK_TEST(a_name_may_be_made_when_it_is_asked_for)
{
	struct bay_event *event = bay_event_create("here");
	struct bay_task *task = bay_spawn("waits", wait_for_event, event);
	char text[128];

	((struct waitable *)event)->describe = call_it_north;
	turns(1);
	ck_assert(waitable_describe(inside_of(task), text, sizeof text));
	ck_assert_str_eq(text, "event north of here, waited for");
	bay_event_set(event);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), BAY_OK);
	bay_event_destroy(event);
	return BAY_OK;
}

CHECK_MAIN("runtime/waitable",
	a_waiting_task_says_for_what_and_for_whom,
	what_has_no_holder_or_no_name_is_described_too,
	a_circle_is_named_in_full,
	what_belongs_to_another_loop_is_refused,
	off_the_loops_there_are_none,
	a_name_may_be_made_when_it_is_asked_for)
