/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/handle.h"

#include "base/log.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "runtime/wait.h"

int
handle_refusal(const struct bay_task *handle, const struct task *self, const char *function)
{
	if (handle == self->handle) {
		log_error(task_subject(self), "%s: a task cannot wait for itself", function);
		return BAY_INVALID;
	}
	if (handle->waiter != NULL) {
		log_error(task_subject(self),
			"%s: a task has a waiter already (or stands twice in a list): one at a time", function);
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
