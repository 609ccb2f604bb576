/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command that shows the log, and those who follow it. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_LOG_H
#define BAY_MASTER_ADMIN_LOG_H

#include <jansson.h>
#include <stddef.h>

#include "master/admin_request.h"

struct admin_log;
struct event_base;
struct log_ring;
struct master;

/* Everybody who reads the lines of ring (borrowed). */
struct admin_log *admin_log_create(struct event_base *base, const struct log_ring *ring)
	__attribute__((warn_unused_result));

/* Ends the requests of those who still read. NULL is fine. */
void admin_log_destroy(struct admin_log *log);

/* There is a new line. Does not log and does nothing else at once: for the log's hook. */
void admin_log_wake(struct admin_log *log);

/* The last count lines about service, as an array of strings; NULL: no memory. */
json_t *admin_log_last_lines(const struct log_ring *ring, const char *service, size_t count);

/* The command. */
void admin_log_lines(struct admin_request *request, struct master *master);

#endif
