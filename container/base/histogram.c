/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/histogram.h"

static uint64_t
histogram_sum(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

void
histogram_add(struct histogram_counts *counts, const struct histogram *histogram)
{
	uint64_t max = atomic_load_explicit(&histogram->max, memory_order_relaxed);

	counts->sum = histogram_sum(counts->sum,
		atomic_load_explicit(&histogram->sum, memory_order_relaxed));
	if (max > counts->max)
		counts->max = max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t n = atomic_load_explicit(&histogram->count[i], memory_order_relaxed);

		counts->count[i] = histogram_sum(counts->count[i], n);
		counts->total = histogram_sum(counts->total, n);
	}
}

uint64_t
histogram_bucket_first(unsigned bucket)
{
	unsigned exponent = bucket / HISTOGRAM_SUB_BUCKETS;
	uint64_t sub = bucket % HISTOGRAM_SUB_BUCKETS;

	if (exponent == 0)
		return sub;
	return (HISTOGRAM_SUB_BUCKETS + sub) << (exponent - 1);
}

uint64_t
histogram_bucket_last(unsigned bucket)
{
	if (bucket >= HISTOGRAM_BUCKETS - 1)
		return UINT64_MAX;
	return histogram_bucket_first(bucket + 1) - 1;
}

uint64_t
histogram_percentile(const struct histogram_counts *counts, double percent)
{
	double wanted = (double)counts->total * percent / 100.0;
	uint64_t seen = 0, last;
	unsigned i;

	if (counts->total == 0)
		return 0;
	if (percent >= 100.0)
		return counts->max;
	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen = histogram_sum(seen, counts->count[i]);
		if (counts->count[i] > 0 && (double)seen >= wanted)
			break;
	}
	last = histogram_bucket_last(i);
	return last < counts->max ? last : counts->max;
}
