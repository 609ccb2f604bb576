/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of one service between stopped and ready: examine, start, stop, try again.
 *
 *	stopped, failed --start--> examine -> starting -> ready
 *	ready --stop--> stopping -> stopped
 *	ready --restart--> examine (still ready) -> stopping -> starting -> ready
 *	starting, ready --fails or its cell dies--> failed, or starting again
 *
 * What was asked last counts: a step that is under way is ended first, then the service
 * goes where it is wanted. Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_CONTROL_H
#define BAY_MASTER_SERVICE_CONTROL_H

#include <stdbool.h>

#include <bay/status.h>

#include "master/master_service.h"
#include "master/service_waiters.h"

struct buffer;
struct cell_listen;
struct obituary;
struct plugin_image;

/* done may be NULL. Start and restart use the plugin file as it is now. */
void service_control_start(struct master_service *service, service_done_fn *done, void *arg);
void service_control_stop(struct master_service *service, bool now, service_done_fn *done,
	void *arg);
void service_control_restart(struct master_service *service, service_done_fn *done, void *arg);

/* STOPPING for longer than it should, for its reason: nobody knows when that ends. */
bool service_refuses_to_stop(const struct master_service *service);

/* Its plugin is being examined, together with those of others; and has been, with an image
 * (borrowed) or with the reason of a refusal. */
void service_control_expect(struct master_service *service);
void service_control_examined(struct master_service *service, struct plugin_image *image,
	const char *reason);

/* The first start, with the image that it has. */
void service_control_boot(struct master_service *service);

/* Its cell takes calls from now on, and has heard of all services. */
void service_control_cell_ready(struct master_service *service);

/* Its cell has ended for this reason, and has never been ready. */
void service_control_cell_failed(struct master_service *service, const char *reason);

/* The cell has ended; hang is the reason why it was killed if this service hung, or NULL. */
void service_control_cell_ended(struct master_service *service,
	const struct obituary *obituary, const char *hang);

/* The cell says that the service failed while it ran. */
void service_control_failed(struct master_service *service, const char *message);

/* The cell asks for a socket that the service listens on, as listener_table_open; BAY_CLOSED
 * when it is stopping, or it is another generation that asks. */
enum bay_status service_control_listen(struct master_service *service,
	const struct cell_listen *asked, int *fd_r, struct buffer *error)
	__attribute__((warn_unused_result));

/* The service's timer has fired. */
void service_control_on_timer(struct master_service *service);

/* It will not be started again: answers who waits, stops the timer, drops the image. */
void service_control_finish(struct master_service *service);

#endif
