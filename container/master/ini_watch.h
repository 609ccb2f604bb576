/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says when the files of the configuration have changed: the main one, those that it includes, and
 * what its include patterns find. They must have looked the same for a moment: an editor writes a
 * file in several steps.
 *
 * What they say, and whether that is different, is for the reload to find out. Has one owner.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_INI_WATCH_H
#define BAY_MASTER_INI_WATCH_H

#include <stdbool.h>

struct config;
struct ini_watch;
struct event_base;
struct event_log;

/* Begins to watch the files of config (a reference is taken); changed(arg) is called from
 * the event loop. How they are watched is an event. NULL: no memory. */
struct ini_watch *ini_watch_create(struct event_base *base, struct event_log *events,
	struct config *config, void (*changed)(void *arg), void *arg)
	__attribute__((warn_unused_result));

/* This one is in force, which may have other files: they are known as they are now, except that a
 * change which has not been told yet will be. */
void ini_watch_set(struct ini_watch *watch, struct config *config);

/* This one has been read, perhaps in part, and may be refused: until another one is read its files
 * are watched too, so that mending one of them is a change. */
void ini_watch_also(struct ini_watch *watch, struct config *config);

/* What was found could not be taken for a reason that may pass by itself: calls changed again, after
 * a few seconds and then less and less often, unless something changes before. */
void ini_watch_again(struct ini_watch *watch);

/* They are about to be read, whoever asked for it: what changes from now on is told, what has
 * changed before is not any more. */
void ini_watch_reading(struct ini_watch *watch);

/* They are about to be written by us, and have been: that is no change. One by somebody else that
 * has not been told yet stays one. */
void ini_watch_writing(struct ini_watch *watch);
void ini_watch_written(struct ini_watch *watch);

/* NULL is fine. */
void ini_watch_destroy(struct ini_watch *watch);

#endif
