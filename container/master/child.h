/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a child process (bay-cell in one of its modes): fork and exec with exactly the descriptors that it is to have.
 * A child never outlives the master: the kernel kills it when the master's main thread ends.
 * Master only, from its one thread.
 */
#ifndef BAY_MASTER_CHILD_H
#define BAY_MASTER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct buffer;
struct sandbox;

enum {
	CHILD_FDS_MAX = 8,
	CHILD_FIRST_FD = 3 /* the number that the first descriptor has in the child */
};

struct child_limit {
	int resource; /* RLIMIT_... */
	rlim_t value; /* soft and hard */
};

struct child_options {
	const char *path;        /* of the program */
	const char *const *argv; /* ended by NULL */
	const char *library_dir; /* goes in front of LD_LIBRARY_PATH; NULL or "": nothing does */
	const char *cell_name;   /* for CELL_ENV_NAME; CELL_ENV_MASTER and _CHILD are set always */
	int fds[CHILD_FDS_MAX];  /* become 3, 4, ...; stay the caller's */
	size_t fd_count;
	const int *output;       /* two, become standard output and error; NULL: ours are */
	bool change_user;        /* to the next two, with no other groups than those of user */
	uid_t uid;
	gid_t gid;
	const char *user;        /* for its supplementary groups; NULL: none */
	bool no_new_privileges;
	int cgroup_procs; /* the cgroup.procs of its control group; 0: it stays in ours */
	int nice; /* instead of ours; 0: ours stays */
	const struct sandbox *sandbox; /* that it is in; NULL: none */
	const struct child_limit *limits;
	size_t limit_count;
};

/* Who has one watches SIGCHLD and asks child_try_reap. */
struct child {
	pid_t pid; /* -1: there is none */
};

/*
 * Starts the program in a session and a process group of its own, with /dev/null as standard
 * input. Returns when it is running, or false: the reason, from
 * whichever step failed, is appended to error, and there is no child.
 */
bool child_spawn(const struct child_options *options, struct child *child_r,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* Kills the child and everything in its process group. */
void child_kill(const struct child *child);

/* Takes the status of the child if it has ended, as waitpid gives it, kills what is left of
 * its session and, if strays_adopt was called, what it has left elsewhere, and forgets pid.
 * False: it still runs. */
bool child_try_reap(struct child *child, int *status_r)
	__attribute__((warn_unused_result));

/* The same, waiting for the end. Returns the status, -1 if there is no child. */
int child_reap(struct child *child);

/* Of those that have been started and not reaped: whether this process is one, whether there is
 * the one of this number (see CELL_ENV_CHILD), and whether there is any. */
bool child_is_ours(pid_t pid);
bool child_lives(int64_t number);
bool child_any_lives(void);

#endif
