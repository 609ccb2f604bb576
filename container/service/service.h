/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service: a name, its bounds, its shared queue and the route to its instances.
 *
 *	bay_call ---- same loop, nothing queued -----------> instance (direct)
 *	    |
 *	    +--> queue (bounded) --> ready set --> a loop with an instance --> task
 *
 * The record lives as long as the process, through stops and starts, so callers may
 * keep it. The hot path reads instances[own loop], which only that loop writes, and
 * the number of queued messages; everything else of the queue is under the lock.
 */
#ifndef BAY_SERVICE_SERVICE_H
#define BAY_SERVICE_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/call.h>
#include <bay/plugin.h>

#include "base/list.h"
#include "base/log.h"
#include "base/status_page.h"
#include "io/blocking_pool.h"
#include "service/monitor.h"

struct bay_instance;
struct bay_request;
struct call_guard;
struct peer_route;
struct ready_set;

#define SERVICE_LOOPS_MAX STATUS_PAGE_LOOPS_MAX
#define SERVICE_NAME_SIZE 49

enum service_state {
	SERVICE_UNKNOWN,    /* only asked for by name */
	SERVICE_STARTING,
	SERVICE_READY,
	SERVICE_STOPPING,   /* finishes what it has, takes no more */
	SERVICE_STOPPED,
	SERVICE_FAILED,
	SERVICE_ELSEWHERE   /* in another cell: route says which */
};

/* A service has so much of a loop as its weight says against those of others. */
#define SERVICE_WEIGHT 100u

/* Which ways calls may take that could be direct. */
enum service_calls {
	SERVICE_CALLS_DIRECT,  /* the first that is open, as usual */
	SERVICE_CALLS_QUEUED,  /* only the queue: for tests */
	SERVICE_CALLS_RANDOM   /* a draw decides each time: for tests */
};

enum overflow_policy {
	OVERFLOW_REJECT,
	OVERFLOW_WAIT,
	OVERFLOW_DROP_OLDEST,
	OVERFLOW_DROP_NEWEST
};

/* What becomes of requests that come: a wish of the operator, which outlives starts and stops. */
enum service_gate {
	SERVICE_GATE_OPEN,
	SERVICE_GATE_PAUSED, /* they are queued, and none is begun */
	SERVICE_GATE_CLOSED  /* they are refused; what is queued is served */
};

/* What serves one of the container's own, which only other cells find, instead of a queue and instances.
 * On the loop that looks after the link by which a request came. */
struct service_own {
	/* NULL: it comes home by request_go_home(), at once or later. Else what is wrong with it, which ends
	 * the link. */
	const char *(*receive)(struct bay_request *request);
	/* Nobody waits for one that has not come home: it does not come any more, and is the caller's. */
	void (*forget)(struct bay_request *request);
};

/* From the ini. Those that are live may change while it runs, under the lock; its instances have
 * copies of what the hot path reads. */
struct service_limits {
	unsigned concurrency;       /* handlers at once, per instance */
	size_t queue;               /* messages */
	size_t queue_bytes;
	unsigned weight;            /* 0: SERVICE_WEIGHT */
	/* See bounds.h; 0: no limit. */
	size_t max_inflight;
	uint64_t tasks_max;
	uint64_t memory_max;
	uint64_t rate_count;
	int64_t rate_period_ns;
	enum overflow_policy overflow;
	int64_t timeout_ns;         /* of a call; 0: none */
	size_t stack_bytes;
	enum service_calls calls;
	unsigned blocking_threads;  /* helper threads at once, of all instances; 0: the usual */
	int64_t health_interval_ns; /* between two questions to the plugin how it is; 0: none is asked */
	int64_t health_timeout_ns;
};

struct bay_service {
	/* read by every caller */
	_Atomic size_t queued;               /* messages in the queue; written under lock */
	_Atomic int state;                   /* enum service_state; written under lock */
	_Atomic int gate;                    /* enum service_gate; likewise */
	atomic_bool traced;                  /* what comes to it is recorded: see hop.h */
	uint16_t id;                         /* index in the registry */
	const struct bay_plugin *plugin;     /* of who has the route, or is to get it; while not
	                                      * stopped. Written under lock */
	struct service_limits limits;
	unsigned instance_count;
	struct status_counters *counters;    /* [columns + 1]; NULL: has no slot yet */
	unsigned columns;                    /* loops that count; the last is for others */
	struct status_gauges *gauges;
	uint32_t slot;
	char name[SERVICE_NAME_SIZE];
	char subject[SERVICE_NAME_SIZE + 8]; /* "service NAME", for the log */
	_Atomic uint64_t memory_max;         /* of the limits, for who has no lock; likewise tasks_max */
	_Atomic uint64_t tasks_max;
	_Atomic uint64_t memory_left;        /* by code that has ended, and not counted any more */
	struct log_rate bounded;             /* refusals of memory and tasks */
	struct log_rate unheard;             /* failures of messages that went one way */
	struct blocking_lane blocking;       /* its functions on helper threads */
	struct peer_route *route;            /* to another cell, once it was in one; see peer.h */
	const struct service_own *own;       /* or NULL: it is one of an ini */
	_Atomic(struct call_guard *) guard;  /* before the calls of this process; NULL: there is none */

