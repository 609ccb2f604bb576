/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scope.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/status.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/wait.h"

void
scope_init(struct bay_scope *scope, struct task *owner, int64_t deadline)
{
	list_init(&scope->handles);
	list_init(&scope->in_task);
	scope->owner = owner;
	scope->failed = NULL;
	scope->closing = NULL;
	scope->deadline = deadline;
	scope->live = 0;
	scope->status = BAY_OK;
	scope->error = NULL;
	scope->canceled = NULL;
}

void
scope_cancel(struct bay_scope *scope, const char *reason)
{
	if (scope->canceled == NULL)
		scope->canceled = xstrndup(reason != NULL ? reason : "cancelled", 63);
	/* A started call ends at once when cancelled, and may then be freed by nobody but
	 * us: the list does not change under our feet. */
	list_for_each_safe(pos, &scope->handles) {
		struct bay_task *handle = container_of(pos, struct bay_task, in_scope);

		if (!handle->done)
			handle->kind->cancel(handle, scope->canceled);
	}
}

void
scope_wait(struct bay_scope *scope, const char *cancel_reason)
{
	struct waiter waiter;

	if (cancel_reason != NULL)
		scope_cancel(scope, cancel_reason);
	/* Between the end of the last one and our turn, somebody may have added another. */
	while (scope->live > 0) {
		int status;

		waiter_init(&waiter, cancel_reason == NULL ? AWAIT_CANCELABLE : AWAIT_TO_THE_END);
		scope->closing = &waiter;
		status = task_await(&waiter, scope->deadline);
		scope->closing = NULL;
		if (status == BAY_OK)
			continue;
		cancel_reason = status == BAY_TIMEOUT ? "deadline" : waiter.task->canceled;
		scope_cancel(scope, cancel_reason);
	}
}

void
scope_adopt(struct bay_scope *scope, struct bay_task *handle)
{
	handle->scope = scope;
	list_push_back(&scope->handles, &handle->in_scope);
	scope->live += handle->kind->shares_memory;
}

static bool
scope_failed_unseen(const struct bay_task *handle)
{
	return handle->done && !handle->collected && handle->status != BAY_OK;
}

/* A failure that nobody asked about is at least said. */
static void
scope_report_unseen(struct bay_task *handle)
{
	const struct task *task = task_of_handle(handle);
	char room[STATUS_ROOM];

	if (scope_failed_unseen(handle))
		log_error(task_subject(task != NULL ? task : task_current()),
			"%s%s failed and nobody asked how it ended: %s%s%s", task != NULL ? "task " : "a call",
			task != NULL ? task->name : "", status_text(handle->status, room),
			handle->error != NULL ? ": " : "", handle->error != NULL ? handle->error : "");
}

void
scope_release(struct bay_scope *scope)
{
	while (!list_empty(&scope->handles)) {
		struct bay_task *handle = container_of(list_first(&scope->handles), struct bay_task, in_scope);

		scope_report_unseen(handle);
		list_remove(&handle->in_scope);
		handle->scope = NULL;
		handle->kind->release(handle);
	}
}

void
scope_finish(struct bay_scope *scope)
{
	scope_release(scope);
	list_remove(&scope->in_task);
	free(scope->error);
	free(scope->canceled);
	scope->error = NULL;
	scope->canceled = NULL;
	scope->status = BAY_OK;
}

void
scope_handle_ended(struct bay_scope *scope, struct bay_task *handle)
{
	if (!handle->kind->shares_memory)
		return;
	if (--scope->live == 0 && scope->closing != NULL)
		waiter_wake(scope->closing, BAY_OK);
}

void
scope_failure_unseen(struct bay_scope *scope, const char *name, int status, const char *error)
{
	char room[STATUS_ROOM];
	char *text = xasprintf("task %s failed: %s%s%s", name, status_text(status, room),
		error != NULL ? ": " : "", error != NULL ? error : "");

	log_error(task_subject(task_current()), "%s", text);
	if (scope->status == BAY_OK) {
		scope->status = status;
		scope->error = xstrdup(text);
	}
	scope_cancel(scope, text);
	if (scope->failed != NULL)
		scope->failed(scope);
	else if (scope->owner != NULL && scope == &scope->owner->scope)
		task_cancel(scope->owner, text);
	free(text);
}

/* --- public ------------------------------------------------------------------- */

struct bay_scope *
bay_scope_open(int64_t deadline)
{
	struct task *self = task_current();
	struct bay_scope *scope;

	if (!AWAIT_BEGIN("bay_scope_open"))
		return NULL;
	scope = malloc(sizeof *scope);
	if (scope == NULL)
		return NULL;
	scope_init(scope, self, task_deadline(self, deadline));
	list_push_back(&self->scopes, &scope->in_task);
	return scope;
}

void
bay_scope_cancel(struct bay_scope *scope, const char *reason)
{
	scope_cancel(scope, reason);
}

/* How its tasks ended: the first failure of those without a handle, else of the others. */
static int
scope_result(const struct bay_scope *scope)
{
	if (scope->status != BAY_OK)
		return scope->status;
	list_for_each(pos, &scope->handles) {
		struct bay_task *handle = container_of(pos, struct bay_task, in_scope);

		if (scope_failed_unseen(handle))
			return handle->status;
	}
	return BAY_OK;
}

int
bay_scope_close(struct bay_scope *scope)
{
	int status;

	if (scope == NULL || !AWAIT_BEGIN("bay_scope_close"))
		return BAY_INVALID;
	if (scope->owner != task_current()) {
		log_error(task_subject(task_current()), "bay_scope_close: only the task that opened a scope closes it");
		return BAY_INVALID;
	}
	scope_wait(scope, NULL);
	status = scope_result(scope);
	if (status == BAY_OK && scope->canceled != NULL)
		status = scope->owner->canceled != NULL ? BAY_CANCELED
			: scope->deadline <= scope->owner->scheduler->loop.now_ns ? BAY_TIMEOUT : BAY_OK;
	scope_finish(scope);
	free(scope);
	return status;
}
