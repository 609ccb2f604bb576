/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell as the master sees it: the keeper of its process, what its services hear of it, who is
 * to blame for its end, and whether it is about to be replaced.
 *
 *	supervisor ──has all──► services, cells
 *	service ──is in, or starts in──► cell ──► keeper ──► process: its socket, log and page
 *
 * Services are the supervisor's; this knows them by service->cell. Stays as long as bayd runs, so
 * who points to one points to something. Master only; never suspends.
 */
#ifndef BAY_MASTER_MASTER_CELL_H
#define BAY_MASTER_MASTER_CELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buffer;
struct cell_options;
struct cell_process;
struct config;
struct master_cell;
struct master_service;
struct status_page;
struct supervisor;

/* options is what [container] says; its section of the configuration says what is otherwise. The
 * name is copied; all else is borrowed. There is no process yet. */
struct master_cell *master_cell_create(struct supervisor *supervisor, const char *name,
	const struct cell_options *options, const struct config *config);

/* Kills the process for good, and answers who waits for it. */
void master_cell_close(struct master_cell *cell);

/* It has been closed, and nobody points to it any more. */
void master_cell_destroy(struct master_cell *cell);

/* Starts the first process. False: it cannot be executed, and why is appended to error. */
bool master_cell_start(struct master_cell *cell, struct buffer *error)
	__attribute__((warn_unused_result));

/* A service is to start in it: a process is started unless there is one or one is to come. */
void master_cell_need(struct master_cell *cell);

/* A service has left it: its process ends if that was the last one that belongs to it. */
void master_cell_leave(struct master_cell *cell);

/* bayd stops: no other process is started any more, and one that is not set up yet, or kill, ends at
 * once. */
void master_cell_give_up(struct master_cell *cell, bool kill);

/* Its process, if there is one, ends within drain_ns; grace_ns beyond that it is killed. */
void master_cell_shut_down(struct master_cell *cell, int64_t drain_ns, int64_t grace_ns);

/* Looks whether its process has ended: on SIGCHLD. */
void master_cell_reap(struct master_cell *cell);

/* Another configuration is in force; borrowed, instead of the one before. A process that is not as
 * it says is replaced. */
void master_cell_set_config(struct master_cell *cell, const struct config *config);

/* Something lingers in it: it may have to be replaced for that. */
void master_cell_consider_replacement(struct master_cell *cell);

/* The cell is replaced, for this reason: "service x has ...". */
void master_cell_renew(struct master_cell *cell, const char *why);

/* The cell hangs in this service: it is killed, and the service gets the reason. */
void master_cell_end_hang(struct master_cell *cell, struct master_service *service,
	const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- queries ------------------------------------------------------------------------- */

struct supervisor *master_cell_supervisor(const struct master_cell *cell);
const char *master_cell_name(const struct master_cell *cell);

/* "cell main", for the log. */
const char *master_cell_subject(const struct master_cell *cell);

/* Its process, or NULL while there is none. */
struct cell_process *master_cell_process(const struct master_cell *cell);

/* The process if services may be started in it and called now, or NULL. */
struct cell_process *master_cell_ready(const struct master_cell *cell);

/* The process if it can be told of others, even when it is about to end, or NULL. */
struct cell_process *master_cell_hears(const struct master_cell *cell);

/* Its figures, or NULL while there is no process. */
const struct status_page *master_cell_page(const struct master_cell *cell);

/* Whether there should be a process: it is main, or somebody is wanted in it. */
bool master_cell_is_needed(const struct master_cell *cell);

/* Whether a service belongs to it, or it has a process: whether it is worth telling of. */
bool master_cell_is_there(const struct master_cell *cell);

/* Whether it is about to be replaced, so that nothing more is to be put into it. */
bool master_cell_is_replaced(const struct master_cell *cell);

/* Whether it takes no more calls for that, while what it has still runs. */
bool master_cell_is_drained(const struct master_cell *cell);

/*
 * The service that the end of the last process speaks against although nobody knows who did it: the one
 * whose new code has been on trial for the shortest time. NULL: there is none, or it is known who did it,
 * or the process was killed from outside, which says nothing about any code.
 */
const struct master_service *master_cell_suspect(const struct master_cell *cell);

/* The service whose init keeps a loop from everything else, or NULL. */
struct master_service *master_cell_find_in_init(const struct master_cell *cell);

struct master_cell_view {
	const char *name;
	const char *state; /* "starting", "ready", "stopping", "failed", "stopped" */
	pid_t pid;         /* 0: none */
	uint64_t restarts;
	uint32_t loops;
	int64_t next_try_ns; /* on the monotonic clock; 0: it does not wait */
};
void master_cell_view(const struct master_cell *cell, struct master_cell_view *view_r);

#endif
