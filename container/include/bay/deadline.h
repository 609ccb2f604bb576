/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines of the running task: one for a piece of its code, and a shield against the one
 * that it inherited.
 *
 *	bay_deadline_push(bay_after(2 * BAY_SECOND));
 *	status = ask_and_read_and_answer();              all its awaits, whatever it spawns and calls
 *	if (bay_deadline_pop() == BAY_TIMEOUT)
 *		...                                          it was these two seconds that ended it
 *
 * Blocks stand in each other. The deadline that counts is the earliest of them and of the
 * task's own. Those that are open when the task's function returns end there.
 *
 * All functions: inside a task.
 */
#ifndef BAY_DEADLINE_H
#define BAY_DEADLINE_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/task.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

/* Begins a block: until it ends, the running task's deadline is the earlier of deadline and
 * what it was. BAY_OK, or BAY_INVALID outside a task. Never suspends. Since 1.0. */
BAY_API int bay_deadline_push(int64_t deadline);

/* Gives the innermost block another deadline, earlier or later; what it was around the block
 * still counts. BAY_OK; BAY_INVALID (logged) without a block. Never suspends. Since 1.0. */
BAY_API int bay_deadline_move(int64_t deadline);

/* Ends the innermost block: the task's deadline is again what it was before. BAY_TIMEOUT when
 * the block's own deadline has passed, so that its awaits ended with BAY_TIMEOUT since then;
 * BAY_OK when it has not, or when one around it came first, which the next await will say;
 * BAY_INVALID (logged) without a block. Never suspends. Since 1.0. */
BAY_API int bay_deadline_pop(void);

/* Runs fn(arg) as a task named name (as by bay_spawn) and waits until it and all that it
 * spawned have ended, whatever happens: neither a cancellation of the running task nor its
 * deadline reaches it. Only deadline does, which it and all that it spawns and calls inherit,
 * instead. For what has to be brought to an end: a commit, a farewell. It begins also when
 * the running task is cancelled already; that one sees its cancellation again at its next
 * await. A lock of the running task is not the new task's.
 *
 * Gives the result of fn; BAY_INVALID (logged) when deadline is BAY_INHERIT, since a wait that
 * nothing can end must have an end; BAY_NO_MEMORY: then it has not run. Suspends. Since
 * 1.0. */
BAY_API int bay_shield(const char *name, bay_task_fn *fn, void *arg, int64_t deadline);

BAY_END_DECLS

#endif
