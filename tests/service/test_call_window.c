/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/call_window.h"

#include "support/check_main.h"

/* Slices of 10, a window of 100. */
static struct call_window_scale scale;
static struct call_window window;

static void
begin(void)
{
	call_window_begin(&scale, 100);
}

static void
add(unsigned calls, bool bad, int64_t now_ns)
{
	while (calls-- > 0)
		call_window_add(&window, &scale, bad, now_ns);
}

static void
expect(uint64_t calls, uint64_t bad, int64_t now_ns)
{
	struct call_counts sum = {0};

	call_window_sum(&window, &scale, now_ns, &sum);
	ck_assert_uint_eq(sum.calls, calls);
	ck_assert_uint_eq(sum.bad, bad);
}

START_TEST(a_window_that_nobody_wrote_to_is_empty)
{
	begin();
	expect(0, 0, 0);
	expect(0, 0, 1000000);
}
END_TEST

START_TEST(calls_are_counted_for_as_long_as_the_window_is)
{
	begin();
	add(3, false, 1000);
	add(2, true, 1009);
	expect(5, 2, 1009);
	expect(5, 2, 1099);
	expect(0, 0, 1100);
}
END_TEST

START_TEST(the_oldest_slice_falls_out_and_the_others_stay)
{
	begin();
	for (int i = 0; i < 20; i++)
		add(1, i % 2 == 0, 1000 + 10 * i);
	expect(10, 5, 1190);
	expect(9, 4, 1200);
	expect(1, 0, 1280);
}
END_TEST

START_TEST(a_slice_is_used_again_after_any_time)
{
	begin();
	add(7, true, 1000);
	/* The same place, whole windows later. */
	add(1, false, 1000 + 100 * 1000000);
	expect(1, 0, 1000 + 100 * 1000000);
}
END_TEST

START_TEST(a_clock_that_is_a_little_behind_counts_what_is_newer)
{
	begin();
	add(1, true, 1010);
	expect(1, 1, 1009);
}
END_TEST

START_TEST(with_the_next_series_all_before_is_out)
{
	begin();
	add(9, true, 1000);
	call_window_begin(&scale, 100);
	expect(0, 0, 1000);
	add(1, false, 1001);
	expect(1, 0, 1001);
}
END_TEST

START_TEST(other_slices_begin_anew)
{
	begin();
	add(9, true, 1000);
	call_window_begin(&scale, 10);
	expect(0, 0, 1000);
	add(2, false, 1000);
	expect(2, 0, 1009);
	expect(0, 0, 1010);
}
END_TEST

START_TEST(the_number_of_a_series_comes_round_and_is_never_that_of_nothing)
{
	atomic_store(&scale.series, (UINT32_C(1) << 24) - 2);
	begin();
	ck_assert_uint_eq(atomic_load(&scale.series), (UINT32_C(1) << 24) - 1);
	add(1, true, 0);
	expect(1, 1, 0);
	begin();
	ck_assert_uint_eq(atomic_load(&scale.series), 1);
	expect(0, 0, 0);
	add(1, false, 0);
	expect(1, 0, 0);
}
END_TEST

CHECK_MAIN("service/call_window",
	a_window_that_nobody_wrote_to_is_empty,
	calls_are_counted_for_as_long_as_the_window_is,
	the_oldest_slice_falls_out_and_the_others_stay,
	a_slice_is_used_again_after_any_time,
	a_clock_that_is_a_little_behind_counts_what_is_newer,
	with_the_next_series_all_before_is_out,
	other_slices_begin_anew,
	the_number_of_a_series_comes_round_and_is_never_that_of_nothing)
