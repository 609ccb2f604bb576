/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches of files, for whoever waits for several things. Owning loop only. */
#ifndef BAY_IO_FILE_WATCH_H
#define BAY_IO_FILE_WATCH_H

#include <bay/watch.h>

#include "runtime/wait.h"

struct file_watch_waiter {
	struct waiter waiter;            /* first */
	struct bay_watch_event *event_r; /* filled in when it is woken with BAY_OK; or NULL */
};

/* Takes the next event: BAY_OK; BAY_BUSY: there is none; BAY_CLOSED: none will come. */
int file_watch_take(struct bay_watch *watch, struct bay_watch_event *event_r);

/* Stands in line, after waiter_init() and BAY_BUSY. Woken with BAY_OK or BAY_CLOSED. */
void file_watch_await(struct file_watch_waiter *waiter, struct bay_watch *watch);

#endif
