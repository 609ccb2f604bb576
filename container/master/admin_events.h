/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command that shows events, and those who follow them. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_EVENTS_H
#define BAY_MASTER_ADMIN_EVENTS_H

#include "master/admin_request.h"

struct admin_events;
struct event_base;
struct event_log;
struct master;

/* Everybody who reads the events of log (borrowed), which it watches from now on. NULL: no
 * memory. */
struct admin_events *admin_events_create(struct event_base *base, struct event_log *log)
	__attribute__((warn_unused_result));

/* Ends the requests of those who still read. NULL is fine. */
void admin_events_destroy(struct admin_events *events);

/* The command. */
void admin_events(struct admin_request *request, struct master *master);

#endif
