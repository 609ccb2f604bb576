/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scope owns tasks: closing it waits for all of them. Open one where a group
 * of tasks should live and end together:
 *
 *	struct bay_scope *scope = bay_scope_open(bay_after(2 * BAY_SECOND));
 *
 *	for (i = 0; i < n; i++)
 *		if (bay_scope_go(scope, "worker", work, &item[i]) != BAY_OK)
 *			bay_scope_cancel(scope, "no memory");
 *	status = bay_scope_close(scope);
 *
 * The first task that fails cancels the others; close returns its status. Options say
 * otherwise: that failures cancel nobody, and how many tasks may run at once.
 *
 * All functions: inside a task, on the loop that opened the scope.
 */
#ifndef BAY_SCOPE_H
#define BAY_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/task.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_scope;

/* A new scope of the running task, whose tasks inherit the earlier of deadline
 * and the running task's own. Owned by the caller until bay_scope_close(); one
 * that is forgotten is cancelled and closed when its task returns. NULL when
 * there is no memory. Never suspends. Since 1.0. */
BAY_API struct bay_scope *bay_scope_open(int64_t deadline) BAY_MUST_CHECK;

/* What a scope may be. Set to zero what you do not need. */
struct bay_scope_options {
	size_t length;     /* sizeof(struct bay_scope_options) */
	int64_t deadline;  /* as for bay_scope_open(); 0: none of its own */
	unsigned limit;    /* tasks at once, 0: any number. Who would start one more waits, */
	bool refuse;       /* or, with this, is refused with BAY_FULL */
	bool collect_all;  /* a failure cancels nobody */
	unsigned unused[4];
};

/* The same with options, which are borrowed for the call. NULL also, and a line in the log,
 * when they make no sense. Since 1.0. */
BAY_API struct bay_scope *bay_scope_open_with(const struct bay_scope_options *options) BAY_MUST_CHECK;

/* bay_spawn() and bay_go() into this scope. In one that has a limit they may wait, for as long
 * as the running task may; then NULL is also what is not started because of a deadline or a
 * cancellation, or refused; bay_scope_go() says which. Otherwise they never suspend. Since
 * 1.0. */
BAY_API struct bay_task *bay_scope_spawn(struct bay_scope *scope, const char *name, bay_task_fn *fn,
	void *arg) BAY_MUST_CHECK;
BAY_API int bay_scope_go(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg);

/* Either of them, with all that there is to say: BAY_OK and *task_r is the handle (task_r NULL:
 * nobody collects it, as with bay_scope_go). BAY_FULL when the scope refuses more tasks at
 * once; BAY_TIMEOUT and BAY_CANCELED when there was no room in time; BAY_NO_MEMORY,
 * BAY_INVALID: then nothing was started. Those who wait for room get it in the order of their
 * coming. May suspend in a scope with a limit. Since 1.0. */
BAY_API int bay_scope_spawn_with(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg,
	struct bay_task **task_r, int64_t deadline);

/* How many of its tasks have not ended. Never suspends. Since 1.0. */
BAY_API size_t bay_scope_size(const struct bay_scope *scope);

/* Cancels every task of the scope, now and to come; NULL is told in the log. Never suspends. Since
 * 1.0. */
BAY_API void bay_scope_cancel(struct bay_scope *scope, const char *reason);

/* Waits until every task of the scope has ended, and frees it. BAY_OK, else the
 * status of the first task that failed without somebody collecting it. When the
 * waiting task is cancelled or its deadline passes, so are the tasks of the scope,
 * and the wait goes on until they have ended; the result is then BAY_CANCELED or
 * BAY_TIMEOUT, unless a task failed. Handles that bay_scope_spawn() gave
 * are the caller's to join or free until then, and gone afterwards. BAY_INVALID for
 * NULL and for any task but the one that opened it. Suspends. Since 1.0. */
BAY_API int bay_scope_close(struct bay_scope *scope);

/* bay_scope_close() that does not free: the scope is there for bay_scope_failures(), and for
 * more tasks. Suspends. Since 1.0. */
BAY_API int bay_scope_wait(struct bay_scope *scope);

/* A task that failed without somebody collecting it. */
struct bay_scope_failure {
	int status;
	char name[24];       /* of the task */
	const char *text;    /* "" if none; borrowed until the scope is closed */
	unsigned unused[4];
};

/* Fills failures with the first size of them, those without a handle first, and returns how
 * many there were. Of more than BAY_SCOPE_FAILURES without a handle only the number is kept.
 * Never suspends. Since 1.0. */
#define BAY_SCOPE_FAILURES 256
BAY_API size_t bay_scope_failures(const struct bay_scope *scope, struct bay_scope_failure *failures,
	size_t size);

BAY_END_DECLS

#endif
