/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread on which plugins are loaded and unloaded: constructors and destructors take
 * as long as they like without holding up a loop or the master's calls.
 */
#ifndef BAY_CELL_LOADER_H
#define BAY_CELL_LOADER_H

#include "loop/inbox.h"

struct loader;

/* NULL: no thread (logged). */
struct loader *loader_create(void)
	__attribute__((warn_unused_result));

/* One without a thread: items are run by who posts them, at once. */
struct loader *loader_create_here(void)
	__attribute__((warn_unused_result));

/* Finishes what it was given, ends the thread. NULL is fine. */
void loader_destroy(struct loader *loader);

/* Runs the item on the loader thread, in order. Any thread. */
void loader_post(struct loader *loader, struct inbox_item *item);

#endif
