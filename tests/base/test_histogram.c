/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/histogram.h"

#include <string.h>

#include "support/check_main.h"

static struct histogram histogram;
static struct histogram_counts counts;

static void
start(void)
{
	memset((void *)&histogram, 0, sizeof(histogram));
	memset(&counts, 0, sizeof(counts));
}

START_TEST(each_value_falls_into_the_bucket_that_holds_it)
{
	uint64_t value = 0;

	while (value >> HISTOGRAM_VALUE_BITS == 0) {
		unsigned bucket = histogram_bucket(value);

		ck_assert_uint_lt(bucket, HISTOGRAM_BUCKETS);
		ck_assert_uint_ge(value, histogram_bucket_first(bucket));
		ck_assert_uint_le(value, histogram_bucket_last(bucket));
		value += value / 37 + 1;
	}
}
END_TEST

START_TEST(buckets_follow_each_other_without_gap)
{
	ck_assert_uint_eq(histogram_bucket_first(0), 0);
	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		ck_assert_uint_eq(histogram_bucket(histogram_bucket_first(i)), i);
		ck_assert_uint_eq(histogram_bucket(histogram_bucket_last(i)), i);
		ck_assert_uint_eq(histogram_bucket_last(i) + 1, histogram_bucket_first(i + 1));
	}
}
END_TEST

START_TEST(absurd_values_share_the_last_bucket)
{
	start();
	ck_assert_uint_eq(histogram_bucket(UINT64_C(1) << HISTOGRAM_VALUE_BITS), HISTOGRAM_BUCKETS - 1);
	ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	histogram_record(&histogram, UINT64_MAX - 1);
	histogram_add(&counts, &histogram);
	ck_assert_uint_eq(histogram_percentile(&counts, 100), UINT64_MAX - 1);
	ck_assert_uint_ge(histogram_percentile(&counts, 50), histogram_bucket_first(HISTOGRAM_BUCKETS - 1));
}
END_TEST

START_TEST(nothing_recorded_is_all_zero)
{
	start();
	histogram_add(&counts, &histogram);
	ck_assert_uint_eq(counts.total, 0);
	ck_assert_uint_eq(histogram_percentile(&counts, 0), 0);
	ck_assert_uint_eq(histogram_percentile(&counts, 99), 0);
	ck_assert_uint_eq(histogram_percentile(&counts, 100), 0);
}
END_TEST

START_TEST(percentiles_are_never_low_and_at_most_6_25_percent_high)
{
	static const double percents[] = {1, 10, 50, 90, 99, 99.9};

	start();
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_record(&histogram, i * 1000);
	histogram_add(&counts, &histogram);
	ck_assert_uint_eq(counts.total, 100000);
	ck_assert_uint_eq(counts.sum, UINT64_C(100000) * 100001 / 2 * 1000);
	for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++) {
		double exact = percents[i] * 1000 * 1000;
		double found = (double)histogram_percentile(&counts, percents[i]);

		ck_assert_double_ge(found, exact);
		ck_assert_double_le(found, exact * 1.0625);
	}
	ck_assert_uint_eq(histogram_percentile(&counts, 100), 100000000);
}
END_TEST

START_TEST(no_percentile_is_above_the_maximum)
{
	start();
	for (int i = 0; i < 100; i++)
		histogram_record(&histogram, 983041);
	histogram_add(&counts, &histogram);
	ck_assert_uint_le(histogram_percentile(&counts, 50), 983041);
	ck_assert_uint_eq(histogram_percentile(&counts, 100), 983041);
}
END_TEST

START_TEST(as_many_as_a_percentile_says_do_not_exceed_it)
{
	start();
	for (uint64_t i = 0; i < 100; i++)
		histogram_record(&histogram, i < 50 ? 1000 : 1000000);
	histogram_add(&counts, &histogram);
	ck_assert_uint_eq(histogram_percentile(&counts, 50), 1023);
	ck_assert_uint_eq(histogram_percentile(&counts, 99), 1000000);
}
END_TEST

START_TEST(two_histograms_add_up)
{
	static struct histogram other;

	start();
	histogram_record(&histogram, 5);
	histogram_record(&other, 7);
	histogram_record(&other, 7);
	histogram_add(&counts, &histogram);
	histogram_add(&counts, &other);
	ck_assert_uint_eq(counts.total, 3);
	ck_assert_uint_eq(counts.count[5], 1);
	ck_assert_uint_eq(counts.count[7], 2);
	ck_assert_uint_eq(counts.max, 7);
}
END_TEST

START_TEST(sums_of_a_hostile_writer_stop_at_the_top)
{
	start();
	memset((void *)&histogram, 0xff, sizeof(histogram));
	histogram_add(&counts, &histogram);
	histogram_add(&counts, &histogram);
	ck_assert_uint_eq(counts.total, UINT64_MAX);
	ck_assert_uint_eq(counts.sum, UINT64_MAX);
	ck_assert_uint_le(histogram_percentile(&counts, 50), UINT64_MAX);
}
END_TEST

CHECK_MAIN("base/histogram",
	each_value_falls_into_the_bucket_that_holds_it,
	buckets_follow_each_other_without_gap,
	absurd_values_share_the_last_bucket,
	nothing_recorded_is_all_zero,
	percentiles_are_never_low_and_at_most_6_25_percent_high,
	no_percentile_is_above_the_maximum,
	as_many_as_a_percentile_says_do_not_exceed_it,
	two_histograms_add_up,
	sums_of_a_hostile_writer_stop_at_the_top)
