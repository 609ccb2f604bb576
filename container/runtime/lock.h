/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of <bay/lock.h>: a lock is always somebody's while anybody waits for it,
 * so nobody can come in between. Its owner has a list of what it holds.
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_LOCK_H
#define BAY_RUNTIME_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/lock.h>

#include "runtime/waitable.h"

struct bay_lock {
	struct waitable waitable;    /* its holder is the owner */
	struct bay_lock *older;      /* that the owner owns too, or NULL: from task.locks on */
	struct bay_lock *newer;
};

/* Whether the running task owns it; if not, the log says so for the function. Inside a task. */
bool lock_check_mine(const struct bay_lock *lock, const char *function);

/* Gives a lock that has an owner to the next, or sets it free. */
void lock_hand_on(struct bay_lock *lock);

/* Takes it for the running task, which does not own it, whatever happens to the task: what
 * cancels it only limits the wait to patience_ns. BAY_OK; BAY_CLOSED when the lock was
 * destroyed; BAY_BUSY, and a line in the log, when patience was not enough. The caller has
 * entered the lock. Inside a task; may suspend. */
int lock_take_back(struct bay_lock *lock, int64_t patience_ns);

/* A task ends as the owner of locks: hands them on, and says so. */
void lock_abandon_all(struct task *task);

#endif
