/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/hop.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hop_ring.h"
#include "base/hop_table.h"
#include "base/status_page.h"
#include "runtime/scheduler.h"
#include "service/registry.h"
#include "service/trace.h"

static pthread_mutex_t hop_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hop_ring *hop_elsewhere; /* of threads that are no loops, or NULL; under the lock */
static struct hop_table *hop_table;    /* or NULL; set while nobody uses it */

void
hop_set_page(const struct status_page *page)
{
	pthread_mutex_lock(&hop_lock);
	hop_elsewhere = page != NULL ? status_page_hops(page, page->loops) : NULL;
	pthread_mutex_unlock(&hop_lock);
	hop_table = page != NULL ? status_page_hop_table(page) : NULL;
}

void
hop_set_traced(struct bay_service *service, bool traced)
{
	atomic_store_explicit(&service->traced, traced, memory_order_relaxed);
}

/* Whether its own service stands above it in what is recorded. */
static bool
hop_is_again(const struct bay_request *request)
{
	unsigned i;

	for (i = request->recorded - 1u; i < request->depth; i++) {
		if (request->chain[i] == request->service->id)
			return true;
	}
	return false;
}

static uint64_t
hop_flags(const struct bay_request *request)
{
	return (request->queued_ns != 0 || request->taken_ns == 0 ? HOP_QUEUED : 0) |
		(request->came_over ? HOP_CAME_OVER : 0) | (request->one_way ? HOP_ONE_WAY : 0) |
		(hop_is_again(request) ? HOP_AGAIN : 0);
}

/* What is known of it by now. */
static struct hop
hop_of(const struct bay_request *request)
{
	struct hop hop = {.id = request->trace.id, .span = request->span, .parent = request->trace.parent,
		.came_ns = request->came_ns, .begun_ns = request->taken_ns, .status = request->status,
		.slot = request->service->slot, .flags = hop_flags(request)};

	if (request->depth > 0)
		snprintf(hop.caller, sizeof(hop.caller), "%s", registry_at(request->chain[request->depth - 1])->name);
	return hop;
}

void
hop_begin(struct bay_request *request)
{
	struct hop hop;

	if (request->recorded == 0)
		request->recorded = (uint8_t)(request->depth + 1);
	/* It may come twice, when there was no room. */
	if (request->came_ns != 0)
		return;
	(void)trace_span(request);
	request->came_ns = clock_monotonic_ns();
	request->hop_place = 0;
	if (hop_table == NULL)
		return;
	hop = hop_of(request);
	request->hop_place = hop_table_open(hop_table, &hop);
}

void
hop_begin_handler(const struct bay_request *request)
{
	if (request->came_ns != 0 && hop_table != NULL)
		hop_table_begin(hop_table, request->hop_place, request->taken_ns, hop_flags(request));
}

static void
hop_write(const struct hop *hop)
{
	if (scheduler_here != NULL) {
		if (scheduler_here->hops != NULL)
			hop_ring_add(scheduler_here->hops, hop);
		return;
	}
	pthread_mutex_lock(&hop_lock);
	if (hop_elsewhere != NULL)
		hop_ring_add(hop_elsewhere, hop);
	pthread_mutex_unlock(&hop_lock);
}

void
hop_drop(struct bay_request *request)
{
	uint16_t place = request->hop_place;

	if (request->came_ns == 0)
		return;
	request->came_ns = 0;
	/* A handler of signals that looks between the two must not find a place that is another's by now. */
	atomic_signal_fence(memory_order_seq_cst);
	if (hop_table != NULL)
		hop_table_close(hop_table, place);
}

void
hop_end(struct bay_request *request)
{
	struct hop hop;

	if (request->came_ns == 0)
		return;
	hop = hop_of(request);
	hop.ended_ns = clock_monotonic_ns();
	/* Who dies between the two has said how it ended. */
	hop_write(&hop);
	hop_drop(request);
}

/* --- what a cell dies of ----------------------------------------------------------------- */

/* The request that the code of this thread works for, if its hop has begun; or NULL. */
static const struct bay_request *
hop_request_here(const struct scheduler *here)
{
	const struct bay_request *request = here->leaf != NULL ? here->leaf :
		here->current != NULL ? here->current->request : NULL;

	return request != NULL && request->recorded != 0 && request->came_ns != 0 ? request : NULL;
}

/* Its place; 0: none. */
static uint16_t
hop_place_here(const struct scheduler *here)
{
	const struct bay_request *request = hop_request_here(here);

	return request != NULL ? request->hop_place : 0;
}

void
hop_note_crash(const struct scheduler *here)
{
	if (hop_table != NULL)
		hop_table_crash(hop_table, hop_place_here(here));
}

void
hop_for_elsewhere(struct await_elsewhere *elsewhere)
{
	const struct bay_request *request = hop_request_here(scheduler_here);

	elsewhere->hop_place = request != NULL ? request->hop_place : 0;
	elsewhere->hop_span = request != NULL ? request->span : 0;
}

void
hop_note_crash_elsewhere(const struct await_elsewhere *elsewhere)
{
	if (hop_table != NULL)
		hop_table_crash_of(hop_table, elsewhere->hop_place, elsewhere->hop_span);
}

void
hop_note_stall(const struct scheduler *here)
{
	if (hop_table != NULL)
		hop_table_stall(hop_table, hop_place_here(here));
}
