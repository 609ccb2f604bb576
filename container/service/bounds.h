/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service may use at most, over all loops: messages in the queue and in handlers
 * (max_inflight), messages that begin in a time (rate), tasks (tasks_max), bytes that it has allocated
 * and queued (memory_max).
 *
 *	door ------> queue ------> handler
 *	 max_inflight       rate
 *	 memory_max         tasks_max
 *
 * What is not let in goes by the policy of a full queue. What may not begin stays in the queue, and so
 * fills it. A service with any of them has no direct calls, so that all comes by here, and the
 * hot path looks at nothing new.
 *
 * When nothing may begin, the service rests: it is in no ready set until one of its own ends, or the
 * timer of the instance that found it so fires. What memory is freed and which tasks end elsewhere
 * nobody tells us, so that timer comes again and again, but only while there are messages.
 */
#ifndef BAY_SERVICE_BOUNDS_H
#define BAY_SERVICE_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/service.h"

struct bay_instance;

static inline bool
bounds_are_set(const struct service_limits *limits)
{
	return limits->max_inflight != 0 || limits->rate_count != 0 || limits->tasks_max != 0 ||
		limits->memory_max != 0;
}

/* --- under the service's lock ----------------------------------------------------- */

/* Whether there is room for one message more, of so many bytes. */
bool bounds_let_in(const struct bay_service *service, size_t bytes);

/* Whether it is memory that it lacks. */
bool bounds_lacks_memory(const struct bay_service *service, size_t bytes);

/* What it has allocated and not freed counts no more: it has ended. Any thread. */
void bounds_forget_memory(struct bay_service *service);

/* Which bound is in its way, malloc'd; NULL: none. */
char *bounds_reached(const struct bay_service *service, size_t bytes);

/* How many of count messages may begin now, which are then taken; when it is less than that, *again_ns_r
 * is the time to ask again. */
size_t bounds_let_begin(struct bay_service *service, size_t count, int64_t now_ns, int64_t *again_ns_r);

/* --- by the service's own code, on any thread --------------------------------------- */

/* Whether it may allocate so many bytes more; says in its log when not. NULL: nobody is bounded. */
bool bounds_let_allocate(const struct bay_service *service, size_t bytes);

/* Whether it may have one task more; the same. A scheduler_may_spawn_fn. */
bool bounds_let_spawn(const struct bay_instance *instance);

/* --- the timer of an instance, on its loop --------------------------------------------- */

void bounds_timer_init(struct bay_instance *instance);
void bounds_timer_set(struct bay_instance *instance, int64_t when_ns);

/* What it was to do is done now. */
void bounds_timer_finish(struct bay_instance *instance);

#endif
