/* SPDX-License-Identifier: BSD-2-Clause */
/* The promise of <bay/promise.h>. */
#include "config.h"

#include <bay/promise.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/waitable.h"

struct bay_promise {
	struct waitable waitable;
	int status;         /* BAY_BUSY until it is settled */
	void *value;
	char *error;        /* text of the failure, malloc'd, or NULL */
	bool seen;          /* somebody knows of the failure, or wanted it */
};

struct bay_promise *
bay_promise_create(const char *name)
{
	struct bay_promise *promise = waitable_create(sizeof *promise, "promise", name);

	if (promise != NULL)
		promise->status = BAY_BUSY;
	return promise;
}

bool
bay_promise_done(const struct bay_promise *promise)
{
	return promise->error != NULL || promise->status != BAY_BUSY;
}

void
bay_promise_destroy(struct bay_promise *promise)
{
	if (promise == NULL || !waitable_is_here(promise, "bay_promise_destroy"))
		return;
	if (promise->error != NULL && !promise->seen)
		log_error(task_subject(task_current()),
			"promise %s failed and nobody asked how it ended: %s: %s [service-task]", promise->waitable.name,
			bay_status_name(promise->status), promise->error);
	free(promise->error);
	promise->error = NULL;
	waitable_close(&promise->waitable);
}

/* Takes error. */
static void
promise_settle(struct bay_promise *promise, int status, void *value, char *error)
{
	promise->status = status;
	promise->value = value;
	promise->error = error;
	if (!list_empty(&promise->waitable.waiters))
		promise->seen = true;
	waitable_wake_all(&promise->waitable, status, value);
}

static int
promise_refusal(const struct bay_promise *promise, const char *function)
{
	if (!waitable_is_here(promise, function))
		return BAY_INVALID;
	return bay_promise_done(promise) ? BAY_CLOSED : BAY_OK;
}

int
bay_promise_set(struct bay_promise *promise, void *value)
{
	int status = promise_refusal(promise, "bay_promise_set");

	if (status == BAY_OK)
		promise_settle(promise, BAY_OK, value, NULL);
	return status;
}

int
bay_promise_fail(struct bay_promise *promise, int failure, const char *format, ...)
{
	int status = promise_refusal(promise, "bay_promise_fail");
	char *text = NULL;
	va_list args;

	if (status != BAY_OK)
		return status;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = xstrdup("there was no memory for the text of the failure");
	va_end(args);
	promise_settle(promise, failure != BAY_OK ? failure : BAY_FAILED, NULL, text);
	return BAY_OK;
}

int
bay_promise_cancel(struct bay_promise *promise, const char *reason)
{
	int status = promise_refusal(promise, "bay_promise_cancel");

	if (status != BAY_OK)
		return status;
	promise->seen = true;
	promise_settle(promise, BAY_CANCELED, NULL, xstrdup(reason != NULL ? reason : "cancelled"));
	return BAY_OK;
}

/* How a promise ended that has. */
static int
promise_result(struct bay_promise *promise, void **value_r)
{
	promise->seen = true;
	if (promise->status == BAY_OK && value_r != NULL)
		*value_r = promise->value;
	return promise->status;
}

int
bay_promise_wait(struct bay_promise *promise, void **value_r, int64_t deadline)
{
	struct waiter waiter;
	struct task *self;
	int status;

	if (!WAITABLE_BEGIN(promise, "bay_promise_wait"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	if (bay_promise_done(promise))
		return await_passed(self, promise_result(promise, value_r));
	waitable_stand(&promise->waitable, &waiter);
	status = task_await(&waiter, deadline);
	if (status == BAY_OK && value_r != NULL)
		*value_r = waiter.item;
	return status;
}

int
bay_promise_status(const struct bay_promise *promise)
{
	((struct bay_promise *)promise)->seen |= bay_promise_done(promise);
	return promise->status;
}

const char *
bay_promise_error(const struct bay_promise *promise)
{
	return promise->error != NULL ? promise->error : "";
}
