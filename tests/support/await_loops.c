/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/await_loops.h"

#include <bay/bay.h>

#include "runtime/scheduler.h"
#include "support/check_main.h"

/* A loop that nobody ends runs into the time limit of the tests. */
struct looper {
	const struct await_loop *loop;
	unsigned passed;
	bool done;
};

static int
loop_on(void *arg)
{
	struct looper *looper = arg;
	int status = BAY_OK;

	while (status == BAY_OK && !looper->done) {
		status = looper->loop->pass();
		looper->passed++;
	}
	return status;
}

/* Ready while the loop begins. */
static int
end_it(void *arg)
{
	struct looper *looper = arg;

	looper->done = true;
	return BAY_OK;
}

/* Every await costs a unit of the slice at least. */
static void
check_others_run(const struct await_loop *loop)
{
	struct looper looper = {.loop = loop};
	struct bay_task *task = bay_spawn("loops", loop_on, &looper);

	ck_assert_int_eq(bay_go("ends it", end_it, &looper), BAY_OK);
	ck_assert_msg(bay_join(task, BAY_INHERIT) == BAY_OK, "%s", loop->name);
	ck_assert_msg(looper.passed <= SCHEDULER_SLICE, "%s: %u awaits until somebody else ran", loop->name,
		looper.passed);
}

static int
cancel_it(void *arg)
{
	bay_task_cancel(arg, "enough");
	return BAY_OK;
}

static void
check_cancellation_is_seen(const struct await_loop *loop)
{
	struct looper looper = {.loop = loop};
	struct bay_task *task = bay_spawn("loops", loop_on, &looper);
	int status;

	ck_assert_int_eq(bay_go("cancels", cancel_it, task), BAY_OK);
	status = bay_join(task, BAY_INHERIT);
	ck_assert_msg(status == BAY_CANCELED, "%s: %s", loop->name, bay_status_name(status));
	bay_task_free(task);
}

static void
check_deadline_is_seen(const struct await_loop *loop)
{
	struct bay_scope *scope = bay_scope_open(bay_after(BAY_MS));
	struct looper looper = {.loop = loop};
	struct bay_task *task = bay_scope_spawn(scope, "loops", loop_on, &looper);
	int status = bay_join(task, BAY_INHERIT);

	ck_assert_msg(status == BAY_TIMEOUT, "%s: %s", loop->name, bay_status_name(status));
	bay_task_free(task);
	bay_scope_close(scope);
}

int
await_loops_check(const struct await_loop *loops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_others_run(&loops[i]);
		check_cancellation_is_seen(&loops[i]);
		check_deadline_is_seen(&loops[i]);
	}
	return BAY_OK;
}
