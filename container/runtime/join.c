/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for handles: one, all of them, some of them. The waiter stands in
 * each handle that has not ended; the last one, or the first failure, wakes it.
 *
 * What has ended before is no reason to wait: it is given even after the deadline, but by
 * await_refused(), since started calls end at once and a loop of them must let others run.
 */
#include "config.h"

#include <bay/task.h>

#include "base/log.h"
#include "runtime/handle.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/wait.h"

/* The waiter of several handles. */
struct gathering {
	struct waiter waiter;
	size_t missing;           /* have not ended */
	struct bay_task *failed;  /* the first that ended badly */
	bool to_the_end;          /* failures do not end the wait */
	bool to_any;              /* every end does */
	bool timed_out;           /* those that end now were cancelled by the deadline */
};

static bool
gathering_ended(struct waiter *waiter, struct bay_task *handle)
{
	struct gathering *gathering = (struct gathering *)waiter;

	gathering->missing--;
	handle->collected = true;
	/* Who says that he was cancelled was so by us, and the cause that he passes on is the
	 * deadline. */
	if (gathering->timed_out && handle->status == BAY_CANCELED)
		handle->status = BAY_TIMEOUT;
	if (handle->status != BAY_OK && gathering->failed == NULL)
		gathering->failed = handle;
	return gathering->missing == 0 || (gathering->failed != NULL && !gathering->to_the_end);
}

static void
gathering_forget(const struct gathering *gathering, struct bay_task *const *tasks, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (tasks[i] != NULL && tasks[i]->waiter == &gathering->waiter)
			tasks[i]->waiter = NULL;
	}
}

/* Stands in every handle that has not ended, and counts those; in none unless BAY_OK. */
static int
gathering_begin(struct gathering *gathering, struct bay_task *const *tasks, size_t count)
{
	int status;
	size_t i;

	for (i = 0; i < count; i++) {
		struct bay_task *handle = tasks[i];

		if (handle != NULL && handle_is_gone(handle, gathering->waiter.task->awaiting)) {
			gathering_forget(gathering, tasks, i);
			return BAY_INVALID;
		}
		if (handle == NULL || handle->done)
			continue;
		status = handle_refusal(handle, gathering->waiter.task, gathering->waiter.task->awaiting);
		if (status != BAY_OK) {
			gathering_forget(gathering, tasks, i);
			return status;
		}
		handle->waiter = &gathering->waiter;
		gathering->missing++;
	}
	return BAY_OK;
}

/* Whether there is anything to wait for; a cancelled task hears of that in its wait. */
static bool
gathering_must_wait(const struct gathering *gathering)
{
	return gathering->missing > 0 || gathering->waiter.task->canceled != NULL;
}

/* The status of the first in the list that ended badly. */
static int
gathering_first_failure(struct bay_task *const *tasks, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (tasks[i] == NULL)
			return BAY_NO_MEMORY;
		if (tasks[i]->done) {
			tasks[i]->collected = true;
			if (tasks[i]->status != BAY_OK)
				return tasks[i]->status;
		}
	}
	return BAY_OK;
}

/* Cancels what has not ended and waits for what uses our memory. */
static void
gathering_cancel(const struct gathering *gathering, struct bay_task *const *tasks, size_t count,
	const char *reason, bool timed_out)
{
	struct gathering rest = {.to_the_end = true, .timed_out = timed_out};
	size_t i;

	gathering_forget(gathering, tasks, count);
	waiter_init(&rest.waiter, AWAIT_TO_THE_END);
	rest.waiter.ended = gathering_ended;
	/* Before they are cancelled: a started call ends at once. */
	if (gathering_begin(&rest, tasks, count) != BAY_OK)
		return;
	for (i = 0; i < count; i++) {
		if (tasks[i] != NULL && !tasks[i]->done)
			tasks[i]->kind->cancel(tasks[i], reason);
	}
	if (rest.missing > 0)
		(void)task_await(&rest.waiter, BAY_INHERIT);
}

