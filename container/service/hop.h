/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hops: what is told of a request that passes a service which somebody traces, and of all that is
 * called and sent for it, also in other cells.
 *
 *	hop_see, before the queue or the handler          hop_end, when it has ended however
 *	   marks it as recorded, gives it a span ──────────► a record in the ring of this loop
 *	        │    a place in the table of those that have not ended ──► free again
 *	        └── inherited by what it calls and sends
 *
 * Who traces nobody pays a look at a byte, and on the shortest way not even that: a service that is
 * traced is not direct, and who is recorded begins no call by it (call_may_begin()).
 */
#ifndef BAY_SERVICE_HOP_H
#define BAY_SERVICE_HOP_H

#include "service/request.h"
#include "service/service.h"

struct await_elsewhere;
struct scheduler;
struct status_page;

/* The slow part of what follows. */
void hop_begin(struct bay_request *request);

/* A request comes to its service in this cell. Whoever has it. */
static inline void
hop_see(struct bay_request *request)
{
	if (__builtin_expect((request->recorded != 0) | service_is_traced(request->service), 0))
		hop_begin(request);
}

/* Its handler begins; when, is known. Only of one that is recorded. */
void hop_begin_handler(const struct bay_request *request);

/* It has ended, or goes no further here. Once; nothing if its hop has not begun. Whoever has it. */
void hop_end(struct bay_request *request);

/* It goes to another cell, where its hop begins anew: here it is none. Whoever has it. */
void hop_drop(struct bay_request *request);

/* The calling thread crashes, or has kept its loop for long: whatever request its code works for is the
 * one that did it. Safe in a signal handler, but that the memory may be broken. */
void hop_note_crash(const struct scheduler *here);
void hop_note_stall(const struct scheduler *here);

/* The same of a thread that is no loop, and works for the request that the code worked for which was running at
 * the first of the two. */
void hop_for_elsewhere(struct await_elsewhere *elsewhere);
void hop_note_crash_elsewhere(const struct await_elsewhere *elsewhere);

/* Where threads that are no loops write theirs, and where those stand that have not ended; NULL: nowhere,
 * as at first. Before there are such requests, or after. */
void hop_set_page(const struct status_page *page);

/* From now on what comes to the service is recorded, or not. Its instances have to be told
 * (instance_see_gate()). Any thread. */
void hop_set_traced(struct bay_service *service, bool traced);

#endif
