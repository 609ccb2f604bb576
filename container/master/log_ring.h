/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last lines of the log, kept in memory for bayctl. Each line has a number that is
 * never used again, so that a reader who comes back knows what it has seen and what has
 * been overwritten meanwhile:
 *
 *	for (seq = log_ring_start(ring, &filter, 10); log_ring_next(ring, &seq, &filter, &line);)
 *		... line.text ...
 *
 * Has one owner. One thread at a time.
 */
#ifndef BAY_MASTER_LOG_RING_H
#define BAY_MASTER_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct log_ring;

/* Which lines: all, but for what is set. */
struct log_filter {
	const char *service;   /* only lines about it, or NULL */
	struct trace_id trace; /* only lines of requests of this trace, or none */
};

/* A ring of the last capacity lines. */
struct log_ring *log_ring_create(size_t capacity)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void log_ring_destroy(struct log_ring *ring);

/* Keeps a copy. A line for which there is no memory is left out. */
void log_ring_push(struct log_ring *ring, const struct log_record *record);

/* The number that the next line will get, and that of the oldest one that is kept. */
uint64_t log_ring_end(const struct log_ring *ring);
uint64_t log_ring_oldest(const struct log_ring *ring);

/* The number from which on the last count lines that pass the filter follow. */
uint64_t log_ring_start(const struct log_ring *ring, const struct log_filter *filter, size_t count);

/*
 * Finds the first line at or after *seq that passes the filter, and sets *seq behind it. False: there is none yet; *seq is then the end. The strings of *record_r are
 * borrowed until the next push.
 */
bool log_ring_next(const struct log_ring *ring, uint64_t *seq, const struct log_filter *filter,
	struct log_record *record_r)
	__attribute__((warn_unused_result));

#endif
