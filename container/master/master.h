/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container as the master has it: configuration, directories, admin server, supervisor
 * and log, and the states that bayd as a whole goes through. One per process.
 *
 *	starting -> ready -> draining -> end
 */
#ifndef BAY_MASTER_MASTER_H
#define BAY_MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>

struct admin_events;
struct admin_log;
struct admin_tracers;
struct config;
struct crash_reports;
struct event_base;
struct event_log;
struct hand_loads;
struct listener_table;
struct log_ring;
struct reload;
struct supervisor;

enum master_state {
	MASTER_STARTING = 0,
	MASTER_READY,
	MASTER_DRAINING
};

/* "starting", "ready", "draining". */
const char *master_state_name(enum master_state state);

/* What the admin commands work with; made by master_run, read only for them. */
struct master {
	struct event_base *base;
	struct config *config; /* in force; the reload's, which replaces it */
	const char *runtime_dir; /* absolute */
	enum master_state state;
	int64_t started_ns;
	int64_t started_wall_ns;
	struct listener_table *listeners;
	struct supervisor *supervisor;
	struct reload *reload;
	struct hand_loads *hand_loads;
	struct log_ring *ring;
	struct admin_log *admin_log;
	struct event_log *events;
	struct crash_reports *crash_reports;
	struct cgroup_tree *cgroups; /* NULL: cells have none, for this reason */
	char *no_cgroups;
	struct admin_events *admin_events;
	struct admin_tracers *admin_tracers;
	struct master_parts *_parts; /* what only master.c needs */
};

/* Exit codes of bayd. */
enum master_exit {
	MASTER_EXIT_DONE = 0,
	MASTER_EXIT_FAILED = 1,
	MASTER_EXIT_USAGE = 2,
	MASTER_EXIT_INVALID = 5 /* the configuration, or the settings of a plugin */
};

/*
 * Runs the container until it is told to stop, and removes what it made. Says on standard
 * error why it cannot, if it cannot. Signals must be blocked (master_block_signals). config is
 * what it starts with, borrowed.
 */
enum master_exit master_run(struct config *config);

/* At the very start of the process: none may end it before there is a handler. */
void master_block_signals(void);

/* Begins to stop: after the requests under way, or now. */
void master_stop(struct master *master, bool now);

#endif
