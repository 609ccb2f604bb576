/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hosted service, from a plugin's image to instances that serve, and back to nothing.
 *
 *	control thread        loader thread         loops
 *	start --------------> dlopen, settings
 *	      <-------------- done
 *	      -------------------------------------> instance, init      (each loop)
 *	      <------------------------------------- done
 *	      -------------------------------------> serve               (each loop)
 *	      <------------------------------------- done
 *	ready
 *	stop  -------------------------------------> drain, stop, fini   (each loop)
 *	      <------------------------------------- done
 *	      --------------> dlclose
 *	      <-------------- done
 *	stopped
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOSTED_H
#define BAY_CELL_HOSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "cell/host.h"
#include "cell/host_asks.h"
#include "cell/host_code.h"

struct bay_service;
struct cell_start;
struct host_instance;
struct hosted;
struct hosting;

/* It has come to rest: nothing is left of it (gone), or it is stuck. May destroy it. */
typedef void hosted_settled_fn(struct hosted *hosted, void *arg);

/* What the services of a cell have in common. Borrowed by all of them. */
struct hosting {
	struct loop *control;
	struct executor *executor;
	struct loader *loader;
	int64_t grace_ns;
	hosted_settled_fn *settled;
	void *settled_arg;
	host_failed_fn *on_failed;
	void *arg;                        /* of on_failed and of all that is answered */
};

struct hosted {
	struct list link;                 /* its owner's */
	struct bay_service *service;
	bool gone;                        /* stopped, or never started */
	const struct hosting *hosting;
	struct host_code code;
	int64_t generation;
	int64_t start_timeout_ns;
	uint64_t mask;                    /* loops with an instance */
	struct host_instance *instances;  /* of the loops in mask, in their order */
	unsigned instance_count;

	struct host_asks starters;        /* one at most */
	bool starting;                    /* whoever started it has had no answer */
	struct host_asks stoppers;
	bool stop_wanted;                 /* before it was ready: it is stopped then, ... */
	int64_t stop_drain_ns;            /* ... with this drain */
	unsigned pending;                 /* instances that have not answered */
	int status;                       /* of a start that failed ... */
	char *message;                    /* ... and its first failure, or NULL */
	char *refusal;                    /* why something of it would not end, or NULL */
	char *failed_with;                /* it is stopped because it failed by itself, ... */
	bool told;                        /* ... which on_failed has been told */
};

/* A service that has not been started, on the loops in mask; takes the descriptor image, or
 * -1. Destroyed once it is gone. */
struct hosted *hosted_create(const struct hosting *hosting, struct bay_service *service,
	const struct cell_start *start, int image, uint64_t mask);
void hosted_destroy(struct hosted *hosted);

/* Starts it; done is called with id, perhaps before this returns. */
void hosted_start(struct hosted *hosted, host_done_fn *done, int64_t id);

/* Stops it: what it has finishes within drain_ns, then is cancelled. One that is being
 * started ends that first. One that is draining has the shorter of the two drains from now
 * on, and all who asked get the same answer. done may be NULL. */
void hosted_stop(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id);

/* A task of it has failed: so has the service. */
void hosted_fail(struct hosted *hosted, const char *message);

/* Something of it would not end, and nothing is going on. */
bool hosted_is_stuck(const struct hosted *hosted);

#endif
