/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gives one thing after the other to tasks of its loop, filled by a floor above: the common
 * beginning of what bay_select() can take from without knowing it. Whoever waits stands in the
 * waitable, between waitable_enter() and waitable_leave(), and is woken with the thing, closed,
 * as its item.
 *
 * Owning loop only.
 */
#ifndef BAY_RUNTIME_SOURCE_H
#define BAY_RUNTIME_SOURCE_H

#include "runtime/waitable.h"

struct source {
	struct waitable waitable;
	/* Takes the next at once. BAY_OK; BAY_BUSY: there is none, or others wait for it. */
	int (*take)(struct source *source, void **item_r, const char **topic_r);
	/* Opens what a waiter was given. BAY_OK; BAY_CLOSED: the source has ended meanwhile. */
	int (*open)(struct source *source, void *given, void **item_r, const char **topic_r);
};

#endif
