/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands before the calls that this process makes of a service, wherever that is: a breaker, which
 * refuses them while too many fail, and a retry budget for those that another cell died with.
 *
 *	call ---- ask ----> direct, queue or other cell ----> end
 *	           |                                           |
 *	           +------ breaker <------- how it ended ------+     at home, once
 *
 * Calls only: of what goes one way nobody hears how it ended, so it is neither counted nor refused.
 * Of the ends of calls the failures are those that say that the service is not well; what its caller did
 * wrong or gave up is none (call_guard_outcome()).
 *
 * While there is no breaker, calls see no more of this than the member watched of their instance.
 */
#ifndef BAY_SERVICE_CALL_GUARD_H
#define BAY_SERVICE_CALL_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "service/breaker.h"
#include "service/request.h"
#include "service/retry_budget.h"
#include "service/service.h"

struct scheduler;
struct status_page;

struct call_guard_limits {
	struct breaker_limits breaker;
	unsigned retry_percent;    /* 0: no budget */
	unsigned retry_min_per_s;
};

/* The breaker has another state; text says why. Of one that is tried again and again without closing
 * only some are told. Under its lock, on any thread: to be handed on. */
typedef void call_guard_changed_fn(struct bay_service *service, const struct breaker_view *view,
	const char *text);

struct call_guard {
	struct bay_service *service;
	struct breaker *breaker;
	call_guard_changed_fn *changed;
	struct log_rate again;         /* what is told of trials that fail */
	_Atomic bool has_budget;       /* written under the lock */
	pthread_mutex_t lock;          /* of what follows */
	struct retry_budget budget;
	struct status_guard *status;
};

/* --- the control thread --------------------------------------------------------------- */

/* Sets what is before a service, and where in the page that is seen. Its instances have to be told
 * (instance_see_guard). Changed: may be NULL. */
void call_guard_set(struct bay_service *service, const struct call_guard_limits *limits,
	const struct status_page *page, uint32_t slot, call_guard_changed_fn *changed);

/* Closes the breaker. */
void call_guard_reset(struct bay_service *service);

/* Of a service that nobody calls any more. */
void call_guard_finish(struct bay_service *service);

/* --- calls, at home --------------------------------------------------------------------- */

/* How the end of a call speaks of its service: by_handler, it is the handler's word. */
enum breaker_outcome call_guard_outcome(int status, bool by_handler);

static inline enum breaker_mode
call_guard_mode(const struct bay_service *service)
{
	const struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_acquire);

	return guard == NULL ? BREAKER_OFF : breaker_mode(guard->breaker);
}

/* The slow part of the next. */
bool call_guard_ask(struct bay_request *request);

/* Whether a call may go; otherwise it has failed. If it goes, call_guard_end() may be waited for
 * (request->watched). */
static inline bool
call_guard_lets(struct bay_request *request)
{
	return __builtin_expect(call_guard_mode(request->service) == BREAKER_OFF, 1) || call_guard_ask(request);
}

/* A call that is watched has ended for its caller: it is watched no more. */
void call_guard_end(struct bay_request *request, int status, bool by_handler);

/* A call has ended of which there was no request; not as a trial. On a loop. */
void call_guard_count(const struct bay_service *service, const struct scheduler *here, int status,
	bool by_handler);

/* --- requests to other cells, any thread -------------------------------------------------- */

/* One is sent for the first time. */
void call_guard_note_sent(struct bay_service *service);

/* Whether one may be sent again. Otherwise why not, malloc'd. */
bool call_guard_lets_again(struct bay_service *service, char **why_r);

#endif
