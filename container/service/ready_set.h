/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services that have messages, one list per set of loops that may serve them: a loop
 * finds work in O(1), a flood at one service cannot hide another, and no loop takes a
 * service that it has no instance of.
 */
#ifndef BAY_SERVICE_READY_SET_H
#define BAY_SERVICE_READY_SET_H

#include <stdbool.h>
#include <stdint.h>

struct bay_service;
struct ready_set;
struct scheduler;

/* The loops of this process; before any set is asked for. */
void ready_sets_init(struct scheduler *const *schedulers, unsigned count);
void ready_sets_finish(void);

/* The set of the loops in mask, made at first use. Any thread. */
struct ready_set *ready_set_for(uint64_t mask);

/* At the end of the list; the caller holds the service's lock and has set listed. Fresh: its queue was
 * empty, so that it has had nothing of late: it comes before those that have more to do than time. */
void ready_set_push(struct ready_set *set, struct bay_service *service, bool fresh);

/* How many are listed for this loop, without one that was popped. */
unsigned ready_set_count(const struct scheduler *scheduler);

/* Takes a service out. False: it was not in. */
bool ready_set_remove(struct ready_set *set, struct bay_service *service);

/* The next service that this loop can serve now, taken out; NULL: none. */
struct bay_service *ready_set_pop(struct scheduler *scheduler);

/* Wakes a sleeping loop of the set that has fewer than concurrency handlers of the service,
 * unless the calling thread is such a loop and looks itself next: from outside its tasks, or
 * because the running one parks as its next deed. Any thread. */
void ready_set_wake(struct ready_set *set, const struct bay_service *service, unsigned concurrency,
	bool parks);

/* The same for a caller that will be busy. */
void ready_set_wake_other(struct ready_set *set, const struct bay_service *service, unsigned concurrency);

#endif
