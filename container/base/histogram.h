/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log-linear histogram: 16 buckets to each power of two. A percentile is the upper bound of
 * its bucket: never low, and at most 6.25 % high, whatever its size. Values are nanoseconds as a rule; from 2^40 on (18
 * minutes) they share the last bucket.
 *
 *	0 1 2 ... 15 | 16 17 ... 31 | 32 34 ... 62 | 64 68 ... 124 | ...
 *	 exact         exact          width 2        width 4
 *
 * struct histogram is written by one thread with plain stores (2-3 ns) and may lie in shared
 * memory. It is read through a struct histogram_counts, which is private memory: adding a
 * histogram copies it, with sums that stop at the top instead of wrapping, so that a hostile
 * writer can only spoil the figures. Zeroed structs are empty.
 */
#ifndef BAY_BASE_HISTOGRAM_H
#define BAY_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 4,
	HISTOGRAM_SUB_BUCKETS = 1 << HISTOGRAM_SUB_BITS,
	HISTOGRAM_VALUE_BITS = 40,
	HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB_BUCKETS
};

struct histogram {
	_Atomic uint64_t sum;
	_Atomic uint64_t max;
	_Atomic uint64_t count[HISTOGRAM_BUCKETS];
};

struct histogram_counts {
	uint64_t total; /* of count[] */
	uint64_t sum;
	uint64_t max;
	uint64_t count[HISTOGRAM_BUCKETS];
};

static inline unsigned
histogram_bucket(uint64_t value)
{
	unsigned exponent;

	if (value < HISTOGRAM_SUB_BUCKETS)
		return (unsigned)value;
	if (value >> HISTOGRAM_VALUE_BITS != 0)
		return HISTOGRAM_BUCKETS - 1;
	exponent = 63 - (unsigned)__builtin_clzll(value);
	return (exponent - HISTOGRAM_SUB_BITS) * HISTOGRAM_SUB_BUCKETS +
		(unsigned)(value >> (exponent - HISTOGRAM_SUB_BITS));
}

/* Counts one value. The one writing thread only; never suspends. */
static inline void
histogram_record(struct histogram *histogram, uint64_t value)
{
	_Atomic uint64_t *count = &histogram->count[histogram_bucket(value)];

	atomic_store_explicit(count,
		atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
	atomic_store_explicit(&histogram->sum,
		atomic_load_explicit(&histogram->sum, memory_order_relaxed) + value,
		memory_order_relaxed);
	if (value > atomic_load_explicit(&histogram->max, memory_order_relaxed))
		atomic_store_explicit(&histogram->max, value, memory_order_relaxed);
}

/* Adds what histogram holds now to counts. Any thread. */
void histogram_add(struct histogram_counts *counts, const struct histogram *histogram);

/*
 * A value that percent (0..100) of the recorded ones do not exceed: the largest that their
 * last bucket holds, or the maximum if that is less. 100 gives the exact maximum, no values
 * give 0. Any thread.
 */
uint64_t histogram_percentile(const struct histogram_counts *counts, double percent);

/* The smallest and the largest value that a bucket holds. */
uint64_t histogram_bucket_first(unsigned bucket);
uint64_t histogram_bucket_last(unsigned bucket);

#endif
