/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brings one service to another configuration, or leaves it as it was: what a reload is made
 * of. Each ends with done(service, status, message, arg), perhaps before it returns; with
 * anything but BAY_OK the service is, or is about to be, as it was before.
 *
 * Until then source keeps the configuration that config is a section of: a reference is taken.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_CHANGE_H
#define BAY_MASTER_SERVICE_CHANGE_H

#include <stdbool.h>

#include "config/config_data.h"
#include "master/service_waiters.h"

struct master_service;
struct plugin_image;

/* What a service is to be. */
struct service_target {
	struct config *source;
	const struct config_service *config; /* of source */
	struct plugin_image *image;          /* of its next start; NULL: as before */
};

/* Whether nothing is under way for it, so that the following may be asked. */
bool service_change_is_possible(const struct master_service *service);

/* READY: gives what is live to what runs, and with settings those of its plugin too. Else it is
 * for its next start. What only the master goes by is in force at once, whatever the cell does; else
 * BAY_TIMEOUT when a loop does not come round to it in time. */
void service_change_live(struct master_service *service, const struct service_target *target,
	bool settings, service_done_fn *done, void *arg);

/*
 * READY: a new generation, from the image and with all that is new. It is swapped in while the old
 * one serves; only with another number of instances the old one ends before, and what comes
 * meanwhile waits in the queue. Nothing is lost. In another cell, the old one ends before, too, and
 * what comes from outside waits. When it does not get ready, the old one is there,
 * or back. There is no probation: what is new was wanted by its configuration.
 */
void service_change_generation(struct master_service *service,
	const struct service_target *target, service_done_fn *done, void *arg);

/* STOPPED or FAILED: starts it, as the operator would. When it fails, it has failed. */
void service_change_start(struct master_service *service, const struct service_target *target,
	service_done_fn *done, void *arg);

/* STOPPING: it is started when its stop is over, which nobody waits for. */
void service_change_start_after_stop(struct master_service *service, const struct service_target *target);

/* --- for service_swap, service_steps and service_control ------------------------------------------- */

/* What runs may have begun with an earlier configuration: tells it what is live of the present one. */
void service_change_renew(struct master_service *service);

/* The new generation did not get ready, or the old one does not end: takes the former
 * configuration and image back, and tells who asked. */
void service_change_take_back(struct master_service *service, enum bay_status status,
	const char *reason);

/* It is as it should be, or wanted otherwise: the former one is not needed any more. */
void service_change_settle(struct master_service *service);

#endif
