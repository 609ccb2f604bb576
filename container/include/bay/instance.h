/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance: the state of one service on one loop. Its tasks all run on that
 * loop, so they share the state without locks, as in asyncio. A service has one
 * instance, or one per loop, or N (the ini says which).
 */
#ifndef BAY_INSTANCE_H
#define BAY_INSTANCE_H

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

struct bay_instance;
struct bay_scope;

/* The name of the service. Borrowed for the instance's life. Any thread; never
 * suspends. Since 1.0. */
BAY_API const char *bay_instance_name(const struct bay_instance *instance);

/* Which one of its service's instances this is, from 0. Any thread; never suspends.
 * Since 1.0. */
BAY_API unsigned bay_instance_index(const struct bay_instance *instance);

/* The struct that the plugin's settings table filled, or NULL without a table.
 * Borrowed, constant for the instance's life. Any thread; never suspends. Since
 * 1.0. */
BAY_API const void *bay_instance_settings(const struct bay_instance *instance);

/* The plugin's own state; NULL until set. The container only keeps the pointer;
 * init makes what fini frees. Owning loop only; never suspends. Since 1.0. */
BAY_API void bay_instance_set_state(struct bay_instance *instance, void *state);
BAY_API void *bay_instance_state(const struct bay_instance *instance);

/* The scope of everything that lives as long as the instance: tasks spawned
 * there outlive the request that spawned them and are cancelled at the end.
 * Borrowed. Owning loop only; never suspends. Since 1.0. */
BAY_API struct bay_scope *bay_instance_scope(struct bay_instance *instance);

/* For init and run: gives the reason of a failure and returns status, so that
 * "return bay_instance_fail(...)" reads well. The text is copied. Owning loop
 * only; never suspends. Since 1.0. */
BAY_API int bay_instance_fail(struct bay_instance *instance, int status, const char *format, ...)
	BAY_PRINTF(3, 4);

/* The instance that the running task belongs to, or NULL outside a task; in a leaf
 * handler its own. Borrowed for the instance's life. Any thread; never suspends.
 * Since 1.0. */
BAY_API struct bay_instance *bay_instance_current(void);

BAY_END_DECLS

#endif
