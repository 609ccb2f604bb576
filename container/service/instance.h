/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance: a service's state on one loop, and the requests that it serves there.
 *
 *	created -- init --> ready -- serve --> has the route -- stop --> ended
 *	                                        |        ^
 *	               another serves, or hold  v        | take_route
 *	                                       replaced -- stop --> ended
 *
 * One that is ready may be a canary (canary.h) before it takes the route, or instead.
 *
 * Owning loop only.
 */
#ifndef BAY_SERVICE_INSTANCE_H
#define BAY_SERVICE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/instance.h>
#include <bay/request.h>

#include "base/list.h"
#include "loop/timer.h"
#include "runtime/scope.h"

struct bay_plugin;
struct bay_service;
struct instance_health;
struct instance_settings;
struct later_table;
struct scheduler;
struct stack_class;
struct status_counters;
struct waiter;

/* What a leaf is promised of its caller's stack; its service's stack if that is less. */
#define INSTANCE_LEAF_STACK ((size_t)64 * 1024)

/* Direct calls are counted exactly and measured one in this many (a power of two). */
#define INSTANCE_SAMPLE 64

struct bay_instance {
	int (*handle)(struct bay_request *request);
	bool direct;                      /* takes calls without the queue: serves, and nothing
	                                   * that was taken from the queue has still to begin */
	bool takes;                       /* takes from the queue */
	bool leaf;
	bool leaf_direct;                 /* a leaf, and nobody watches its calls: they need no more than a
	                                   * function call */
	bool watched;                     /* how its calls end is counted; see call_guard.h */
	bool serves;                      /* has the route and a handler */
	bool takes_verbs;                 /* between serve and stop */
	bool replaced;                    /* had the route: another has it, or is going to */
	unsigned in_flight;
	unsigned starting;                /* of them: taken from the queue and not begun */
	unsigned concurrency;
	unsigned measured;                /* handlers so far */
	unsigned weight;
	int64_t message_ns;               /* what a message has cost of late; see dispatch.c */
	int64_t credit_ns;                /* likewise: what it may cost still; less than 0: a debt */
	int64_t left_ns;                  /* since when it has had nothing to do; 0: it has */
	bool bounded;                     /* all calls take the queue, which knows the bounds */
	struct timer again;               /* looks again at what a bound had stopped; see bounds.h */
	unsigned verbs;                   /* under way; not in flight, but among requests */
	size_t leaf_stack;
	uint32_t slot;
	uint32_t phase;                   /* of its handlers: task_phase() */
	struct status_counters *counters; /* of this loop */
	struct stack_class *stacks;
	int64_t timeout_ns;
	struct bay_service *service;
	struct scheduler *scheduler;
	const struct bay_plugin *plugin;
	const void *settings;             /* that requests see which begin now */
	struct instance_settings *changed; /* those of live changes, the newest first, or NULL */
	bool settings_given;              /* a pointer to them may be kept beyond a request */
	void *state;
	unsigned index;
	struct list requests;             /* struct bay_request.link: in flight */
	struct later_table *laters;       /* of bay_send_later(), or NULL */
	struct list subscriptions;        /* struct bay_subscription.in_instance */
	unsigned subscription_count;
	struct list blocking;             /* struct blocking_call.link: begun, or about to be */
	int64_t drain_until;              /* the end of the drain of a stop; BAY_INHERIT: none */
	struct waiter *quiet;             /* waits until nothing is in flight, or for stop, fini or health */
	struct instance_health *health;   /* how it is, once it has served, or NULL: nobody asks */
	struct bay_scope scope;           /* run, and what lives as long as we do */
	char *error;                      /* given by bay_instance_fail, malloc'd */
	void *owner;                      /* who hosts it: his own */
	int64_t generation;               /* of its code; 0: nobody counts */
	bool ready;                       /* init succeeded */
	bool stop_called;
	bool fini_called;
	bool laters_ended;                /* takes no more for bay_send_later() */
	bool runs;                        /* plugin->run was started */
	bool is_canary;
	bool given_up;                    /* was one, and is not to serve */
	struct bay_instance *canary;      /* has a share of what comes to this one, or NULL, ... */
	unsigned canary_share;            /* ... of so many percent, ... */
	unsigned canary_due;              /* ... and so many hundredths of a message to get still */
	void (*last_words)(struct bay_instance *instance); /* stop or fini, while it runs */
};

