/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of calls, and of those of them that were bad, over the last while: a window in slices, of which
 * the oldest falls out when a new one begins.
 *
 *	  oldest                                          newest
 *	| 12/0 | 30/1 | 28/0 |  ...                | 31/9 | 7/7 |    calls/bad
 *	                                                     ^ ends_ns
 *
 * One thread writes to a window, with plain stores; any may add it up. A series is what counts
 * together: with the next number all counts of before are out, without anybody having to clear them.
 */
#ifndef BAY_SERVICE_CALL_WINDOW_H
#define BAY_SERVICE_CALL_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CALL_WINDOW_SLICES = 10 };

/* The slices of a window, 1.. */
struct call_window_scale {
	_Atomic int64_t slice_ns;
	_Atomic uint32_t series;
};

struct call_slice {
	_Atomic uint64_t tag;   /* series and number of the slice of time; 0: none */
	_Atomic uint64_t calls;
	_Atomic uint64_t bad;   /* at most calls, but for what is being written */
};

/* Zeroed: empty. The members without slices are the writer's. */
struct call_window {
	int64_t ends_ns;        /* of the slice at */
	uint32_t series;
	unsigned at;
	struct call_slice slices[CALL_WINDOW_SLICES];
};

struct call_counts {
	uint64_t calls;
	uint64_t bad;
};

/* A window of window_ns begins, and with it the next series. One thread at a time. */
void call_window_begin(struct call_window_scale *scale, int64_t window_ns);

/* Goes on to the slice of now. The slow part of what follows. */
void call_window_turn(struct call_window *window, const struct call_window_scale *scale, int64_t now_ns);

/* Counts a call. The writer. */
static inline void
call_window_add(struct call_window *window, const struct call_window_scale *scale, bool bad, int64_t now_ns)
{
	struct call_slice *slice;

	if (__builtin_expect(now_ns >= window->ends_ns ||
		window->series != atomic_load_explicit(&scale->series, memory_order_relaxed), 0))
		call_window_turn(window, scale, now_ns);
	slice = &window->slices[window->at];
	atomic_store_explicit(&slice->calls,
		atomic_load_explicit(&slice->calls, memory_order_relaxed) + 1, memory_order_relaxed);
	if (bad)
		atomic_store_explicit(&slice->bad,
			atomic_load_explicit(&slice->bad, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* Adds what the window has at this time. Any thread. */
void call_window_sum(const struct call_window *window, const struct call_window_scale *scale, int64_t now_ns,
	struct call_counts *sum);

#endif
