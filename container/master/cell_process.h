/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One cell as the master has it: a child process with a channel for calls, a pipe for its
 * log and a page of figures. It knows nothing of services and decides nothing.
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_CELL_PROCESS_H
#define BAY_MASTER_CELL_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/program.h"
#include "base/status_page.h"
#include "master/cell_channel.h"

struct buffer;
struct cell_process;
struct cgroup_group;
struct cgroup_tree;
struct event_base;

struct cell_options {
	const char *name; /* "main" */
	const struct program *program; /* bay-cell */
	const char *mode; /* its first argument: "run" */
	uint32_t services; /* slots of the status page */
	uint32_t loops;
	uint64_t fds_max; /* 0: no limit of its own */
	uint64_t memory_max; /* bytes; 0: none; for cell_limits */
	uint32_t tasks_max; /* threads; likewise */
	uint32_t cpu_weight; /* 0: as others */
	int nice; /* as setpriority takes it; where there is no control group for the weight */
	struct cgroup_tree *cgroups; /* in which it gets its group; or NULL */
	const char *missing; /* a user or group that is not there: it cannot be started; or NULL */
	bool change_user; /* as struct child_options; then it gets no new privileges */
	uid_t uid;
	gid_t gid;
	const char *user;
	bool sandboxed;
	const char *writable; /* as in struct sandbox; NULL: nothing */
};

/* Starts it. The watcher hears of calls, notices and of the loss of the channel: a cell without
 * one is of no use, so its owner kills it. NULL: the reason is appended to error. */
struct cell_process *cell_process_start(struct event_base *base,
	const struct cell_options *options, const struct cell_channel_watcher *watcher,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* Kills it if it still runs, answers the calls under way with CELL_REPLY_DIED and why, and
 * frees. NULL is fine. */
void cell_process_destroy(struct cell_process *cell, const char *why);

/* Its control group, or NULL. Borrowed. */
struct cgroup_group *cell_process_group(const struct cell_process *cell);

/* As cell_channel_call. */
int64_t cell_process_call(struct cell_process *cell, const char *method, json_t *parameters,
	int fd, int64_t timeout_ns, cell_reply_fn *reply, void *arg);

/* As cell_channel_call_with. */
int64_t cell_process_call_with(struct cell_process *cell, const char *method, json_t *parameters,
	struct varlink_fds *fds, int64_t timeout_ns, cell_reply_fn *reply, void *arg);

/* As cell_channel_cancel. */
void cell_process_cancel(struct cell_process *cell, int64_t number);

/* Calls fn(arg) once when the page tells of a crash, before the process ends: a core may be written
 * meanwhile. */
void cell_process_watch_crash(struct cell_process *cell, void (*fn)(void *arg), void *arg);

/* Whether it has answered all calls. */
bool cell_process_is_idle(const struct cell_process *cell);

/* Ends it at once; its end is seen as any other is. */
void cell_process_kill(struct cell_process *cell);

/* After SIGCHLD: true once, when it has ended. What it still said has been taken in, and the
 * calls under way still wait for their end (cell_process_destroy). */
bool cell_process_has_ended(struct cell_process *cell, int *status_r)
	__attribute__((warn_unused_result));

pid_t cell_process_pid(const struct cell_process *cell);
int64_t cell_process_started_ns(const struct cell_process *cell);
const struct status_page *cell_process_page(const struct cell_process *cell);

/* The memory in use, as the kernel says; 0 when it cannot be told. */
uint64_t cell_process_rss_bytes(const struct cell_process *cell);

#endif
