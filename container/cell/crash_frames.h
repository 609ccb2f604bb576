/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which function of the container a plugin had called when a fault happened in it: a mistake of
 * the plugin, mostly, and then the name says more than an address.
 */
#ifndef BAY_CELL_CRASH_FRAMES_H
#define BAY_CELL_CRASH_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

/* Looks at what is loaded now, before any plugin is, and touches the unwinder, which may want
 * memory the first time. Control thread, once. */
void crash_frames_prepare(void);

/* The code of the object that holds this address is that of the service in this slot, from now on
 * or no more; also of other services, perhaps. gone: it is nobody's, and has been unloaded. What
 * stays in the process without any stays that of the last one. On the loader thread. */
void crash_frames_add(const void *inside, uint32_t slot);
void crash_frames_remove(const void *inside, uint32_t slot, bool gone);

struct crash_place {
	const char *function; /* of ours, that the plugin had called; NULL: none. Borrowed for ever */
	uint32_t slot;        /* whose code called it, or is running; STATUS_NO_SLOT: nobody's */
};

/* Where the interrupted code is. In a signal handler. */
void crash_frames_find(struct crash_place *place);

#endif
