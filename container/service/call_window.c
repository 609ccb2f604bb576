/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/call_window.h"

/* Of a tag, the number of the slice is below, the series above. */
#define TAG_BITS 40
#define TAG_MASK ((UINT64_C(1) << TAG_BITS) - 1)

static uint64_t
call_window_tag(uint32_t series, int64_t number)
{
	return (uint64_t)series << TAG_BITS | ((uint64_t)number & TAG_MASK);
}

void
call_window_begin(struct call_window_scale *scale, int64_t window_ns)
{
	uint32_t series = atomic_load_explicit(&scale->series, memory_order_relaxed);
	int64_t slice_ns = window_ns / CALL_WINDOW_SLICES;

	atomic_store_explicit(&scale->slice_ns, slice_ns > 0 ? slice_ns : 1, memory_order_relaxed);
	/* As many as fit into a tag, and never 0, which is that of nothing. */
	series = series % ((UINT32_C(1) << (64 - TAG_BITS)) - 1) + 1;
	atomic_store_explicit(&scale->series, series, memory_order_release);
}

void
call_window_turn(struct call_window *window, const struct call_window_scale *scale, int64_t now_ns)
{
	uint32_t series = atomic_load_explicit(&scale->series, memory_order_acquire);
	int64_t slice_ns = atomic_load_explicit(&scale->slice_ns, memory_order_relaxed);
	int64_t number = now_ns / slice_ns;
	uint64_t tag = call_window_tag(series, number);
	struct call_slice *slice;

	window->series = series;
	window->at = (unsigned)(number % CALL_WINDOW_SLICES);
	window->ends_ns = (number + 1) * slice_ns;
	slice = &window->slices[window->at];
	if (atomic_load_explicit(&slice->tag, memory_order_relaxed) == tag)
		return;
	/* Who finds the new tag finds no old counts. */
	atomic_store_explicit(&slice->calls, 0, memory_order_relaxed);
	atomic_store_explicit(&slice->bad, 0, memory_order_relaxed);
	atomic_store_explicit(&slice->tag, tag, memory_order_release);
}

void
call_window_sum(const struct call_window *window, const struct call_window_scale *scale, int64_t now_ns,
	struct call_counts *sum)
{
	uint32_t series = atomic_load_explicit(&scale->series, memory_order_acquire);
	int64_t number = now_ns / atomic_load_explicit(&scale->slice_ns, memory_order_relaxed);

	for (unsigned i = 0; i < CALL_WINDOW_SLICES; i++) {
		const struct call_slice *slice = &window->slices[i];
		uint64_t tag = atomic_load_explicit(&slice->tag, memory_order_acquire);
		uint64_t age = ((uint64_t)number - tag) & TAG_MASK;

		/* The writer may read its clock a little later than we have. */
		if (tag >> TAG_BITS != series || (age >= CALL_WINDOW_SLICES && age != TAG_MASK))
			continue;
		sum->calls += atomic_load_explicit(&slice->calls, memory_order_relaxed);
		sum->bad += atomic_load_explicit(&slice->bad, memory_order_relaxed);
	}
}
