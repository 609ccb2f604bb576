/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has all cells and all services, and keeps them as they are wanted: starts them, notices every
 * death, and starts again what may be started again.
 *
 *	cell     master_cell.h: who is in it and who is to blame for its end; its process is kept by
 *	         cell_keeper.h: down -> setting up -> ready -> ended -> down ...
 *	service  master_service.h; its steps are in service_control.h
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_SUPERVISOR_H
#define BAY_MASTER_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config_data.h"
#include "master/backoff.h"
#include "master/cell_process.h"
#include "master/master_service.h"

struct circle_watch;
struct crash_reports;
struct event_base;
struct event_log;
struct link_broker;
struct listener_table;
struct master_cell;
struct plugin_examination;
struct plugin_image;
struct service_order;
struct service_table;
struct status_page;
struct supervisor;
struct topic_board;

/* How long it waits for what should happen by itself. */
struct supervisor_limits {
	int64_t setup_ns;    /* for the answer to a cell's first call */
	int64_t broken_ns;   /* for the end of a cell that has closed its connection */
	int64_t grace_ns;    /* beyond start_timeout and drain_timeout of a service */
	int64_t stop_ns;     /* beyond drain_timeout of the container */
	int64_t stop_now_ns; /* for the end of a cell that is to stop at once */
	struct backoff backoff; /* between cells when nobody is to blame */
};

extern const struct supervisor_limits supervisor_limits_default;

struct supervisor_options {
	struct event_base *base;
	struct config *config;
	struct plugin_examination *examination; /* makes and examines images */
	struct listener_table *listeners;       /* what services listen on */
	struct event_log *events;               /* takes what happens; or NULL */
	struct crash_reports *crash_reports;    /* takes what is left of cells; or NULL */
	const struct supervisor_limits *limits;
	struct cell_options cell; /* of the first, which is always there; its services are filled in */
};

/* What its owner hears; the functions may not destroy the supervisor. */
struct supervisor_watcher {
	/* Every enabled service is ready or has failed; or, with why, a cell cannot be
	 * brought to work at all. Called once. */
	void (*started)(const char *why, void *arg);
	/* All cells have ended as supervisor_stop asked. Called once. */
	void (*stopped)(void *arg);
	/* The process of a cell has ended. Its page is borrowed for the call; hung_slot is that of the service
	 * that it was killed for, since that kept a loop, or STATUS_NO_SLOT. Or NULL. */
	void (*cell_ended)(const struct master_cell *cell, const struct status_page *page, uint32_t hung_slot,
		void *arg);
	void *arg;
};

/* Copies options and watcher and takes a reference to the configuration; what else they point to
 * is borrowed. All services are stopped. */
struct supervisor *supervisor_create(const struct supervisor_options *options,
	const struct supervisor_watcher *watcher);

/* Kills the cells; the requests that wait for something are answered. NULL is fine. */
void supervisor_destroy(struct supervisor *supervisor);

/* The plugins of all enabled services are being examined: they are STARTING, and what operators
 * wish for them meanwhile is heeded. Before supervisor_set_image. */
void supervisor_expect_images(struct supervisor *supervisor);

/* Gives a service its image before supervisor_start and takes the reference; or, with NULL,
 * the reason why it has none: it has failed then. */
void supervisor_set_image(struct supervisor *supervisor, size_t index,
	struct plugin_image *image, const char *reason);

/* Starts the cells and the enabled services. False: one cannot be executed, and why is
 * appended to error. */
bool supervisor_start(struct supervisor *supervisor, struct buffer *error)
	__attribute__((warn_unused_result));

/* Ends the cells: after their requests, within drain_timeout; or, now, at once. The second call
 * may only hurry. */
void supervisor_stop(struct supervisor *supervisor, bool now);

/* Looks for children that have ended: on SIGCHLD. */
void supervisor_reap(struct supervisor *supervisor);

/* --- another configuration ----------------------------------------------------------- */

