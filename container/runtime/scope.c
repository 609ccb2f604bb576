/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scope.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
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
	if (scope->live == 0)
		return;
	if (cancel_reason == NULL) {
		int status;

		waiter_init(&waiter, AWAIT_CANCELABLE);
		scope->closing = &waiter;
		status = task_await(&waiter, scope->deadline);
		scope->closing = NULL;
		if (status == BAY_OK)
			return;
		scope_cancel(scope, status == BAY_TIMEOUT ? "deadline" : waiter.task->canceled);
		if (scope->live == 0)
			return;
	}
	waiter_init(&waiter, AWAIT_TO_THE_END);
	scope->closing = &waiter;
	(void)task_await(&waiter, BAY_INHERIT);
	scope->closing = NULL;
}

void
scope_adopt(struct bay_scope *scope, struct bay_task *handle)
{
	handle->scope = scope;
	list_push_back(&scope->handles, &handle->in_scope);
	scope->live += handle->kind->shares_memory;
}

/* A failure that nobody asked about is at least said. */
static void
scope_report_unseen(const struct bay_task *handle)
{
	if (handle->done && !handle->collected && handle->status != BAY_OK && handle->status != BAY_CANCELED)
		log_error(NULL, "a task or call failed and nobody asked how it ended: %s%s%s",
			bay_status_name(handle->status), handle->error != NULL ? ": " : "",
			handle->error != NULL ? handle->error : "");
}

void
scope_finish(struct bay_scope *scope)
{
	while (!list_empty(&scope->handles)) {
		struct bay_task *handle = container_of(list_first(&scope->handles), struct bay_task, in_scope);

		scope_report_unseen(handle);
		list_remove(&handle->in_scope);
		handle->scope = NULL;
		handle->kind->release(handle);
	}
	list_remove(&scope->in_task);
	free(scope->error);
	free(scope->canceled);
	scope->error = NULL;
	scope->canceled = NULL;
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
	char *text = xasprintf("task %s failed: %s%s%s", name, bay_status_name(status),
		error != NULL ? ": " : "", error != NULL ? error : "");

	log_error(NULL, "%s", text);
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

int
bay_scope_close(struct bay_scope *scope)
{
	int status;

	if (scope == NULL || !AWAIT_BEGIN("bay_scope_close"))
		return BAY_INVALID;
	if (scope->owner != task_current()) {
		log_error(NULL, "bay_scope_close: only the task that opened a scope closes it");
		return BAY_INVALID;
	}
	scope_wait(scope, NULL);
	status = scope->status;
	if (status == BAY_OK && scope->canceled != NULL)
		status = scope->owner->canceled != NULL ? BAY_CANCELED
			: scope->deadline <= scope->owner->scheduler->loop.now_ns ? BAY_TIMEOUT : BAY_OK;
	scope_finish(scope);
	free(scope);
	return status;
}
