/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/handle.h"

#include "base/log.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "runtime/wait.h"

static void
handle_gone_cancel(struct bay_task *handle, const char *reason)
{
	(void)handle;
	(void)reason;
}

static void
handle_gone_release(struct bay_task *handle)
{
	(void)handle;
}

const struct handle_kind handle_gone = {
	.cancel = handle_gone_cancel,
	.release = handle_gone_release,
};

bool
handle_tell_gone(const char *function)
{
	log_error(task_subject(task_current()), "%s: the handle has been freed already, or has ended with its "
		"owner [misuse-freed]", function);
	return true;
}

int
handle_refusal(const struct bay_task *handle, const struct task *self, const char *function)
{
	if (handle == self->handle) {
		log_error(task_subject(self), "%s: a task cannot wait for itself [misuse-argument]", function);
		return BAY_INVALID;
	}
	if (handle->waiter != NULL) {
		log_error(task_subject(self),
			"%s: a task has a waiter already (or stands twice in a list): one at a time [misuse-argument]", function);
		return BAY_BUSY;
	}
	return BAY_OK;
}

void
handle_tell(struct bay_task *handle)
{
	struct waiter *waiter = handle->waiter;

	if (waiter != NULL) {
		handle->waiter = NULL;
		waiter_handle_ended(waiter, handle);
	}
	if (handle->scope != NULL)
		scope_handle_ended(handle->scope, handle);
}
