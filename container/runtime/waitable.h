/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tasks of one loop wait for, with a name for people: the common beginning of
 * locks, events, semaphores and their like. A waiter says what it waits for, so that
 * the list of tasks can.
 *
 *	struct bay_event { struct waitable waitable; bool set; };
 *
 *	waitable_stand(&event->waitable, &waiter);
 *	status = task_await(&waiter, deadline);
 *
 * Who looks at it again after an await stands between waitable_enter() and
 * waitable_leave(): it may have been destroyed meanwhile, and is freed by the last
 * who leaves.
 *
 * Where it is known for whom all wait, that is the holder. So a circle of tasks that
 * wait for one another can be seen.
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_WAITABLE_H
#define BAY_RUNTIME_WAITABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "runtime/wait.h"

struct waitable {
	struct task *holder;         /* for whom all wait, or NULL */
	struct scheduler *scheduler; /* whose tasks may use it */
	struct list waiters;         /* struct waiter.link, oldest first */
	unsigned users;              /* tasks that will look at it again */
	bool closed;                 /* destroyed */
	const char *kind;            /* "lock" */
	/* Writes another name than name, for one who waits; or NULL. */
	void (*describe)(const struct waitable *waitable, const struct waiter *waiter, char *text,
		size_t size);
	char name[32];
};

/* A new one that begins a struct of size bytes, the rest of which is zero; NULL without
 * memory or, with a line in the log, off the loops. kind is borrowed, name copied. */
void *waitable_create(size_t size, const char *kind, const char *name);

/* Frees one that nobody looks at any more, so that whoever still uses it is found out, as long as
 * the memory holds nothing else. */
void waitable_free(struct waitable *waitable);

/* Wakes who waits with BAY_CLOSED, and frees now or when the last user leaves. */
void waitable_close(struct waitable *waitable);

/* The slow part of waitable_is_here(). */
bool waitable_refuse(const struct waitable *waitable, const char *function);

/* Whether the calling code may use what begins with a waitable: it exists (is not NULL) and
 * belongs to this loop. The log says so when not; the function returns BAY_INVALID. */
static inline bool
waitable_is_here(const void *object, const char *function)
{
	const struct waitable *waitable = object;

	if (__builtin_expect(waitable != NULL && waitable->scheduler == scheduler_here, 1))
		return true;
	return waitable_refuse(waitable, function);
}

/* How a function begins that may wait for it. */
#define WAITABLE_BEGIN(object, function) \
	(AWAIT_BEGIN(function) && waitable_is_here(object, function))

/* Puts the running task behind those who wait. */
static inline void
waitable_stand(struct waitable *waitable, struct waiter *waiter)
{
	waiter_init(waiter, AWAIT_CANCELABLE);
	waiter->waitable = waitable;
	list_push_back(&waitable->waiters, &waiter->link);
}

/* Who has waited longest, or NULL. */
static inline struct waiter *
waitable_first(const struct waitable *waitable)
{
	struct list *first = list_first(&waitable->waiters);

	return first != NULL ? container_of(first, struct waiter, link) : NULL;
}

/* Ends all waits; item is what every one of them gets. */
void waitable_wake_all(struct waitable *waitable, int status, void *item);

static inline void
waitable_enter(struct waitable *waitable)
{
	waitable->users++;
}

/* It may be gone after this. */
void waitable_leave(struct waitable *waitable);

/* Logs, when the running task is going to wait for it, that this closes a circle. */
void waitable_warn_of_circle(const struct waitable *waitable);

/* Writes what a task waits for, "lock a held by task 9 writer", and the whole circle if it
 * is in one. False: nothing with a name. */
bool waitable_describe(const struct task *task, char *text, size_t size);

#endif
