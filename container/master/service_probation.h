/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time after a swap in which the new code of a service has to show that it is no worse than
 * what it replaced, and who waits for its end.
 *
 *	swapped -> on probation -> passed: what the cell has kept of the old one is retired
 *	                       \-> worse, or failed: service_swap goes back to the old one
 *	                       \-> swapped again, stopped, rolled back by hand: it ends unjudged
 *
 * For service_swap and service_steps. Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_PROBATION_H
#define BAY_MASTER_SERVICE_PROBATION_H

#include <stdbool.h>

#include "master/probation.h"
#include "master/swap_wish.h"

struct master_service;

void service_probation_init(struct master_service *service);
void service_probation_finish(struct master_service *service);

/* It runs with code that has not run before: from now on its requests count for that. */
void service_probation_count_anew(struct master_service *service);

/* The present code is on probation from now on, unless the service has none. before: what had been
 * counted when the code that it replaced came to serve. */
void service_probation_begin(struct master_service *service, const struct probation_counts *before);

bool service_probation_is_on(const struct master_service *service);

/* Those of the list who wait for the end of the probation are told of that, if there is one. */
void service_probation_wait(struct master_service *service, struct list *wishes);

/* It has passed, whatever is left of its time. */
void service_probation_pass(struct master_service *service);

/* It has not passed: those who wait for that are added to the list of those who wait for the former
 * code. */
void service_probation_fail(struct master_service *service, struct list *wishes);

/* It is over, if there is one, and who waits for that is told so. message NULL is "". */
void service_probation_end(struct master_service *service, enum swap_outcome outcome,
	const char *message);

/* The same for what is going to be stopped, or started with other code. */
void service_probation_leave(struct master_service *service);

#endif
