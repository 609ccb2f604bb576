/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/clock.h"

#include <stdint.h>
#include <time.h>

#include "support/check_main.h"

START_TEST(the_monotonic_clock_never_goes_back)
{
	int64_t last = clock_monotonic_ns();

	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_ns();

		ck_assert_int_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(the_wall_clock_agrees_with_time)
{
	int64_t difference = clock_wall_ns() / CLOCK_NS_PER_S - (int64_t)time(NULL);

	ck_assert_int_ge(difference, -1);
	ck_assert_int_le(difference, 1);
}
END_TEST

static void
durations(int64_t ns, const char *text)
{
	char buf[CLOCK_TEXT_SIZE];

	ck_assert_str_eq(clock_format_duration(buf, sizeof(buf), ns), text);
}

START_TEST(durations_are_printed_as_people_say_them)
{
	durations(0, "0");
	durations(1, "1ns");
	durations(999, "999ns");
	durations(1000, "1us");
	durations(12500, "12.5us");
	durations(12340, "12.34us");
	durations(12050, "12.05us");
	durations(20000000, "20ms");
	durations(999999999, "999.99ms");
	durations(1500000000, "1.5s");
	durations(59990000000, "59.99s");
	durations(INT64_C(60) * CLOCK_NS_PER_S, "1m");
	durations(INT64_C(150) * CLOCK_NS_PER_S, "2m30s");
	durations(INT64_C(65) * CLOCK_NS_PER_S, "1m05s");
	durations(INT64_C(3900) * CLOCK_NS_PER_S, "1h05m");
	durations(INT64_C(86400) * CLOCK_NS_PER_S, "1d");
	durations(INT64_C(273600) * CLOCK_NS_PER_S, "3d04h");
	durations(-1500000000, "-1.5s");
	durations(INT64_MIN, "-106751d23h");
}
END_TEST

START_TEST(wall_times_are_iso_8601_in_utc_with_milliseconds)
{
	char buf[CLOCK_TEXT_SIZE];

	ck_assert_str_eq(clock_format_wall(buf, sizeof(buf), 0), "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(clock_format_wall(buf, sizeof(buf), INT64_C(1767323045678999999)),
		"2026-01-02T03:04:05.678Z");
	ck_assert_str_eq(clock_format_wall(buf, sizeof(buf), -1000000), "1969-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(a_clock_that_stands_still_is_moved_and_goes_on)
{
	int64_t real_ns = clock_monotonic_ns();

	ck_assert(!clock_stands_still());
	clock_stand_still(1000, 5000);
	ck_assert(clock_stands_still());
	ck_assert_int_eq(clock_monotonic_ns(), 1000);
	ck_assert_int_eq(clock_coarse_ns(), 1000);
	ck_assert_int_eq(clock_wall_ns(), 5000);
	ck_assert_int_ge(clock_kernel_ns(), real_ns);
	clock_move_to(3000);
	ck_assert_int_eq(clock_monotonic_ns(), 3000);
	ck_assert_int_eq(clock_wall_ns(), 7000);
	clock_move_to(2000);
	ck_assert_int_eq(clock_monotonic_ns(), 3000);
	clock_go_on();
	ck_assert(!clock_stands_still());
	ck_assert_int_ge(clock_monotonic_ns(), real_ns);
	clock_move_to(INT64_MAX);
	ck_assert(!clock_stands_still());
}
END_TEST

START_TEST(who_looks_at_it_for_ever_sees_it_creep)
{
	int64_t looks = 0;

	clock_stand_still(1000, 1000);
	while (clock_monotonic_ns() < 1000 + 5 * CLOCK_NS_PER_US)
		looks++;
	ck_assert_int_ge(looks, 1000 * 1000);
	/* It has been moved: everybody has another million looks. */
	clock_move_to(CLOCK_NS_PER_S);
	for (looks = 0; looks < 1000 * 1000 && clock_monotonic_ns() == CLOCK_NS_PER_S; looks++)
		continue;
	ck_assert_int_eq(looks, 1000 * 1000);
	clock_go_on();
}
END_TEST

CHECK_MAIN("base/clock",
	a_clock_that_stands_still_is_moved_and_goes_on,
	who_looks_at_it_for_ever_sees_it_creep,
	the_monotonic_clock_never_goes_back,
	the_wall_clock_agrees_with_time,
	durations_are_printed_as_people_say_them,
	wall_times_are_iso_8601_in_utc_with_milliseconds)
