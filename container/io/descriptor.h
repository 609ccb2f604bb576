/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a task waits for a descriptor, alone or among other things.
 *
 * Owning loop only.
 */
#ifndef BAY_IO_DESCRIPTOR_H
#define BAY_IO_DESCRIPTOR_H

#include <bay/fd.h>

#include "loop/watch.h"
#include "runtime/wait.h"

struct descriptor_waiter {
	struct waiter waiter;   /* first */
	struct watch watch;
	unsigned ready;         /* what had come, when it was woken with BAY_OK */
	char on[16];            /* its name for the task list */
};

/* Which of what would not block. BAY_OK; BAY_BUSY: nothing; BAY_CLOSED: not open;
 * BAY_INVALID: makes no sense. Never suspends. */
int descriptor_poll(int fd, unsigned what, unsigned *ready_r);

/* Begins to wait, after waiter_init(); woken with BAY_OK or BAY_CLOSED. BAY_OK; else the
 * reason why it cannot: BAY_CLOSED, BAY_IO, BAY_NO_MEMORY. Never suspends. */
int descriptor_await(struct descriptor_waiter *waiter, int fd, unsigned what);

#endif
