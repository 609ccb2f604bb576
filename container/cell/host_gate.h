/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of the requests of a service: whether they are begun, wait or are refused. All
 * loops see it between two tasks, and what is left to be done is counted there. Part of host.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOST_GATE_H
#define BAY_CELL_HOST_GATE_H

#include <stdint.h>

#include "cell/host.h"

struct bay_service;
struct cell_gate;
struct hosting;
struct status_page;

/* Copies what it needs of gate; NULL: it stays as it is, and the loops look again. done is called with
 * id once all loops have seen it. */
void host_gate_begin(const struct hosting *hosting, const struct status_page *page,
	struct bay_service *service, const struct cell_gate *gate, host_gate_fn *done, int64_t id);

#endif
