/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns queued requests into tasks: what a scheduler asks when it looks for work. */
#ifndef BAY_SERVICE_DISPATCH_H
#define BAY_SERVICE_DISPATCH_H

#include <stdbool.h>

struct scheduler;

/* Takes a batch from the next service that this loop can serve and makes tasks of it.
 * False: there is none. A scheduler_find_work_fn. */
bool dispatch_find_work(struct scheduler *scheduler, void *arg);

/* This thread is no loop any more: it forgets which service had the latest turn. */
void dispatch_forget(void);

#endif
