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

CHECK_MAIN("base/clock",
	the_monotonic_clock_never_goes_back,
	the_wall_clock_agrees_with_time,
	durations_are_printed_as_people_say_them,
	wall_times_are_iso_8601_in_utc_with_milliseconds)
