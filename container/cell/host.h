/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the services that this cell hosts: who is there, and all of them together.
 * The life of one is in hosted.h. A service is started once at a time, any number of them
 * side by side.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOST_H
#define BAY_CELL_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/cell_link.h"

struct bay_plugin;
struct bay_service;
struct cell_absent;
struct cell_change;
struct cell_gate;
struct cell_gate_seen;
struct cell_breaker;
struct cell_guard;
struct cell_trace;
struct cell_fault;
struct cell_health;
struct cell_promote;
struct cell_start;
struct executor;
struct generation;
struct host;
struct loader;
struct loop;
struct scheduler;
struct status_page;

/* An operation has ended: message NULL, it worked; else why not (status tells the kind). */
typedef void host_done_fn(int status, const char *message, int64_t id, void *arg);

/* All loops have seen a gate. */
typedef void host_gate_fn(const struct cell_gate_seen *seen, int64_t id, void *arg);

/* What its owner hears without having asked. */
struct host_watcher {
	/* A service failed by itself and has been stopped; or a canary did, and has been given up. */
	void (*failed)(const char *service, int64_t generation, const char *message, void *arg);
	/* A swap to this generation has come so far. */
	void (*stage)(const char *service, int64_t generation, enum cell_stage stage, void *arg);
	/* Something of a generation that was replaced or stopped stays. */
	void (*lingers)(const struct cell_lingers *lingers, void *arg);
	/* What serves is not well, or is well again. */
	void (*health)(const struct cell_health *health, void *arg);
	/* What is before the calls of a service has another state; only if host_guard was called. */
	void (*breaker)(const struct cell_breaker *breaker, void *arg);
	/* Something is wrong with it. */
	void (*fault)(const struct cell_fault *fault, void *arg);
};

/* control is the loop of the control thread. All are borrowed; arg is the watcher's, and of all
 * that is answered. */
struct host *host_create(struct loop *control, struct executor *executor, struct loader *loader,
	const struct status_page *page, const struct host_watcher *watcher, void *arg);

/* Sets how long what was cancelled may take to end before the answer is that it refuses. */
void host_set_grace(struct host *host, int64_t grace_ns);

/* Sets which ways calls to services take that are started from now on: enum service_calls. */
void host_set_calls(struct host *host, int calls);

/* Whether a service is there with this generation, which serves or is to. */
bool host_has(struct host *host, const char *service, int64_t generation);

/* The generation that serves, whose code stays until generation_unpin(); NULL: there is none. */
struct generation *host_pin(struct host *host, const char *service);

/* Of the loop with the first instance of a service; NULL: it is not ready. */
struct scheduler *host_first_scheduler(struct host *host, const struct bay_service *service);

/* Everything must be stopped. NULL is fine. */
void host_destroy(struct host *host);

/* Remembers for its callers why a service is not there. Nothing happens to one that is. */
void host_absent(struct host *host, const struct cell_absent *absent);

/* Starts a service, from the descriptor image (taken) unless that is -1; done is called with
 * id, perhaps before this returns. */
void host_start(struct host *host, const struct cell_start *start, int image, host_done_fn *done, int64_t id);

/* The same for code that is in the program: descriptor is borrowed until the service has
 * stopped, and the start names no image. */
void host_start_adopted(struct host *host, const struct cell_start *start,
	const struct bay_plugin *descriptor, host_done_fn *done, int64_t id);

/* Sets what becomes of the requests of a service, there or not; done is called with id once all
 * loops have seen it. False: the name is not valid, and nothing is called. */
bool host_gate(struct host *host, const struct cell_gate *gate, host_gate_fn *done, int64_t id)
	__attribute__((warn_unused_result));

/* Sets what is before the calls of a service, there or not. BAY_INVALID: the name is not valid. */
void host_guard(struct host *host, const struct cell_guard *guard, host_done_fn *done, int64_t id);
/* Whether what comes to a service is recorded: likewise; what done is given means nothing. */
bool host_trace(struct host *host, const struct cell_trace *trace, host_gate_fn *done, int64_t id)
	__attribute__((warn_unused_result));

/* Gives a service that runs what is live of another configuration. BAY_CLOSED: it does not run;
 * BAY_INVALID: its plugin refuses the settings, and all is as before. */
void host_change(struct host *host, const struct cell_change *change, host_done_fn *done, int64_t id);

/* Puts other code in the place of what serves, without a stop; takes image. What ran before
 * goes on if that fails. */
void host_swap(struct host *host, const struct cell_start *start, int image, host_done_fn *done, int64_t id);

/* What a swap has kept may end now, within drain_ns; or it serves again, and the other one ends
 * within that. */
void host_retire(struct host *host, const char *service, int64_t drain_ns);
void host_revert(struct host *host, const char *service, int64_t drain_ns, host_done_fn *done, int64_t id);

/* The canary that a swap with a share has begun takes the place of what serves, which is kept on
 * demand; or it is given up: it has no share any more, and ends within drain_ns. BAY_NOT_FOUND: there
 * is none. */
void host_promote(struct host *host, const struct cell_promote *promote, host_done_fn *done, int64_t id);
void host_abort(struct host *host, const char *service, int64_t drain_ns, host_done_fn *done, int64_t id);

/* Stops one: what it has finishes within drain_ns, then is cancelled. May be asked again
 * meanwhile: the shortest drain counts, and all who asked are answered. hold: what comes waits
 * in its queue until it is started again, or host_absent says that it is not. */
void host_stop(struct host *host, const char *service, int64_t drain_ns, bool hold,
	host_done_fn *done, int64_t id);

/* The same for all, also for those that are still starting; no more can be started. replaced: by
 * another cell, so that they end as what was replaced by other code does. */
void host_stop_all(struct host *host, int64_t drain_ns, bool replaced, host_done_fn *done, int64_t id);

#endif
