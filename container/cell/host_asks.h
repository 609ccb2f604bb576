/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has asked the host for one thing and waits for it: any number, who all get the same
 * answer. Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOST_ASKS_H
#define BAY_CELL_HOST_ASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "cell/host.h"

/* Embedded by who owns it. */
struct host_asks {
	struct list _asks;
};

void host_asks_init(struct host_asks *asks);

/* Lets go of those that were never answered. */
void host_asks_finish(struct host_asks *asks);

/* done is called with id; NULL: nobody wants to know. */
void host_asks_add(struct host_asks *asks, host_done_fn *done, int64_t id);

/* Answers all that are waiting now and forgets them; a callback may add others. */
void host_asks_answer(struct host_asks *asks, int status, const char *message, void *arg);

bool host_asks_any(const struct host_asks *asks);

#endif
