/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps a process from everything that is not its own, whoever it runs as: other processes
 * and their memory, files to write, control sockets, the kernel's less trodden paths.
 *
 *	no capabilities and no new privileges
 *	landlock.h         writes only below its directories; looks into nobody, signals nobody
 *	sandbox_calls.h    seccomp: what Landlock cannot tell apart, or this kernel's cannot yet
 *
 * It is entered between fork and exec, so that no code of the program runs outside; what it starts is
 * inside, too. Reading files, threads, memory, network sockets and running programs are as before.
 * Master only.
 */
#ifndef BAY_MASTER_SANDBOX_H
#define BAY_MASTER_SANDBOX_H

#include <stdbool.h>

struct buffer;

struct sandbox {
	const char *writable; /* directories, blanks between; not NULL */
	bool keeps_capabilities; /* it gives them up itself, by becoming another user */
	int landlock;         /* use no later version of it, for tests; 0: what the kernel has */
};

/* NULL: there can be sandboxes. Else why there can be none here and what to do; a constant. */
const char *sandbox_hindrance(void);

/* Whether the list can be a sandbox's: existing directories by absolute paths, none of which holds
 * one of the others, which are ours. False: why is appended to error. */
bool sandbox_check_writable(const char *writable, const char *const *ours, struct buffer *error)
	__attribute__((warn_unused_result));

/* In the child. First, before the user is changed: no capability comes back from then on. False as
 * below. */
bool sandbox_begin(const struct sandbox *sandbox, const char **step_r)
	__attribute__((warn_unused_result));

/* Then, when only exec is left to be done. False: errno says why, *step_r what was being done (a
 * constant); the child must not go on. */
bool sandbox_enter(const struct sandbox *sandbox, const char **step_r)
	__attribute__((warn_unused_result));

#endif
