/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The owner of tasks and started calls. Every task has one of its own for what it
 * spawns; bay_scope_open() makes more; an instance has one for what lives as long
 * as itself. Owning loop only.
 */
#ifndef BAY_RUNTIME_SCOPE_H
#define BAY_RUNTIME_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/scope.h>

#include "base/list.h"
#include "runtime/handle.h"

struct task;

/* What a scope has that was opened and is no task's own. */
struct scope_rules {
	unsigned limit;           /* handles at once; 0: any number */
	unsigned reserved;        /* places given to tasks that will start one */
	bool refuse;              /* beyond the limit nobody waits */
	bool collect_all;         /* a failure cancels nobody */
	struct list room;         /* struct waiter.link, oldest first: would start one */
	struct list failures;     /* struct scope_failure.link */
	size_t failure_count;
};

/* Called on the first failure that nobody collects. */
typedef void scope_failed_fn(struct bay_scope *scope);

struct bay_scope {
	struct list handles;      /* struct bay_task.in_scope */
	struct list in_task;      /* opened scopes: in task->scopes */
	struct task *owner;       /* the task that closes it; NULL: an instance's */
	scope_failed_fn *failed;  /* or NULL */
	struct waiter *closing;   /* waits until live is 0 */
	int64_t deadline;         /* inherited by what is spawned here */
	unsigned live;            /* handles that share our memory and have not ended */
	int status;               /* first failure that nobody collected */
	char *error;              /* its text, malloc'd, or NULL */
	char *canceled;           /* the reason, malloc'd; NULL: not cancelled */
	struct scope_rules *rules; /* NULL: a task's own, or an instance's */
};

void scope_init(struct bay_scope *scope, struct task *owner, int64_t deadline);

/* Whether it has nothing to close: the cheap test at the end of every task. */
static inline bool
scope_is_empty(const struct bay_scope *scope)
{
	return list_empty(&scope->handles);
}

/* Cancels what lives in it, and what will. */
void scope_cancel(struct bay_scope *scope, const char *reason);

/* Waits until nothing in it uses our memory any more. Cancels first when the
 * owner is cancelled or past its deadline, or when asked. Inside a task; suspends. */
void scope_wait(struct bay_scope *scope, const char *cancel_reason);

/* Gives up what the handles hold; nothing may live in it. */
void scope_release(struct bay_scope *scope);

/* Does that and frees the texts; a task's own is then as scope_init left it. */
void scope_finish(struct bay_scope *scope);

/* Makes the scope the owner of a handle that has none. */
static inline void
scope_adopt(struct bay_scope *scope, struct bay_task *handle)
{
	handle->scope = scope;
	list_push_back(&scope->handles, &handle->in_scope);
	scope->live += handle->kind->shares_memory;
}

/* Makes room for one more handle, which the caller then starts or not, and says so at once by
 * scope_settle(). BAY_OK, or the reason why it must not. Inside a task; may suspend. */
int scope_claim(struct bay_scope *scope, int64_t deadline);
void scope_settle(struct bay_scope *scope);

/* A handle of the scope has ended. */
void scope_handle_ended(struct bay_scope *scope, struct bay_task *handle);

/* Somebody gives up a failure unseen: logs it by subject, cancels the scope. */
void scope_failure_unseen(struct bay_scope *scope, const char *subject, const char *name, int status,
	const char *error);

#endif
