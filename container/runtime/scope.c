/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/scope.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	scope->rules = NULL;
}

void
scope_cancel(struct bay_scope *scope, const char *reason)
{
	if (scope->canceled == NULL)
		scope->canceled = task_reason_copy(reason);
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
	while (scope->live > 0 || (scope->rules != NULL && scope->rules->reserved > 0)) {
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

/* --- room for more ------------------------------------------------------------- */

static bool
scope_has_room(const struct bay_scope *scope)
{
	return scope->live + scope->rules->reserved < scope->rules->limit;
}

/* Gives places to those who wait for them. Who closes it goes on when nobody is left. */
static void
scope_admit(struct bay_scope *scope)
{
	struct scope_rules *rules = scope->rules;
	struct list *first;

	while ((first = list_first(&rules->room)) != NULL && scope_has_room(scope)) {
		rules->reserved++;
		waiter_wake(container_of(first, struct waiter, link), BAY_OK);
	}
	if (scope->live == 0 && rules->reserved == 0 && scope->closing != NULL)
		waiter_wake(scope->closing, BAY_OK);
}

static int
scope_await_room(struct bay_scope *scope, int64_t deadline)
{
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = "for room in a scope";
	list_push_back(&scope->rules->room, &waiter.link);
	return task_await(&waiter, deadline);
}

int
scope_claim(struct bay_scope *scope, int64_t deadline)
{
	struct scope_rules *rules = scope->rules;

	if (rules == NULL || rules->limit == 0)
		return BAY_OK;
	if (list_empty(&rules->room) && scope_has_room(scope)) {
		rules->reserved++;
		return BAY_OK;
	}
	return rules->refuse ? BAY_FULL : scope_await_room(scope, deadline);
}

void
scope_settle(struct bay_scope *scope)
{
	if (scope->rules == NULL || scope->rules->limit == 0)
		return;
	scope->rules->reserved--;
	scope_admit(scope);
}

/* --- failures ------------------------------------------------------------------- */

struct scope_failure {
	struct list link;
	int status;
	char name[24];
	char *text;      /* malloc'd */
};

static void
scope_keep_failure(struct scope_rules *rules, const char *name, int status, const char *error)
{
	struct scope_failure *failure;

	if (rules->failure_count++ >= BAY_SCOPE_FAILURES)
		return;
	failure = xcalloc(1, sizeof *failure);
	failure->status = status;
	snprintf(failure->name, sizeof failure->name, "%s", name);
	failure->text = xstrdup(error != NULL ? error : "");
	list_push_back(&rules->failures, &failure->link);
}

static void
scope_forget_failures(struct scope_rules *rules)
{
	struct list *first;

	while ((first = list_pop_front(&rules->failures)) != NULL) {
		struct scope_failure *failure = container_of(first, struct scope_failure, link);

		free(failure->text);
		free(failure);
	}
	rules->failure_count = 0;
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
	struct task_identity who;
	char room[STATUS_ROOM];
	bool is_task;

	if (!scope_failed_unseen(handle))
		return;
	is_task = task_identify(handle, &who);
	log_error(is_task ? who.subject : task_subject(task_current()),
		"%s%s failed and nobody asked how it ended: %s%s%s [service-task]", is_task ? "task " : "a call",
		is_task ? who.name : "", status_text(handle->status, room),
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
	if (scope->rules != NULL)
		scope_forget_failures(scope->rules);
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
	scope->live--;
	if (__builtin_expect(scope->rules != NULL, 0))
		scope_admit(scope);
	else if (scope->live == 0 && scope->closing != NULL)
		waiter_wake(scope->closing, BAY_OK);
}

void
scope_failure_unseen(struct bay_scope *scope, const char *subject, const char *name, int status,
	const char *error)
{
	char room[STATUS_ROOM];
	char *text = xasprintf("task %s failed: %s%s%s", name, status_text(status, room),
		error != NULL ? ": " : "", error != NULL ? error : "");

	log_error(subject, "%s", text);
	if (scope->status == BAY_OK) {
		scope->status = status;
		scope->error = xstrdup(text);
	}
	if (scope->rules != NULL)
		scope_keep_failure(scope->rules, name, status, error);
	if (scope->rules == NULL || !scope->rules->collect_all)
		scope_cancel(scope, text);
	if (scope->failed != NULL)
		scope->failed(scope);
	else if (scope->owner != NULL && scope == &scope->owner->scope)
		task_cancel(scope->owner, text);
	free(text);
}

/* --- public ------------------------------------------------------------------- */

/* A scope and its rules in one piece: whoever frees the scope frees both. */
struct scope_opened {
	struct bay_scope scope;
	struct scope_rules rules;
};

static struct bay_scope *
scope_open(int64_t deadline)
{
	struct task *self = task_current();
	struct scope_opened *opened = alloc_try_zeroed(1, sizeof *opened);

	_Static_assert(offsetof(struct scope_opened, scope) == 0, "free(scope) frees both");
	if (opened == NULL)
		return NULL;
	scope_init(&opened->scope, self, task_deadline(self, deadline));
	opened->scope.rules = &opened->rules;
	list_init(&opened->rules.room);
	list_init(&opened->rules.failures);
	list_push_back(&self->scopes, &opened->scope.in_task);
	return &opened->scope;
}

struct bay_scope *
bay_scope_open(int64_t deadline)
{
	if (!AWAIT_BEGIN("bay_scope_open"))
		return NULL;
	return scope_open(deadline);
}

struct bay_scope *
bay_scope_open_with(const struct bay_scope_options *options)
{
	struct bay_scope *scope;

	if (!AWAIT_BEGIN("bay_scope_open_with"))
		return NULL;
	if (options->length != sizeof *options || (options->refuse && options->limit == 0)) {
		log_error(task_subject(task_current()), "bay_scope_open_with: %s [misuse-argument]",
			options->length != sizeof *options ? "length is not that of this container's options"
			: "without a limit there is nothing to refuse");
		return NULL;
	}
	scope = scope_open(options->deadline != 0 ? options->deadline : BAY_INHERIT);
	if (scope == NULL)
		return NULL;
	scope->rules->limit = options->limit;
	scope->rules->refuse = options->refuse;
	scope->rules->collect_all = options->collect_all;
	return scope;
}

size_t
bay_scope_size(const struct bay_scope *scope)
{
	return scope->live;
}

void
bay_scope_cancel(struct bay_scope *scope, const char *reason)
{
	if (scope != NULL)
		scope_cancel(scope, reason);
	else
		log_error(task_subject(task_current()),
			"bay_scope_cancel: NULL was given: was there no memory when it was opened? [misuse-null]");
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

/* Whether the running task may close it for the function. */
static bool
scope_is_mine(const struct bay_scope *scope, const char *function)
{
	if (scope != NULL && scope->owner == task_current() && scope->rules != NULL)
		return true;
	if (scope == NULL) {
		log_error(task_subject(task_current()),
			"%s: NULL was given: was there no memory when it was opened? [misuse-null]", function);
		return false;
	}
	log_error(task_subject(task_current()), "%s: only the task that opened a scope closes it [misuse-owner]", function);
	return false;
}

static int
scope_end(struct bay_scope *scope)
{
	int status;

	scope_wait(scope, NULL);
	status = scope_result(scope);
	if (status == BAY_OK && await_is_over(scope->owner))
		status = scope->owner->canceled != NULL ? BAY_CANCELED : BAY_TIMEOUT;
	else if (status == BAY_OK && scope->canceled != NULL && scope->deadline <= scope->owner->scheduler->loop.now_ns)
		status = BAY_TIMEOUT;
	return status;
}

int
bay_scope_close(struct bay_scope *scope)
{
	int status;

	if (!AWAIT_BEGIN("bay_scope_close") || !scope_is_mine(scope, "bay_scope_close"))
		return BAY_INVALID;
	status = scope_end(scope);
	scope_finish(scope);
	free(scope);
	return await_passed(task_current(), status);
}

int
bay_scope_wait(struct bay_scope *scope)
{
	if (!AWAIT_BEGIN("bay_scope_wait") || !scope_is_mine(scope, "bay_scope_wait"))
		return BAY_INVALID;
	return await_passed(task_current(), scope_end(scope));
}

static void
scope_fill_failure(struct bay_scope_failure *failure, const char *name, int status, const char *text)
{
	memset(failure, 0, sizeof *failure);
	failure->status = status;
	snprintf(failure->name, sizeof failure->name, "%s", name);
	failure->text = text != NULL ? text : "";
}

size_t
bay_scope_failures(const struct bay_scope *scope, struct bay_scope_failure *failures, size_t size)
{
	size_t count = 0, filled = 0;

	if (scope->rules != NULL) {
		count = scope->rules->failure_count;
		list_for_each(pos, &scope->rules->failures) {
			struct scope_failure *kept = container_of(pos, struct scope_failure, link);

			if (filled < size)
				scope_fill_failure(&failures[filled++], kept->name, kept->status, kept->text);
		}
	}
	list_for_each(pos, &scope->handles) {
		struct bay_task *handle = container_of(pos, struct bay_task, in_scope);
		struct task_identity who;

		if (!scope_failed_unseen(handle))
			continue;
		count++;
		if (filled < size)
			scope_fill_failure(&failures[filled++], task_identify(handle, &who) ? who.name : "call",
				handle->status, handle->error);
	}
	return count;
}
