/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines of the log are written to, without ever waiting for whoever reads them: what a
 * pipe, terminal or socket has no room for is kept and written later, and what is too much to
 * keep is lost and counted. One thread at a time; never suspends.
 */
#ifndef BAY_BASE_LOG_OUTPUT_H
#define BAY_BASE_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* The most that is kept, apart from the rest of a line that is half written. */
enum { LOG_OUTPUT_MAX = 1024 * 1024 };

struct log_output {
	int fd;
	uint64_t lost; /* lines; the owner's to reset */
	int error;     /* errno of the last write, 0: it went well or has to wait */
	bool _own;     /* fd is closed with it */
	bool _torn;    /* the last line is there without its end */
	struct buffer _kept; /* may begin within a line */
};

/* Writes to fd. With own it is taken; close does not touch it otherwise. */
void log_output_open(struct log_output *output, int fd, bool own);

/* To standard error, which others have too: it is not made non-blocking for them. */
void log_output_open_stderr(struct log_output *output);

/* Forgets what is kept. */
void log_output_close(struct log_output *output);

/* Writes or keeps whole lines. False: they are lost, and counted as one. */
bool log_output_write(struct log_output *output, const void *lines, size_t size)
	__attribute__((warn_unused_result));

/* Writes what is kept, as far as there is room. */
void log_output_flush(struct log_output *output);

/* Whether something is kept. */
bool log_output_waits(const struct log_output *output);

#endif
