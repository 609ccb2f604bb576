/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hosted service: the generations of its code, and which of them has the route.
 *
 *	start   current: load, initialise, serve                         -> ready
 *	swap    next: load, initialise  [ current: hold, export; next: import ]  next: serve
 *	                                -> next is current; what was current is kept, or ends
 *	retire  kept ends               revert  kept serves again, what was current ends
 *	try     next: load, initialise, a share of what comes            -> next is the canary
 *	promote as swap, from its flip or the hand-over on: the canary is next
 *	abort   the canary ends                                          -> as before
 *	stop    all of them end                                          -> gone
 *
 * A swap that fails before its end leaves current as it was; so does a promotion, which ends the
 * canary then, as its failure does. One thing at a time: a stop, or the
 * failure of what serves, waits until the swap has ended, which it makes end. What was
 * replaced ends by itself beside all that; while something of it refuses to, or its code stays,
 * it lingers.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOSTED_H
#define BAY_CELL_HOSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "cell/generation.h"
#include "cell/host.h"
#include "cell/host_asks.h"

struct bay_service;
struct cell_start;
struct hosted;
struct hosting;
struct ready_set;

/* It has come to rest: nothing is left of it (gone), or it is stuck. May destroy it. */
typedef void hosted_settled_fn(struct hosted *hosted, void *arg);

/* Whether another service's code is of the same image as this, which has just been unloaded. */
typedef bool hosted_shares_fn(const struct generation *generation, void *arg);

/* What the services of a cell have in common. Borrowed by all of them. */
struct hosting {
	struct loop *control;
	struct executor *executor;
	struct loader *loader;
	int64_t grace_ns;
	bool replaced;                    /* another cell takes the place of this one */
	hosted_settled_fn *settled;
	hosted_shares_fn *shares;
	hosted_shares_fn *threads_are_its; /* whether no other code in the cell begins threads */
	void *host;                       /* of these three */
	struct thread_watch *threads;
	const struct host_watcher *watcher;
	void *arg;                        /* the watcher's, and of all that is answered */
};

struct hosted {
	struct list link;                 /* its owner's */
	struct bay_service *service;
	bool gone;                        /* stopped, or never started */
	const struct hosting *hosting;
	uint64_t mask;                    /* loops with an instance */
	struct list generations;          /* struct generation.link, the latest first */
	struct generation *current;       /* has the route, or is to get it first; NULL: it has ended */
	struct generation *next;          /* of a swap that is under way, or NULL */
	struct generation *canary;        /* has a share of what comes, or NULL */
	unsigned share;                   /* percent that next is to have as canary; 0: it is to be current */
	bool promoting;                   /* next was the canary */
	char *canary_failed_with;         /* it is given up because it failed by itself, or NULL */
	struct generation *kept;          /* may get the route back, or NULL */
	struct generation *leaving;       /* of a revert: has the route still, or NULL */
	bool keep;                        /* the swap is to keep what it replaces */

	struct host_asks starters;        /* one at most */
	bool starting;                    /* whoever started it has had no answer */
	struct host_asks swappers;        /* one at most; also of a revert */
	bool swapping;                    /* one is under way */
	struct host_asks stoppers;
	bool stop_wanted;                 /* asked for before it could be: it is stopped then, ... */
	int64_t stop_drain_ns;            /* ... with this drain */
	bool ending;                      /* all of it is to end */
	int status;                       /* of a start or swap that failed ... */
	char *message;                    /* ... and its first failure, or NULL */
	char *refusal;                    /* why something of it would not end, or NULL */
	char *failed_with;                /* it is stopped because it failed by itself, ... */
	int64_t failed_generation;        /* ... with this code, ... */
	bool told;                        /* ... which the watcher has been told */
	char *unwell;                     /* what the watcher was told last of how it is, or NULL: well */
};

/* A service that has not been started, on the loops in mask; takes the descriptor image, or
 * -1. Destroyed once it is gone. */
struct hosted *hosted_create(const struct hosting *hosting, struct bay_service *service,
	const struct cell_start *start, int image, uint64_t mask);
void hosted_destroy(struct hosted *hosted);

/* Starts it; done is called with id, perhaps before this returns. */
void hosted_start(struct hosted *hosted, host_done_fn *done, int64_t id);

/* Puts other code in the place of what serves; takes image. done as for hosted_start(). */
void hosted_swap(struct hosted *hosted, const struct cell_start *start, int image, host_done_fn *done,
	int64_t id);

/* The kept generation ends, within drain_ns; it gets the route back, and the other one ends. */
void hosted_retire(struct hosted *hosted, int64_t drain_ns);
void hosted_revert(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id);

/* The canary takes the place of what serves, which is kept on demand; it ends, within drain_ns,
 * and has no more share when done is called. There is one, or it is being given up. */
void hosted_promote(struct hosted *hosted, bool keep, host_done_fn *done, int64_t id);
void hosted_abort(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id);

/* Whether its canary has failed, and has a share for a moment still. */
bool hosted_gives_up(const struct hosted *hosted);

/* Stops it: what it has finishes within drain_ns, then is cancelled. One that is being
 * started ends that first. One that is draining has the shorter of the two drains from now
 * on, and all who asked get the same answer. done may be NULL. */
void hosted_stop(struct hosted *hosted, int64_t drain_ns, host_done_fn *done, int64_t id);

/* A task of one of its generations has failed: so has the service, if it is the one that serves;
 * a canary is given up. */
void hosted_fail(struct hosted *hosted, struct generation *generation, const char *message);

/* An instance of one of its generations is not well (takes message) or, with NULL, is well again; of
 * the one that serves the watcher hears it. */
void hosted_take_health(struct hosted *hosted, struct generation *generation, unsigned instance, char *message);

/* Something of it would not end, and nothing is going on. */
bool hosted_is_stuck(const struct hosted *hosted);

/* The generation with this number that is to serve, or does: not one that was replaced. */
bool hosted_has(const struct hosted *hosted, int64_t number);

/* Whether one of its generations is of this image. */
bool hosted_uses(const struct hosted *hosted, const char *image);

/* --- between hosted.c and hosted_swap.c ---------------------------------------------------- */

struct generation *hosted_add(struct hosted *hosted, const struct cell_start *start, int image);

/* Keeps the first failure of a start or swap. Takes message. */
void hosted_keep_failure(struct hosted *hosted, int status, char *message);

/* What went wrong in a step of one of its generations, which may go on without. */
void hosted_take_failure(struct hosted *hosted, struct generation *generation);

/* The generation gets what comes from now on. */
void hosted_prepare_route(struct hosted *hosted, const struct generation *generation,
	struct ready_set *set);

/* All of it ends. */
void hosted_begin_stop(struct hosted *hosted, int64_t drain_ns);

/* Tells the watcher how it is: what changed or, anew, since another generation serves, in any case. */
void hosted_tell_health(struct hosted *hosted, bool anew);

/* One of its generations has ended, or refuses to. */
void hosted_on_ended(struct generation *generation);

void hosted_warn_replaced(const struct hosted *hosted, int64_t number, const char *message);

/* The canary has no more share soon, and ends. */
void hosted_begin_give_up(struct hosted *hosted);

#endif
