/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods of the admin interface: who may, with which arguments (both from the table in
 * protocol/interface), and what they do. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_COMMANDS_H
#define BAY_MASTER_ADMIN_COMMANDS_H

#include <jansson.h>

#include "master/admin_request.h"
#include "master/event_log.h"

struct event_by;
struct master;
struct master_service;

/* Handles one request; arg is the struct master. For admin_server_create. */
void admin_commands_handle(struct admin_request *request, void *arg);

/* --- for the files that hold the commands ------------------------------------------ */

/* Ends the request with these parameters (taken), or with an error when they are NULL for
 * want of memory. */
void admin_answer(struct admin_request *request, json_t *parameters);

/* The service that the request names. NULL: there is none, and the request has been ended
 * with that error. */
struct master_service *admin_find_service(struct admin_request *request,
	const struct master *master);

/* The name in "service", or NULL. */
const char *admin_service_argument(const struct admin_request *request);

/* Who sent the request, for the events that it leads to. */
struct event_by admin_by(const struct admin_request *request);

/* True when bayd is stopping; the request has then been ended with that error. */
bool admin_refused_while_draining(struct admin_request *request, const struct master *master);

#endif
