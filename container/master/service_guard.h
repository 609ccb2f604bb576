/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The breakers and the retry budget of a service: each cell has its own before the calls that it makes,
 * is told here what they are to be, and shows in its status page how they are. Master only; never
 * suspends.
 */
#ifndef BAY_MASTER_SERVICE_GUARD_H
#define BAY_MASTER_SERVICE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status_page.h"

struct cell_breaker;
struct master_cell;
struct master_service;

/* What the cells were told last. */
struct service_guard_told {
	int64_t breaker;
	int64_t breaker_calls;
	int64_t breaker_window_ns;
	int64_t breaker_delay_ns;
	int64_t breaker_trials;
	int64_t retry_budget;
	int64_t retry_budget_min;
	bool told; /* at all */
};

/* Tells all cells, if they do not know. */
void service_guard_tell(struct master_service *service);

/* Tells a cell that has just become ready. */
void service_guard_tell_cell(struct master_service *service, const struct master_cell *cell);

/* Has all cells close their breakers before it. */
void service_guard_reset(struct master_service *service);

/* A cell's breaker before it has another state. */
void service_guard_note(struct master_service *service, const struct master_cell *cell,
	const struct cell_breaker *told);

/* The breaker of a cell before it. False: it is closed, and calls go through. */
bool service_guard_look(const struct master_service *service, const struct master_cell *cell,
	struct status_breaker_view *view_r);

/* "open", "half-open". */
const char *service_guard_state_name(enum status_breaker state);

#endif
