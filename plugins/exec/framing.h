/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a request and its reply look on the pipes of a worker.
 *
 *	line      ping\n                           body, end of line; no such end in a body
 *	length    4\nping                          decimal length, end of line, body
 *	          14 not-found\nno such number     a reply that is a failure, by the name of a status
 *
 * A decimal length is what every language reads and writes in one line, a shell too, and what
 * a person reads in a trace; four bytes of a binary number are neither. Nothing stands between
 * two frames.
 */
#ifndef EXEC_FRAMING_H
#define EXEC_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bay_arena;
struct bay_stream;

/* A reply as it was read. */
struct frame {
	const char *data;     /* lent by the stream until its next read, or in the arena */
	size_t size;
	int status;           /* BAY_OK, or which failure it is */
};

/* Whether a body can be a line: *size without the end of line that it may have. */
bool framing_fits_line(const char *data, size_t *size);

/* Writes a request. As bay_stream_write(). */
int framing_write(struct bay_stream *stream, bool line, const void *data, size_t size, int64_t deadline);

/* Reads a reply of max bytes at most. BAY_OK; BAY_CLOSED: the stream ended before its end; BAY_INVALID:
 * it is no frame; BAY_TOO_BIG; and as bay_stream_read(). */
int framing_read(struct bay_stream *stream, bool line, size_t max, struct bay_arena *arena, struct frame *frame,
	int64_t deadline);

#endif
