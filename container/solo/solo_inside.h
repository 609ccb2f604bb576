/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share of a container by itself. */
#ifndef BAY_SOLO_SOLO_INSIDE_H
#define BAY_SOLO_SOLO_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status_page.h"
#include "solo/solo.h"

struct bay_service;
struct loop;
struct signals;
struct task;

struct solo {
	struct solo_options options;
	struct status_page own_page;
	const struct status_page *page;
	struct executor *executor;
	struct scheduler *scheduler;
	struct loader *loader;
	struct host *host;
	int64_t slots;                 /* that have been given away */
	char *failures[SOLO_SERVICES]; /* by slot: why it failed by itself, or NULL */

	/* what the host was asked */
	bool answered;
	int status;

	/* solo_await_end() */
	const struct bay_service *awaited; /* or NULL */
	bool awaited_over;
	struct signals *signals;

	/* the task of solo_run() */
	struct task *root;             /* NULL: none runs */
	bay_task_fn *fn;
	void *arg;
	int result;
	bool stuck_told;               /* that it can never end */

	/* solo_cut_at() */
	unsigned cut_at;
	bool cut_after;
	bool cut;
	size_t cut_in;                 /* tasks that run before it is */
	uint32_t waits_before;

	/* solo_idle.c */
	int events;                    /* of libevent, that every loop has */
	uint64_t asked_switches;       /* when the outside was waited for last */
	bool expects_line;
};

/* Sets solo_error(). */
void solo_set_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Whether the caller, who wants function, may wait: a task that did would wait for itself.
 * False: solo_error() says so. */
bool solo_may_wait(const struct solo *solo, const char *function);

/* Runs until somebody says scheduler_stop(): what the caller waits for may have come. */
void solo_go_on(struct solo *solo);

/* A scheduler_find_work_fn, asked after each pass; arg is the container. */
bool solo_find_work(struct scheduler *scheduler, void *arg);

/* A loop_idle_fn; arg is the container. */
int64_t solo_on_idle(struct loop *loop, int64_t until_ns, void *arg);

/* Notes what libevent has when nothing is waited for. */
void solo_idle_begin(struct solo *solo);

#endif
