/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks and started calls in the order in which they end:
 *
 *	struct bay_completions *ended = bay_as_completed(tasks, count);
 *	struct bay_task *task;
 *
 *	while (bay_completions_next(ended, &task, BAY_INHERIT) == BAY_OK)
 *		look_at(bay_task_status(task));
 *	bay_completions_destroy(ended);
 *
 * Each costs the same however many there are, and more may be added at any time.
 *
 * All functions: on the loop that made it, inside a task where they may suspend or add.
 */
#ifndef BAY_COMPLETIONS_H
#define BAY_COMPLETIONS_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/task.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_completions;

/* The completions of count tasks, which may be 0; a NULL in the list has ended. The handles
 * stay the caller's, who frees or joins none of them before bay_completions_next() has given
 * it, or all this is destroyed; until then nobody else can wait for them. Owned by the caller.
 * NULL without memory, or (logged) when bay_completions_add() would refuse one. Never
 * suspends. Since 1.0. */
BAY_API struct bay_completions *bay_as_completed(struct bay_task *const *tasks, size_t count)
	BAY_MUST_CHECK;

/* Adds one more. BAY_OK; BAY_BUSY (logged) when somebody waits for it already, or it is in
 * here; BAY_INVALID for the running task itself; BAY_NO_MEMORY. Never suspends. Since 1.0. */
BAY_API int bay_completions_add(struct bay_completions *completions, struct bay_task *task);

/* Waits for the next that ends, well or not; at once if one has. BAY_OK and *task_r is its
 * handle, which has ended (NULL for one that was NULL); BAY_CLOSED when all have been given.
 * BAY_TIMEOUT and BAY_CANCELED: none was. Of several tasks that wait, each gets another. May
 * suspend. Since 1.0. */
BAY_API int bay_completions_next(struct bay_completions *completions, struct bay_task **task_r,
	int64_t deadline);

/* How many have not been given. Never suspends. Since 1.0. */
BAY_API size_t bay_completions_size(const struct bay_completions *completions);

/* Frees it, not the tasks, which go on; NULL is allowed. Who waits for it ends with
 * BAY_CLOSED. Never suspends. Since 1.0. */
BAY_API void bay_completions_destroy(struct bay_completions *completions);

BAY_END_DECLS

#endif
