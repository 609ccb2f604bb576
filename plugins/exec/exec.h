/* SPDX-License-Identifier: BSD-2-Clause */
/* The instance of a service that is a program. Owning loop only, as all of this plugin. */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include <stdint.h>

#include "pool.h"
#include "program.h"

struct bay_instance;
struct bay_semaphore;

/* Which way requests and replies take; in the order of the setting's words. */
enum exec_mode {
	EXEC_ONCE,    /* a process for each request: its input and its output */
	EXEC_LINE,    /* workers: a line each */
	EXEC_LENGTH   /* workers: a length in a line, then so many bytes */
};

struct exec_settings {
	struct program_settings program;
	struct pool_settings pool;
	int64_t mode;             /* enum exec_mode */
	int64_t reply_time_ns;    /* 0: the deadline of the call alone */
	uint64_t reply_max;       /* bytes */
	int64_t errors;           /* enum bay_log_level, or ERRORS_OFF */
	const char *failure;      /* how a line begins that is a failure; "": none does */
};

struct exec {
	const struct exec_settings *set;
	struct bay_instance *instance;
	struct program program;
	struct bay_semaphore *slots;   /* processes that are busy or begin, max_workers at most */
	struct pool pool;              /* unless EXEC_ONCE */
};

/* The earlier of the call's deadline and reply_time from now on. */
int64_t exec_deadline(const struct exec *exec);

#endif
