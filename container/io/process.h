/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handle of a child.
 *
 *	STARTING --- begun ------------> RUNS --- looked at ---> ENDED (a zombie until the close)
 *	         --- failed, not wanted
 *
 * Owning loop only.
 */
#ifndef BAY_IO_PROCESS_H
#define BAY_IO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/process.h>

#include "base/buffer.h"
#include "io/process_command.h"
#include "io/process_keeper.h"
#include "runtime/belonging.h"
#include "runtime/waitable.h"

struct process_start;

struct bay_process {
	struct waitable waitable;     /* first; named like the program */
	struct belonging belonging;
	struct process_start *start;  /* while it is STARTING */
	struct process_child *child;  /* from then on */
	int pipes[3];                 /* our ends; -1: none, or taken */
	bool ended;
	bool talks;                   /* a task communicates with it */
	int status;                   /* BAY_OK, or BAY_IO: nobody knows how it ended */
	struct bay_process_exit exit;
	size_t fed;                   /* bytes of the input that were written */
	struct buffer captured[2];    /* output and errors, each with a NUL behind it */
};

/* bay_process_spawn() of an await that has begun. */
int process_spawn(const struct bay_process_options *options, struct bay_process **process_r, int64_t deadline);

/* It runs, and belongs to the running task's service. */
void process_join(struct bay_process *process);

/* Whether it has ended, from now on or for long. */
bool process_has_ended(struct bay_process *process);

/* Waits for the end of one that runs. As bay_process_wait(); the handle may be gone after
 * anything else than BAY_OK. Inside a task; suspends. */
int process_await(struct bay_process *process, int64_t deadline);

/* As bay_process_wait() for one that has ended. */
int process_exit(const struct bay_process *process, struct bay_process_exit *exit_r);

/* To the child and its process group, as long as it is there. */
void process_signal_group(struct bay_process *process, int signal);

/* What bay_process_error() says from now on. */
void process_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
