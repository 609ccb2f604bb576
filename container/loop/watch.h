/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits on a loop until a descriptor can be read or written, once. Any number of watches may
 * stand for one descriptor; all are told.
 *
 * A descriptor that is closed while it is watched tells nobody: the kernel drops it in
 * silence, and its number may come back as another file. So whoever closes one calls
 * watch_closed() first, and for those who do not, the loop looks at what it watches every
 * second.
 *
 * Owning thread only.
 */
#ifndef BAY_LOOP_WATCH_H
#define BAY_LOOP_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"

struct event;
struct loop;
struct timer;
struct watch;

enum {
	WATCH_READABLE = 1,
	WATCH_WRITABLE = 2,
	WATCH_CLOSED = 4   /* nothing will come any more: only told, not asked for */
};

/* What has come: one or more of the bits above. The watch has ended and may be begun again. */
typedef void watch_fn(struct watch *watch, unsigned what);

/* Part of the caller's struct (container_of). */
struct watch {
	struct list _link;     /* in the loop's watches; in none when it has ended */
	struct loop *loop;
	struct event *_event;
	watch_fn *fn;
	int fd;
	dev_t _device;         /* of the file that fd stood for at the begin */
	ino_t _inode;
};

/* Begins to wait for any of what. False: not open, not a descriptor that can be waited for
 * (a file on a disk), or no memory; errno says why. The descriptor is borrowed. */
bool watch_begin(struct watch *watch, struct loop *loop, int fd, unsigned what, watch_fn *fn)
	__attribute__((warn_unused_result));

/* Waits no longer. Nothing happens to one that has ended. */
void watch_end(struct watch *watch);

/* The descriptor is about to be closed: ends all its watches with WATCH_CLOSED. */
void watch_closed(struct loop *loop, int fd);

/* The loop's own timer. */
void watch_on_check(struct timer *timer);

#endif
