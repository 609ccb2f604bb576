/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/handle.h"

#include "runtime/scope.h"
#include "runtime/wait.h"

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
