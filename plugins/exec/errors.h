/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program writes to its standard error: each line goes to the log of the service, and
 * the last ones are kept, to be told with its failure.
 */
#ifndef EXEC_ERRORS_H
#define EXEC_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	ERRORS_LINE = 1024,   /* bytes; a longer one becomes several */
	ERRORS_LAST = 400,
	ERRORS_OFF = 4        /* a level behind those of the log: nothing is logged */
};

struct errors {
	int fd;               /* ours; -1: it has ended */
	int level;            /* enum bay_log_level, or ERRORS_OFF */
	pid_t pid;            /* who writes */
	size_t length;        /* of what has come of the present line */
	size_t last_length;
	char line[ERRORS_LINE];
	char last[ERRORS_LAST];  /* whole lines, the newest at the end */
};

/* Takes the descriptor, which does not block; -1 is allowed. */
void errors_open(struct errors *errors, int fd, pid_t pid, int level);

/* Reads what is there now, and no more than a pipe holds. False: that was all that ever comes,
 * and it is closed. Never suspends. */
bool errors_take(struct errors *errors);

/* Closes: what has not been taken is lost, and a line without an end is one. */
void errors_close(struct errors *errors);

/* ": " and the last lines with " | " between them, or "". Borrowed until more is taken. */
const char *errors_last(const struct errors *errors);

#endif
