/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a plugin holds as struct bay_task: something that ends once, with a status.
 * Tasks and started calls both begin with one.
 *
 * A handle is owned by the scope of the task that made it and lent to the plugin,
 * which gives it back by joining or freeing it; what it forgets, its scope frees.
 * One task at a time may wait for a handle. Owning loop only.
 */
#ifndef BAY_RUNTIME_HANDLE_H
#define BAY_RUNTIME_HANDLE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bay/message.h>
#include <bay/task.h>

#include "base/list.h"

struct bay_scope;
struct task;
struct waiter;

/* What differs between a task and a started call. */
struct handle_kind {
	/* Asks it to end; only called while it has not. */
	void (*cancel)(struct bay_task *handle, const char *reason);
	/* Nobody looks at the handle any more; frees now, or when it ends. */
	void (*release)(struct bay_task *handle);
	/* See bay_task_take_reply; NULL for what has no reply. */
	struct bay_message *(*take_reply)(struct bay_task *handle);
	/* Must end before its scope can: it uses the memory of its owner. A started
	 * call does not; cancelling one ends it at once for its caller. */
	bool shares_memory;
};

struct bay_task {
	const struct handle_kind *kind;
	struct bay_scope *scope;    /* owner; NULL: nobody's */
	struct list in_scope;       /* in scope->handles */
	struct waiter *waiter;      /* who waits for the end, or NULL */
	char *error;                /* malloc'd text of the failure, or NULL */
	int status;                 /* valid when done */
	bool done;
	bool collected;             /* somebody knows how it ended, or wanted it to end */
	bool detached;              /* released before it was done */
	bool unused;                /* makes the last five one word, to be set by one store */
};

/* Fills a handle that has not ended and has no owner yet. */
static inline void
handle_init(struct bay_task *handle, const struct handle_kind *kind)
{
	memset(handle, 0, sizeof *handle);
	handle->kind = kind;
	handle->status = BAY_BUSY;
	list_init(&handle->in_scope);
}

/* The same for one that has been finished. */
static inline void
handle_renew(struct bay_task *handle)
{
	handle->status = BAY_BUSY;
	handle->done = false;
	handle->collected = false;
	handle->detached = false;
	handle->unused = false;
}

/* Why the running task must not wait for the handle, which the log then knows, too; or BAY_OK.
 * BAY_BUSY, BAY_INVALID. */
int handle_refusal(const struct bay_task *handle, const struct task *self, const char *function);

/* The kind of a handle that is freed, until the memory holds another one. */
extern const struct handle_kind handle_gone;

/* The slow part of handle_is_gone(). */
bool handle_tell_gone(const char *function);

/* Whether a handle has been freed already; the log says so. */
static inline bool
handle_is_gone(const struct bay_task *handle, const char *function)
{
	return __builtin_expect(handle->kind == &handle_gone, 0) && handle_tell_gone(function);
}

/* The slow part of handle_end(): somebody waits, or owns. */
void handle_tell(struct bay_task *handle);

/* It has ended: tells who waits and who owns. Takes error (malloc'd or NULL). The caller
 * then sees to releasing when it is detached. */
static inline void
handle_end(struct bay_task *handle, int status, char *error)
{
	handle->status = status;
	handle->error = error;
	handle->done = true;
	if (handle->waiter != NULL || handle->scope != NULL)
		handle_tell(handle);
}

/* Takes it out of its scope, wakes nobody, frees the text. Nobody waits for it any more. */
static inline void
handle_finish(struct bay_task *handle)
{
	if (handle->scope != NULL) {
		list_remove(&handle->in_scope);
		handle->scope = NULL;
	}
	if (handle->error != NULL) {
		free(handle->error);
		handle->error = NULL;
	}
	handle->waiter = NULL;
}

#endif