/* Whether a handler of it runs, or waits. */
static inline bool
instance_is_busy(const struct bay_instance *instance)
{
	return instance->in_flight > 0 || instance->verbs > 0;
}

/* How many handlers more may begin; one with a canary has them together with it. */
static inline unsigned
instance_room(const struct bay_instance *instance)
{
	unsigned busy = instance->in_flight + (instance->canary != NULL ? instance->canary->in_flight : 0);

	return busy < instance->concurrency ? instance->concurrency - busy : 0;
}

/* An instance of a plugin that does not serve yet, or NULL without memory. On its loop. */
struct bay_instance *instance_create(struct bay_service *service, const struct bay_plugin *plugin,
	const void *settings, struct scheduler *scheduler, unsigned index);

/* Nothing of it may run. */
void instance_destroy(struct bay_instance *instance);

/* Runs plugin->init. Inside a task of the instance; suspends. */
int instance_init(struct bay_instance *instance);

/* Begins to serve: takes the route and starts plugin->run, unless that was. False without memory
 * for run. */
bool instance_serve(struct bay_instance *instance);

/* Starts plugin->run alone, if there is one. False without memory. */
bool instance_begin_run(struct bay_instance *instance);

/* Whether calls may go to it without the queue, but for what was taken from there. */
bool instance_is_direct(const struct bay_instance *instance);

/* From now on what comes to its loop is its own: calls and the queue. Who had the route keeps
 * what it has and is replaced. */
void instance_take_route(struct bay_instance *instance);

/* What comes stays in the queue until somebody takes the route; a canary gets no more. */
void instance_hold(struct bay_instance *instance);

/* The gate of its service has changed: calls take the direct way or not. */
void instance_see_gate(struct bay_instance *instance);

/* What is before the calls of its service has changed. One that takes the route sees it then. */
void instance_see_guard(struct bay_instance *instance);

/* Whether its service is paused or drained, so that it may accept no connections. A
 * scheduler_held_back_fn. */
bool instance_is_held_back(const struct bay_instance *instance);

/* Waits until none of its requests is in flight, at most until deadline, or its drain_until.
 * Inside a task that is not counted as the instance's; suspends. */
bool instance_await_quiet(struct bay_instance *instance, int64_t deadline);

/* Whether something of it goes on without requests: it could not be left as it is. */
bool instance_acts(const struct bay_instance *instance);

/* A stop that is under way, or still to come, lets what is queued and in flight finish until
 * deadline and no longer. Only ever makes it shorter. */
void instance_drain_until(struct bay_instance *instance, int64_t deadline);

/* Ends it: no more direct calls; what is queued and in flight finishes within the drain,
 * then is cancelled; plugin->stop, the scope, plugin->fini, what it has left open. One that was
 * replaced has nothing to do with the queue, listens no more, and lets the connections that it
 * has accepted end within the drain; what it was to send later its successor does. False when
 * something refuses to end within grace_ns more (as much again for fini, and for what is
 * left): the instance then stays, *refusal_r says why, malloc'd, and this may be called
 * again. Inside a task that is not counted as the instance's; suspends. */
bool instance_stop(struct bay_instance *instance, int64_t grace_ns, char **refusal_r);

/* Starts the handler of a request as a task that is ready. False: there is no stack; the
 * request is as it was. */
bool instance_run_later(struct bay_instance *instance, struct bay_request *request);

/* The same, but runs it at once, until it ends or first parks. Inside a task. */
bool instance_run_now(struct bay_instance *instance, struct bay_request *request);

/* Starts a verb of the plugin as a task that is ready, beside the requests and their bounds.
 * False: there is no stack; the request is as it was. */
bool instance_run_verb(struct bay_instance *instance, struct bay_request *request);

/* Fails the request of a leaf whose handler called a function that may suspend. */
void instance_fail_leaf(struct bay_request *request, const char *function);

/* "service NAME", for the log. A scheduler_subject_fn. */
const char *instance_subject(const struct bay_instance *instance);

/* Counts a request that did not end with BAY_OK. */
void instance_count_failure(struct bay_instance *instance, const struct bay_request *request);

#endif
