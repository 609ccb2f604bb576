/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is before the calls that this cell makes of a service, be it in this cell or not: all loops see
 * it between two tasks. Part of host.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOST_GUARD_H
#define BAY_CELL_HOST_GUARD_H

#include <stdint.h>

#include "cell/host.h"
#include "service/call_guard.h"

struct bay_service;
struct cell_guard;
struct hosting;
struct status_page;

/* Copies what it needs of guard. done is called with id once all loops have seen it; changed is as
 * of call_guard_set. */
void host_guard_begin(const struct hosting *hosting, const struct status_page *page,
	struct bay_service *service, const struct cell_guard *guard, call_guard_changed_fn *changed,
	host_done_fn *done, int64_t id);

#endif
