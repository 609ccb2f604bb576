/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live change of a service that runs: new bounds and settings, taken over by each of its
 * instances on its loop between two tasks. Part of host.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOST_CHANGE_H
#define BAY_CELL_HOST_CHANGE_H

#include <stdint.h>

#include "cell/host.h"
#include "protocol/cell_link.h"
#include "service/service.h"

struct hosted;

/* What the master calls by another number. */
enum overflow_policy host_change_overflow(enum cell_overflow overflow);

/* Copies what it needs of change. done is called with id, perhaps before this returns. */
void host_change_begin(struct hosted *hosted, const struct cell_change *change, host_done_fn *done,
	int64_t id);

#endif
