/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says when something in a directory may have changed. What it is, whoever hears of it finds
 * out by reading the directory: events are lost, come twice and tell nothing of a file's
 * contents, so that they only say when to look.
 *
 *	inotify          while the file system tells
 *	polling          where it does not: twice a second whoever hears is asked to look
 *	gone             the directory is not there: once a second its path is tried
 *
 * A directory is what its path leads to now: if it is renamed or replaced, the new one is
 * watched. Master only; never suspends.
 */
#ifndef BAY_MASTER_DIR_WATCH_H
#define BAY_MASTER_DIR_WATCH_H

#include <stdbool.h>

struct dir_watch;
struct event_base;

enum dir_watch_state {
	DIR_WATCH_GONE = 0, /* there is no such directory, or it cannot be opened */
	DIR_WATCH_INOTIFY,
	DIR_WATCH_POLLING
};

struct dir_watch_watcher {
	/* Something may have changed; often nothing has. */
	void (*changed)(void *arg);
	/* It is watched in another way from now on: why says which and for what reason, borrowed for
	 * the call. Something may have changed, too. */
	void (*turned)(enum dir_watch_state state, const char *why, void *arg);
	void *arg;
};

/* Begins to watch path (copied), which need not be there; only_poll: without inotify. turned
 * is called for the first time from the event loop. NULL: no memory. */
struct dir_watch *dir_watch_create(struct event_base *base, const char *path, bool only_poll,
	const struct dir_watch_watcher *watcher)
	__attribute__((warn_unused_result));

/* NULL is fine. Not from inside a function of the watcher. */
void dir_watch_destroy(struct dir_watch *watch);

/* The descriptor of the directory that is watched, for openat and the like: borrowed until the next
 * turn of the event loop. -1: it is gone. */
int dir_watch_fd(const struct dir_watch *watch);

#endif
