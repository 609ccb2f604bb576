/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inotify descriptor of a loop, made for the first of its watches and closed with the
 * last. Several watches may be of one directory, which the kernel knows once.
 *
 *	descriptor --- directory /etc --- watch "app.conf"
 *	                              +-- watch, all of it
 *	           +-- directory /run --- watch "pid"
 *
 * Owning loop only.
 */
#ifndef BAY_IO_INOTIFY_H
#define BAY_IO_INOTIFY_H

#include <stdint.h>

#include "base/list.h"

struct inotify_directory;
struct loop;

struct inotify_watch;

/* Something has happened in its directory: the bits of inotify(7), and the entry's name, "" of
 * the directory itself. After IN_IGNORED nothing more comes; IN_Q_OVERFLOW: much was lost. */
typedef void inotify_fn(struct inotify_watch *watch, uint32_t mask, const char *name);

/* Part of the caller's struct (container_of). */
struct inotify_watch {
	struct list _link;                   /* in directory->watches */
	struct inotify_directory *_directory;
	inotify_fn *fn;                      /* may not join or leave */
};

/* Watches a directory for the events of mask and its own end. 0, or the errno of why not. */
int inotify_join(struct loop *loop, struct inotify_watch *watch, const char *directory, uint32_t mask);

/* Watches no longer. */
void inotify_leave(struct inotify_watch *watch);

#endif
