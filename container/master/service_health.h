/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a service is, in one word: what its plugin says of itself, and what can be seen from here.
 *
 *	healthy    it serves
 *	degraded   it serves, but messages wait for long, or it has failed not long ago
 *	unhealthy  its plugin says so or does not answer, or a loop is stuck in it
 *	down       it does not serve
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_HEALTH_H
#define BAY_MASTER_SERVICE_HEALTH_H

#include <stdint.h>

struct cell_health;
struct master_service;
struct status_service_view;

/* What the plugin of a generation said of itself last. */
struct service_health {
	int64_t generation;
	char *reason; /* malloc'd, or NULL: it is well */
};

enum { SERVICE_HEALTH_WHY_SIZE = 400 };

struct service_health_view {
	const char *word;
	char why[SERVICE_HEALTH_WHY_SIZE]; /* "" of a healthy one, and of one that is down */
};

/* Its cell says how it is. */
void service_health_note(struct master_service *service, const struct cell_health *health);

/* It does not serve any more, or is gone. */
void service_health_forget(struct master_service *service);

/* How it is now; counts are its figures. */
void service_health_look(const struct master_service *service, const struct status_service_view *counts,
	struct service_health_view *view_r);

#endif
