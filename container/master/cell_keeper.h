/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps one cell: starts it and sets it up, notices when it is of no use any more, ends it,
 * and starts another after the back-off. What runs in it, and who is to blame for its end,
 * is for its owner to know.
 *
 *	down -> setting up -> ready -> (stopping) -> ended -> down -> (back-off) -> setting up ...
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_CELL_KEEPER_H
#define BAY_MASTER_CELL_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "master/cell_process.h"

struct cell_keeper;
struct cell_setup;
struct event_base;
struct supervisor_limits;

enum cell_state {
	CELL_DOWN = 0,
	CELL_SETTING_UP,
	CELL_READY,
	CELL_STOPPING
};

/* What its owner hears; none may destroy the keeper. */
struct cell_keeper_watcher {
	/* It has answered its Setup: it takes calls. */
	void (*ready)(void *arg);
	/* As of struct cell_channel_watcher. */
	void (*called)(const char *method, const json_t *parameters, struct cell_answer *answer,
		void *arg);
	void (*notice)(const char *method, const json_t *parameters, void *arg);
	/* It has crashed, as its page tells, and is about to end. Or NULL. */
	void (*crashed)(void *arg);
	/* It has ended with this status; its page is borrowed for the call. Returns why, as all
	 * who wait for an answer of it are told; the keeper's to free. */
	char *(*ended)(const struct status_page *page, int status, void *arg);
	/* They have been told, and nothing of it is left: cell_keeper_start_later may follow. */
	void (*gone)(const char *why, void *arg);
	/* It could not be started again for now, and why. */
	void (*hindered)(const char *why, void *arg);
	void *arg;
};

/* Copies options, setup with its resolv_conf, and watcher; what else they and limits point to is
 * borrowed. */
struct cell_keeper *cell_keeper_create(struct event_base *base,
	const struct cell_options *options, const struct cell_setup *setup,
	const struct supervisor_limits *limits, const struct cell_keeper_watcher *watcher);

/* Kills the cell for good, and answers the calls under way. */
void cell_keeper_close(struct cell_keeper *keeper);

/* The same, and frees. NULL is fine. */
void cell_keeper_destroy(struct cell_keeper *keeper);

/* Starts the first one. False: it cannot be executed, and why is appended to error. */
bool cell_keeper_start(struct cell_keeper *keeper, struct buffer *error)
	__attribute__((warn_unused_result));

/* Starts another: at once, if it is known who is to blame, else after the back-off. */
void cell_keeper_start_later(struct cell_keeper *keeper, bool blamed);

/* From now on it waits no longer than this before the next process, at first and at most; and never
 * longer than by the limits that it was made with. */
void cell_keeper_set_patience(struct cell_keeper *keeper, int64_t first_ns, int64_t most_ns);

/* What the next one is started with; its name stays. */
void cell_keeper_set_options(struct cell_keeper *keeper, const struct cell_options *options);

/* What the cell logs, and those that come after it. */
void cell_keeper_set_log_level(struct cell_keeper *keeper, enum log_level level);

/* Starts one now, unless there is one or one is to come; what is in the way puts it off. */
void cell_keeper_demand(struct cell_keeper *keeper);

/* No other one is started any more. */
void cell_keeper_give_up(struct cell_keeper *keeper);

/* Tells it to end within drain_timeout_ns; grace_ns beyond that it is killed. */
void cell_keeper_shut_down(struct cell_keeper *keeper, int64_t drain_timeout_ns,
	int64_t grace_ns);

/* The same for one that is replaced: what it has accepted may end, and what it would listen to
 * is the next one's. */
void cell_keeper_hand_over(struct cell_keeper *keeper, int64_t drain_timeout_ns, int64_t grace_ns);

/* Ends it at once; its end is seen as any other is. */
void cell_keeper_kill(struct cell_keeper *keeper);

/* Looks whether it has ended: on SIGCHLD. */
void cell_keeper_reap(struct cell_keeper *keeper);

/* --- queries ------------------------------------------------------------------------- */

const char *cell_keeper_subject(const struct cell_keeper *keeper); /* "cell main" */
enum cell_state cell_keeper_state(const struct cell_keeper *keeper);

/* The cell, or NULL while there is no process. */
struct cell_process *cell_keeper_process(const struct cell_keeper *keeper);

/* Of the cell, or of the last one while there is none; 0: there was none. */
pid_t cell_keeper_pid(const struct cell_keeper *keeper);

/* Starts that followed an end. */
uint64_t cell_keeper_restarts(const struct cell_keeper *keeper);

/* When the next one is started, on the monotonic clock; 0: it does not wait for that. */
int64_t cell_keeper_next_try_ns(const struct cell_keeper *keeper);

/* Whether the present process, or the last one, was killed here because it went on without its connection: that
 * is what code in it has done. */
bool cell_keeper_has_given_up(const struct cell_keeper *keeper);

/* Whether any has ever been ready. */
bool cell_keeper_was_ready(const struct cell_keeper *keeper);

#endif
