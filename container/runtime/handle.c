/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/handle.h"

#include <stdlib.h>

#include "runtime/scope.h"
#include "runtime/wait.h"

void
handle_init(struct bay_task *handle, const struct handle_kind *kind, struct bay_scope *scope)
{
	handle->kind = kind;
	handle->scope = scope;
	handle->waiter = NULL;
	handle->error = NULL;
	handle->status = BAY_BUSY;
	handle->done = false;
	handle->collected = false;
	handle->detached = false;
	list_init(&handle->in_scope);
	if (scope != NULL) {
		list_push_back(&scope->handles, &handle->in_scope);
		if (kind->shares_memory)
			scope->live++;
	}
}

void
handle_end(struct bay_task *handle, int status, char *error)
{
	struct waiter *waiter = handle->waiter;

	handle->status = status;
	handle->error = error;
	handle->done = true;
	if (waiter != NULL) {
		handle->waiter = NULL;
		waiter_handle_ended(waiter, handle);
	}
	if (handle->scope != NULL)
		scope_handle_ended(handle->scope, handle);
}

void
handle_finish(struct bay_task *handle)
{
	list_remove(&handle->in_scope);
	handle->scope = NULL;
	free(handle->error);
	handle->error = NULL;
}