/* A reload has brought all services to what this says, so it is in force from now on: what is
 * left to be done is the container's own. */
void supervisor_set_config(struct supervisor *supervisor, struct config *config);

/* As service_table_add and service_table_remove. */
struct master_service *supervisor_add(struct supervisor *supervisor, struct config *source,
	const struct config_service *config);
void supervisor_remove(struct supervisor *supervisor, struct master_service *service);

/* --- queries ------------------------------------------------------------------------- */

size_t supervisor_count(const struct supervisor *supervisor);
struct master_service *supervisor_service(const struct supervisor *supervisor, size_t index);

/* All that the service has counted, in whatever cells it was; as master_service_totals. */
void supervisor_totals(const struct supervisor *supervisor, const struct master_service *service,
	struct service_totals *totals_r);

/* Whose figures are in this slot of the pages, also if the configuration has it no more. NULL:
 * nobody's. */
struct master_service *supervisor_by_slot(const struct supervisor *supervisor, uint32_t slot);

/* NULL: there is none of that name. */
struct master_service *supervisor_find(const struct supervisor *supervisor, const char *name);

bool supervisor_is_stopping(const struct supervisor *supervisor);

/* All cells there ever were; the first is main, and none goes away. */
size_t supervisor_cell_count(const struct supervisor *supervisor);
struct master_cell *supervisor_cell(const struct supervisor *supervisor, size_t index);

/* NULL: there has never been one of that name. */
struct master_cell *supervisor_find_cell(const struct supervisor *supervisor, const char *name);

/* --- for service_control and master_cell ----------------------------------------------- */

struct event_base *supervisor_base(const struct supervisor *supervisor);
struct plugin_examination *supervisor_examination(const struct supervisor *supervisor);
struct listener_table *supervisor_listeners(const struct supervisor *supervisor);
struct cgroup_tree *supervisor_cgroups(const struct supervisor *supervisor);
struct service_order *supervisor_order(const struct supervisor *supervisor);
struct event_log *supervisor_events(const struct supervisor *supervisor);
struct crash_reports *supervisor_crash_reports(const struct supervisor *supervisor);
const struct supervisor_limits *supervisor_limits(const struct supervisor *supervisor);
const struct config *supervisor_config(const struct supervisor *supervisor);
const struct service_table *supervisor_table(const struct supervisor *supervisor);
struct link_broker *supervisor_broker(const struct supervisor *supervisor);
struct circle_watch *supervisor_circles(const struct supervisor *supervisor);

/* As the watcher's cell_ended: its owner hears of it. */
void supervisor_tell_cell_ended(const struct supervisor *supervisor, const struct master_cell *cell,
	const struct status_page *page, uint32_t hung_slot);
struct topic_board *supervisor_topics(const struct supervisor *supervisor);

/* Nothing of the service runs: it is put into the cell that it is to start in. A cell that nobody is
 * in any more ends. */
void supervisor_place(struct supervisor *supervisor, struct master_service *service);

/* The cell that the service were to move to with this configuration is being replaced: a service whose
 * start there tells that this is over. NULL: nothing is to be waited for. */
struct master_service *supervisor_move_waits_for(const struct supervisor *supervisor,
	const struct master_service *service, const struct config_service *config);

/* Whether the service is in the cell that it were to start in with this configuration. */
bool supervisor_is_in_place(const struct master_service *service,
	const struct config_service *config);

/* Whether supervisor_start has been called, so that cells may be started. */
bool supervisor_has_started(const struct supervisor *supervisor);

/* Whether watcher.started has still to be called. */
bool supervisor_is_booting(const struct supervisor *supervisor);

/* A service has come to rest, or a cell is ready. */
void supervisor_settled(struct supervisor *supervisor);

/* A cell has ended for this reason before it was ever ready. */
void supervisor_cannot_start(struct supervisor *supervisor, const char *why);

/* A cell has ended while all are stopped. */
void supervisor_cell_stopped(struct supervisor *supervisor);

#endif
