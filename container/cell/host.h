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

struct bay_plugin;
struct bay_service;
struct cell_absent;
struct cell_start;
struct executor;
struct host;
struct loader;
struct loop;
struct scheduler;
struct status_page;

/* An operation has ended: message NULL, it worked; else why not (status tells the kind). */
typedef void host_done_fn(int status, const char *message, int64_t id, void *arg);

/* A service failed by itself and has been stopped. */
typedef void host_failed_fn(const char *service, int64_t generation, const char *message, void *arg);

/* control is the loop of the control thread. All are borrowed. */
struct host *host_create(struct loop *control, struct executor *executor, struct loader *loader,
	const struct status_page *page, host_failed_fn *on_failed, void *arg);

/* Sets how long what was cancelled may take to end before the answer is that it refuses. */
void host_set_grace(struct host *host, int64_t grace_ns);

/* Sets which ways calls to services take that are started from now on: enum service_calls. */
void host_set_calls(struct host *host, int calls);

/* Of the code that a service runs, from its start to its end; 0: it is not there. */
int64_t host_generation(struct host *host, const char *service);

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

/* Stops one: what it has finishes within drain_ns, then is cancelled. May be asked again
 * meanwhile: the shortest drain counts, and all who asked are answered. */
void host_stop(struct host *host, const char *service, int64_t drain_ns, host_done_fn *done, int64_t id);

/* The same for all, also for those that are still starting; no more can be started. */
void host_stop_all(struct host *host, int64_t drain_ns, host_done_fn *done, int64_t id);

#endif
