/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning of a child: a process that shares our memory, and its parent's thread stands
 * still, until it executes its program (vfork). Nothing is copied, however much a cell has
 * mapped. Until exec the child makes plain system calls and nothing else.
 */
#ifndef BAY_IO_PROCESS_LAUNCH_H
#define BAY_IO_PROCESS_LAUNCH_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct process_command;

enum { PROCESS_LIMITS = 4 };

/* What one of its resources (RLIMIT_...) is limited to. */
struct process_limit {
	int resource;
	struct rlimit value;
};

struct process_launch {
	const struct process_command *command;
	struct process_limit limits[PROCESS_LIMITS];
	int limit_count;
	int fds[3];        /* what becomes 0, 1 and 2 of the child; none of them is below 3 */
	/* How it went. */
	pid_t pid;         /* or -1 */
	int pidfd;         /* or -1 */
	int error;         /* errno of what failed, or 0 */
	const char *step;  /* which was to do this */
};

/* Starts it. False: error and step say why, and nothing runs. It ends with the calling thread, which
 * blocks until exec; one at a time. */
bool process_launch(struct process_launch *launch);

#endif