/* The wait was cut short by its deadline or by the cancellation of the waiting task. */
static void
gathering_interrupted(const struct gathering *gathering, struct bay_task *const *tasks, size_t count,
	int status)
{
	bool timed_out = status == BAY_TIMEOUT;

	gathering_cancel(gathering, tasks, count,
		timed_out ? "deadline" : gathering->waiter.task->canceled, timed_out);
}

int
bay_gather(struct bay_task *const *tasks, size_t count, int64_t deadline)
{
	struct gathering gathering = {.missing = 0};
	int status;

	if (!AWAIT_BEGIN("bay_gather"))
		return BAY_INVALID;
	waiter_init(&gathering.waiter, AWAIT_CANCELABLE);
	gathering.waiter.ended = gathering_ended;
	status = gathering_begin(&gathering, tasks, count);
	if (status != BAY_OK)
		return await_refused(task_current(), status);
	status = gathering_first_failure(tasks, count);
	if (status == BAY_OK && gathering_must_wait(&gathering)) {
		status = task_await(&gathering.waiter, deadline);
		if (status != BAY_OK) {
			gathering_interrupted(&gathering, tasks, count, status);
			return status;
		}
		status = gathering.failed != NULL ? gathering.failed->status : BAY_OK;
	}
	if (status != BAY_OK)
		gathering_cancel(&gathering, tasks, count, "a sibling failed", false);
	return await_refused(task_current(), status);
}

static void
gathering_collect(struct bay_task *const *tasks, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (tasks[i] != NULL && tasks[i]->done)
			tasks[i]->collected = true;
	}
}

int
bay_gather_all(struct bay_task *const *tasks, size_t count, int64_t deadline)
{
	struct gathering gathering = {.to_the_end = true};
	int status;

	if (!AWAIT_BEGIN("bay_gather_all"))
		return BAY_INVALID;
	waiter_init(&gathering.waiter, AWAIT_CANCELABLE);
	gathering.waiter.ended = gathering_ended;
	status = gathering_begin(&gathering, tasks, count);
	if (status != BAY_OK)
		return await_refused(task_current(), status);
	gathering_collect(tasks, count);
	if (!gathering_must_wait(&gathering))
		return await_refused(task_current(), BAY_OK);
	status = task_await(&gathering.waiter, deadline);
	if (status != BAY_OK)
		gathering_interrupted(&gathering, tasks, count, status);
	return status;
}

/* --- waiting that changes nothing -------------------------------------------------- */

/* Whoever waits has not asked how it ended. */
static bool
waiting_ended(struct waiter *waiter, struct bay_task *handle)
{
	struct gathering *gathering = (struct gathering *)waiter;

	gathering->missing--;
	return gathering->missing == 0 || gathering->to_any ||
		(handle->status != BAY_OK && !gathering->to_the_end);
}

/* Whether what is waited for has happened before the wait. */
static bool
waiting_is_over(struct bay_task *const *tasks, size_t count, enum bay_wait_until until)
{
	size_t i, missing = 0;

	for (i = 0; i < count; i++) {
		int status = tasks[i] == NULL ? BAY_NO_MEMORY : tasks[i]->status;

		if (tasks[i] != NULL && !tasks[i]->done)
			missing++;
		else if (until == BAY_UNTIL_ANY || (until == BAY_UNTIL_ERROR && status != BAY_OK))
			return true;
	}
	return missing == 0;
}

/* What was waited for is there already. */
static int
waiting_refused(void)
{
	struct task *self = task_current();

	return await_refused(self, self->canceled != NULL ? BAY_CANCELED : BAY_OK);
}

