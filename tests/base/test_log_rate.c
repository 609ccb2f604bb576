/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "support/check_main.h"

START_TEST(a_burst_passes_and_the_rest_is_counted)
{
	struct log_rate rate = {.burst = 3, .period_ns = INT64_C(3600) * CLOCK_NS_PER_S};
	uint64_t hidden = 9;

	for (int i = 0; i < 3; i++) {
		ck_assert(log_rate_pass(&rate, &hidden));
		ck_assert_uint_eq(hidden, 0);
	}
	for (int i = 0; i < 100; i++)
		ck_assert(!log_rate_pass(&rate, &hidden));
	ck_assert_uint_eq(hidden, 0);
	/* An hour later. */
	rate._start_ns -= rate.period_ns;
	ck_assert(log_rate_pass(&rate, &hidden));
	ck_assert_uint_eq(hidden, 100);
	ck_assert(log_rate_pass(&rate, &hidden));
	ck_assert_uint_eq(hidden, 0);
}
END_TEST

START_TEST(the_hidden_ones_are_told)
{
	char buf[64];

	ck_assert_str_eq(log_rate_text(0, buf, sizeof(buf)), "");
	ck_assert_str_eq(log_rate_text(12, buf, sizeof(buf)), " (12 more like it were hidden)");
	ck_assert_str_eq(log_rate_text(UINT64_MAX, buf, sizeof(buf)),
		" (18446744073709551615 more like it were hidden)");
}
END_TEST

CHECK_MAIN("base/log_rate",
	a_burst_passes_and_the_rest_is_counted,
	the_hidden_ones_are_told)
