/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The canary of a service: a new generation of its code beside the one that serves, which gets a
 * share of its messages until somebody decides, or something happens.
 *
 *	reload --canary -> canary -> promote: it takes the place of what serves (service_swap.h)
 *	                         \-> abort, failed, its cell ended, stop: it is over
 *
 * While there is one the service is neither reloaded nor rolled back nor changed: what is under
 * trial is to stay what it was.
 *
 * For service_swap, service_steps, and who shows it. Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_CANARY_H
#define BAY_MASTER_SERVICE_CANARY_H

#include <stdbool.h>
#include <stdint.h>

#include "master/probation.h"

struct master_service;
struct plugin_image;
struct status_page;
struct swap_wish;

bool service_canary_runs(const struct master_service *service);

/* Why something else is refused meanwhile; the caller's. */
char *service_canary_refusal(const struct master_service *service);

/* It has its share, in percent, from now on. Takes the reference. */
void service_canary_begin(struct master_service *service, struct plugin_image *image, int64_t share);

/* It is to take the place of what serves: there is none any more, and its image is the caller's. */
struct plugin_image *service_canary_take(struct master_service *service);

/* Ends it in the cell: as service_swap_roll_back(). */
void service_canary_abort(struct master_service *service, const struct swap_wish *wish);

/* It is over, for this reason; nothing happens without one. */
void service_canary_leave(struct master_service *service, const char *why);

/* The cell tells of a failure. True: it was that of the canary, which is over. */
bool service_canary_failed(struct master_service *service, int64_t generation, const char *message);

/* What it has handled since it began, and what the code beside it has. page NULL: nothing. */
void service_canary_count(const struct master_service *service, const struct status_page *page,
	struct probation_counts *own_r, struct probation_counts *others_r);

void service_canary_finish(struct master_service *service);

#endif