int
bay_wait(struct bay_task *const *tasks, size_t count, enum bay_wait_until until, int64_t deadline)
{
	struct gathering gathering = {.to_any = until == BAY_UNTIL_ANY,
		.to_the_end = until == BAY_UNTIL_ALL};
	int status;

	if (!AWAIT_BEGIN("bay_wait"))
		return BAY_INVALID;
	if (until != BAY_UNTIL_ANY && until != BAY_UNTIL_ALL && until != BAY_UNTIL_ERROR) {
		log_error(task_subject(task_current()), "bay_wait: there is no way %d to wait [misuse-argument]", (int)until);
		return BAY_INVALID;
	}
	if (waiting_is_over(tasks, count, until))
		return waiting_refused();
	waiter_init(&gathering.waiter, AWAIT_CANCELABLE);
	gathering.waiter.any = until != BAY_UNTIL_ALL;
	gathering.waiter.ended = waiting_ended;
	status = gathering_begin(&gathering, tasks, count);
	if (status != BAY_OK)
		return await_refused(task_current(), status);
	status = task_await(&gathering.waiter, deadline);
	gathering_forget(&gathering, tasks, count);
	return status;
}

static size_t
first_done(struct bay_task *const *tasks, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (tasks[i] == NULL || tasks[i]->done)
			return i;
	}
	return count;
}

int
bay_wait_first(struct bay_task *const *tasks, size_t count, size_t *index_r, int64_t deadline)
{
	struct gathering gathering = {.missing = 0};
	int status;

	if (!AWAIT_BEGIN("bay_wait_first"))
		return BAY_INVALID;
	if (count == 0) {
		log_error(task_subject(task_current()),
			"bay_wait_first: the list is empty, so nothing would ever end the wait [misuse-argument]");
		return BAY_INVALID;
	}
	*index_r = first_done(tasks, count);
	if (*index_r < count)
		return waiting_refused();
	waiter_init(&gathering.waiter, AWAIT_CANCELABLE);
	gathering.waiter.any = true;
	status = gathering_begin(&gathering, tasks, count);
	if (status != BAY_OK)
		return await_refused(task_current(), status);
	status = task_await(&gathering.waiter, deadline);
	gathering_forget(&gathering, tasks, count);
	if (status == BAY_OK)
		*index_r = first_done(tasks, count);
	return status;
}

/* From its end on the handle is the joiner's: its owner may end before the joiner runs. */
static bool
join_ended(struct waiter *waiter, struct bay_task *handle)
{
	(void)waiter;
	list_remove(&handle->in_scope);
	return true;
}

/* The result of the task could as well be that of the wait: the joiner has to ask the handle,
 * which is freed with the joiner at the latest. */
static void
join_keep(struct bay_task *handle, struct task *self)
{
	list_remove(&handle->in_scope);
	handle->scope = &self->scope;
	list_push_back(&self->scope.handles, &handle->in_scope);
}

/* Gives the result of one that has ended. */
static int
join_collect(struct bay_task *task, struct task *self)
{
	int status = task->status;

	task->collected = true;
	if (status == BAY_TIMEOUT || status == BAY_CANCELED) {
		join_keep(task, self);
		return status;
	}
	/* Out of the list already, unless it had ended before. */
	if (!list_empty(&task->in_scope))
		list_remove(&task->in_scope);
	task->scope = NULL;
	task->kind->release(task);
	return status;
}

int
bay_join(struct bay_task *task, int64_t deadline)
{
	struct waiter waiter;
	struct task *self;
	int status;

	if (!AWAIT_BEGIN("bay_join"))
		return BAY_INVALID;
	self = task_current();
	if (task == NULL)
		return await_refused(self, BAY_NO_MEMORY);
	if (handle_is_gone(task, "bay_join"))
		return await_refused(self, BAY_INVALID);
	if (task->done)
		return await_refused(self, self->canceled != NULL ? BAY_CANCELED : join_collect(task, self));
	status = handle_refusal(task, self, "bay_join");
	if (status != BAY_OK)
		return await_refused(self, status);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.ended = join_ended;
	task->waiter = &waiter;
	status = task_await(&waiter, deadline);
	if (task->done)
		return join_collect(task, self);
	task->waiter = NULL;
	return status;
}
