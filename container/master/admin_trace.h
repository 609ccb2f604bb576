/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Those who trace services: the command, which cells have been told to record, and what is sent.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_TRACE_H
#define BAY_MASTER_ADMIN_TRACE_H

#include <stdint.h>

#include "master/admin_request.h"

struct admin_tracers;
struct event_base;
struct master;
struct master_cell;
struct status_page;

struct admin_tracers *admin_tracers_create(struct event_base *base, struct master *master)
	__attribute__((warn_unused_result));

/* Ends the requests of those who still trace. After the cells have ended. NULL is fine. */
void admin_tracers_destroy(struct admin_tracers *tracers);

/* The process of a cell has ended, as hop_reader_cell_ended() has it. */
void admin_tracers_cell_ended(struct admin_tracers *tracers, const struct master_cell *cell,
	const struct status_page *page, uint32_t hung_slot);

/* The command. */
void admin_trace(struct admin_request *request, struct master *master);

#endif
