/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task-local values: what belongs to a task without being handed from function to
 * function, as the user on whose behalf it works.
 *
 *	user = bay_local_create("user", free);           in init
 *	bay_local_set(user, strdup("ada"));              in a task
 *	name = bay_local_get(user);                      there, and in what it spawns
 *
 * A task that is spawned has the values that its parent has at that moment; what either
 * sets from then on is its own. A value is destroyed when the last task that has it ends
 * or has set another. Handlers begin without values: calls do not hand any on.
 *
 * All functions: on the loop that made the local.
 */
#ifndef BAY_LOCAL_H
#define BAY_LOCAL_H

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

struct bay_local;

/* Gives a value back; like free(). It has no task to wait in: a function that may suspend
 * or starts a task gives BAY_INVALID or NULL there. */
typedef void bay_local_destroy_fn(void *value);

/* A new local; name is copied, cut at 31 bytes. destroy: NULL for values that nobody has to
 * give back. Owned by the caller until bay_local_destroy(). NULL without memory. Never
 * suspends. Since 1.0. */
BAY_API struct bay_local *bay_local_create(const char *name, bay_local_destroy_fn *destroy)
	BAY_MUST_CHECK;

/* Gives the local up; NULL is allowed. Values that tasks have of it are destroyed when their
 * time comes. Never suspends. Since 1.0. */
BAY_API void bay_local_destroy(struct bay_local *local);

/* Sets the running task's value, which it then owns; NULL: it has none from now on. What it
 * had before is given up. BAY_OK; BAY_NO_MEMORY or BAY_INVALID (outside a task, in a leaf):
 * then nothing has changed and the value is the caller's. Never suspends. Since 1.0. */
BAY_API int bay_local_set(struct bay_local *local, void *value);

/* The running task's value; NULL when it has none and outside a task. Borrowed until the
 * task sets another. Never suspends. Since 1.0. */
BAY_API void *bay_local_get(const struct bay_local *local);

/* Its name. Borrowed. Never suspends. Since 1.0. */
BAY_API const char *bay_local_name(const struct bay_local *local);

BAY_END_DECLS

#endif
