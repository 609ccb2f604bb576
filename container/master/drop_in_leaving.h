/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services that end since their plugin file is gone, or by hand. One that a file had become is
 * drained, and removed when it has ended; of others it is noted, as what runs is a copy. Part of
 * drop_in and hand_loads.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_DROP_IN_LEAVING_H
#define BAY_MASTER_DROP_IN_LEAVING_H

#include <bay/status.h>

struct drop_in_leaving;
struct event_by;
struct master;
struct master_service;

/* Called once. BAY_OK: it is removed, service is NULL if another has done that. BAY_TIMEOUT, BAY_BUSY: it does not end yet, for the reason in
 * message, and is removed when it has. BAY_CANCELED: somebody has started it, or a section names it
 * now, and it stays. */
typedef void drop_in_left_fn(struct master_service *service, enum bay_status status, const char *message,
	void *arg);

/* NULL: no memory. */
struct drop_in_leaving *drop_in_leaving_create(struct master *master)
	__attribute__((warn_unused_result));

/* Nothing more is begun. */
void drop_in_leaving_stop(struct drop_in_leaving *leaving);

/* After the services. NULL is fine. */
void drop_in_leaving_destroy(struct drop_in_leaving *leaving);

/* The file of this plugin is gone. */
void drop_in_leaving_lost_file(struct drop_in_leaving *leaving, const char *plugin);

/* A service that no section names is to end, from the event loop on, for this reason ("its plugin
 * file is gone"). done may be NULL; it is not called any more once all is stopped. */
void drop_in_leaving_begin(struct drop_in_leaving *leaving, struct master_service *service,
	const struct event_by *by, const char *why, drop_in_left_fn *done, void *arg);

/* Does now what is otherwise done in a moment: stops who is to end, removes who has. */
void drop_in_leaving_sweep(struct drop_in_leaving *leaving);

#endif
