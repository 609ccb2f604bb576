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
 * The first task that fails cancels the others; close returns its status.
 *
 * All functions: inside a task, on the loop that opened the scope.
 */
#ifndef BAY_SCOPE_H
#define BAY_SCOPE_H

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/task.h>

BAY_BEGIN_DECLS

struct bay_scope;

/* A new scope of the running task, whose tasks inherit the earlier of deadline
 * and the running task's own. Owned by the caller until bay_scope_close(); one
 * that is forgotten is cancelled and closed when its task returns. NULL when
 * there is no memory. Never suspends. Since 1.0. */
BAY_API struct bay_scope *bay_scope_open(int64_t deadline) BAY_MUST_CHECK;

/* bay_spawn() and bay_go() into this scope. Never suspend. Since 1.0. */
BAY_API struct bay_task *bay_scope_spawn(struct bay_scope *scope, const char *name, bay_task_fn *fn,
	void *arg) BAY_MUST_CHECK;
BAY_API int bay_scope_go(struct bay_scope *scope, const char *name, bay_task_fn *fn, void *arg);

/* Cancels every task of the scope, now and to come. Never suspends. Since 1.0. */
BAY_API void bay_scope_cancel(struct bay_scope *scope, const char *reason);

/* Waits until every task of the scope has ended, and frees it. BAY_OK, else the
 * status of the first task that failed without somebody collecting it. When the
 * waiting task is cancelled or its deadline passes, so are the tasks of the scope,
 * and the wait goes on until they have ended. Suspends. Since 1.0. */
BAY_API int bay_scope_close(struct bay_scope *scope);

BAY_END_DECLS

#endif
