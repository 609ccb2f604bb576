/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages to services, which their cells answer. Each has
 * a time limit of the master's own, so a cell whose loops hang keeps no client waiting.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_CALLS_H
#define BAY_MASTER_ADMIN_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "master/admin_request.h"

struct cell_do;
struct master;

void admin_call(struct admin_request *request, struct master *master);
void admin_send(struct admin_request *request, struct master *master);

/* --- for other commands that a cell answers ------------------------------------------ */

struct master_service;

/* Whether it takes messages. */
bool admin_is_open(const struct master_service *service);

/* Ends the request with the reason why it does not. */
void admin_fail_not_ready(struct admin_request *request, const struct master_service *service);

/* How long the client lets it take; 0: as long as it likes. */
int64_t admin_timeout_ns(const struct admin_request *request, const struct master_service *service);

/* Has the cell do a verb and ends the request with what it says. */
void admin_pass_verb_on(struct admin_request *request, struct master *master,
	struct master_service *service, const struct cell_do *asked);

#endif