	/* A task that lives as long as this instance has failed. Called on its loop. */
	void (*on_failed)(struct bay_instance *instance, const char *text);

	/* This instance, which has the route, is not well; or, without a text, is well again. Called on
	 * its loop. NULL: nobody wants to know. */
	void (*on_health)(struct bay_instance *instance, const char *text);

	/* under lock */
	pthread_mutex_t lock;
	struct list queue;                   /* struct bay_request.link */
	struct list waiting;                 /* the same: before a full queue */
	size_t queued_bytes;
	size_t waiting_count;
	size_t inflight;                     /* taken and not ended, of those that are counted */
	int64_t rate_until_ns;               /* the time up to which the rate has been used */
	bool rests;                          /* nothing is taken until somebody looks again: a bound
	                                      * was reached */
	bool listed;                         /* in its ready set, or just taken from it */
	_Atomic bool held;                   /* what comes waits until it is started again; written under
	                                      * the lock */
	char *reason;                        /* why it failed, malloc'd, or NULL */
	char *gate_by;                       /* whose wish the gate is, malloc'd, or NULL */
	struct ready_set *set;               /* of the loops that have an instance */
	struct list in_set;                  /* under the set's lock */

	struct service_news news;            /* for those who monitor it */

	/* The route, one a loop, written by that loop: who gets what comes. Instances of code that
	 * has been replaced may stand beside it, and finish what they have. */
	struct bay_instance *instances[SERVICE_LOOPS_MAX];
};

/* Prepares a record; the registry does. */
void service_init(struct bay_service *service, const char *name, uint16_t id);
void service_finish(struct bay_service *service);

/* Moves to a state, with a reason for SERVICE_FAILED (copied). Any thread. */
void service_set_state(struct bay_service *service, enum service_state state, const char *reason);

static inline enum service_state
service_state(const struct bay_service *service)
{
	return (enum service_state)atomic_load_explicit(&service->state, memory_order_acquire);
}

static inline enum service_gate
service_gate(const struct bay_service *service)
{
	return (enum service_gate)atomic_load_explicit(&service->gate, memory_order_acquire);
}

static inline bool
service_is_traced(const struct bay_service *service)
{
	return atomic_load_explicit(&service->traced, memory_order_relaxed);
}

/* "ready", "stopped", ... */
const char *service_state_name(enum service_state state);

/* False when there is no such word. */
bool overflow_policy_parse(const char *word, enum overflow_policy *policy_r);
const char *overflow_policy_name(enum overflow_policy policy);

/* Gives it its figures in the status page; while it is stopped. */
void service_set_slot(struct bay_service *service, const struct status_page *page, uint32_t slot);

/* Sets the bounds, while it is stopped. Any thread. */
void service_set_limits(struct bay_service *service, const struct service_limits *limits);

/* The same while it runs: all but how it is called, which the loops read. Its instances have to be
 * told (instance_change.h). Any thread. */
void service_change_limits(struct bay_service *service, const struct service_limits *limits);

/* Sets which loops the route is going to have instances on, and of what plugin, before it has
 * them. NULL and 0: none. Any thread. */
void service_set_route(struct bay_service *service, const struct bay_plugin *plugin, struct ready_set *set,
	unsigned instance_count);

/* What there is to count outside an instance. */
enum service_event {
	SERVICE_EVENT_QUEUED,
	SERVICE_EVENT_DROPPED,
	SERVICE_EVENT_REJECTED,
	SERVICE_EVENT_FAILED,
	SERVICE_EVENT_TIMEOUT,   /* failed: its deadline passed in the queue */
	SERVICE_EVENT_CANCELED   /* failed: cancelled in the queue */
};

/* Counts one on the column of the calling thread. Any thread. */
void service_count(const struct bay_service *service, enum service_event event);

/* Time of a processor that a thread that is no loop had for it. NULL: counts nothing. Any thread. */
void service_count_cpu(const struct bay_service *service, int64_t cpu_ns);

/* Messages that came into its subscriptions, or left them; that were lost there. NULL: counts
 * nothing. On a loop. */
void service_count_topic(const struct bay_service *service, int64_t waiting, uint64_t lost);

#endif
