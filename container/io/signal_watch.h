/* SPDX-License-Identifier: BSD-2-Clause */
/* Subscriptions to signals, for whoever waits for several things. Owning loop only. */
#ifndef BAY_IO_SIGNAL_WATCH_H
#define BAY_IO_SIGNAL_WATCH_H

#include <stdbool.h>

#include <bay/signal.h>

#include "runtime/wait.h"

struct signal_waiter {
	struct waiter waiter;           /* first */
	struct bay_signal_info *info_r; /* filled in when it is woken with BAY_OK; or NULL */
};

/* Takes what has come; false: nothing. */
bool signal_take(struct bay_signal *signal, struct bay_signal_info *info_r);

/* Stands in line, after waiter_init() and when there is nothing. Woken with BAY_OK or
 * BAY_CLOSED. */
void signal_await(struct signal_waiter *waiter, struct bay_signal *signal);

#endif
