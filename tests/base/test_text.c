/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/text.h"

#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"

static void
duration(const char *text, int64_t expected)
{
	int64_t ns = -1;

	ck_assert_msg(text_parse_duration_ns(text, &ns), "%s", text);
	ck_assert_msg(ns == expected, "%s is %lld", text, (long long)ns);
}

START_TEST(durations_have_a_unit_and_may_have_decimals)
{
	duration("0", 0);
	duration("0s", 0);
	duration("7ns", 7);
	duration("100us", 100 * 1000);
	duration("250ms", INT64_C(250) * CLOCK_NS_PER_MS);
	duration("5s", INT64_C(5) * CLOCK_NS_PER_S);
	duration("2m", INT64_C(120) * CLOCK_NS_PER_S);
	duration("1h", INT64_C(3600) * CLOCK_NS_PER_S);
	duration("1d", INT64_C(86400) * CLOCK_NS_PER_S);
	duration("1.5s", INT64_C(1500) * CLOCK_NS_PER_MS);
	duration("0.05s", INT64_C(50) * CLOCK_NS_PER_MS);
	duration("1.25m", INT64_C(75) * CLOCK_NS_PER_S);
	duration("0.0000000009s", 0);
	duration("9223372036854775807ns", INT64_MAX);
	duration("106751d", INT64_C(106751) * 86400 * CLOCK_NS_PER_S);
}
END_TEST

START_TEST(what_is_no_duration_is_refused_and_leaves_the_result_alone)
{
	static const char *const bad[] = {"", "5", "0.0", "s", "5 s", " 5s", "5s ", "-5s", "+5s",
		"5S", "5sec", "5.s", ".5s", "1.5", "1e3s", "9223372036854775808ns", "106752d",
		"99999999999999999999s", "5s5s", "0x10s"};
	int64_t ns = 42;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!text_parse_duration_ns(bad[i], &ns), "%s", bad[i]);
	ck_assert_int_eq(ns, 42);
}
END_TEST

static void
size(const char *text, uint64_t expected)
{
	uint64_t bytes = 1;

	ck_assert_msg(text_parse_size(text, &bytes), "%s", text);
	ck_assert_msg(bytes == expected, "%s is %llu", text, (unsigned long long)bytes);
}

START_TEST(sizes_are_bytes_or_multiples_of_1024)
{
	size("0", 0);
	size("1000", 1000);
	size("64k", 65536);
	size("64K", 65536);
	size("1M", 1048576);
	size("2G", UINT64_C(2) << 30);
	size("1t", UINT64_C(1) << 40);
	size("18446744073709551615", UINT64_MAX);
}
END_TEST

START_TEST(what_is_no_size_is_refused)
{
	static const char *const bad[] = {"", "k", "-1", "+1", "1.5M", "1kb", "1 k", " 1", "1 ",
		"1x", "18446744073709551616", "17592186044416M", "0x10"};
	uint64_t bytes = 42;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!text_parse_size(bad[i], &bytes), "%s", bad[i]);
	ck_assert_uint_eq(bytes, 42);
}
END_TEST

START_TEST(sizes_are_printed_in_the_largest_unit_that_loses_nothing)
{
	char buf[32];

	ck_assert_str_eq(text_format_size(buf, sizeof(buf), 0), "0");
	ck_assert_str_eq(text_format_size(buf, sizeof(buf), 1000), "1000");
	ck_assert_str_eq(text_format_size(buf, sizeof(buf), 65536), "64k");
	ck_assert_str_eq(text_format_size(buf, sizeof(buf), 3 << 20), "3M");
	ck_assert_str_eq(text_format_size(buf, sizeof(buf), 1536), "1536");
	ck_assert_str_eq(text_format_size(buf, sizeof(buf), UINT64_C(1) << 50), "1024T");
}
END_TEST

START_TEST(integers_are_decimal_and_fit)
{
	int64_t n = 0;

	ck_assert(text_parse_int64("42", &n) && n == 42);
	ck_assert(text_parse_int64("+42", &n) && n == 42);
	ck_assert(text_parse_int64("-42", &n) && n == -42);
	ck_assert(text_parse_int64("007", &n) && n == 7);
	ck_assert(text_parse_int64("9223372036854775807", &n) && n == INT64_MAX);
	ck_assert(text_parse_int64("-9223372036854775808", &n) && n == INT64_MIN);
	n = 5;
	ck_assert(!text_parse_int64("9223372036854775808", &n));
	ck_assert(!text_parse_int64("-9223372036854775809", &n));
	ck_assert(!text_parse_int64("", &n));
	ck_assert(!text_parse_int64("-", &n));
	ck_assert(!text_parse_int64("--1", &n));
	ck_assert(!text_parse_int64(" 1", &n));
	ck_assert(!text_parse_int64("1 ", &n));
	ck_assert(!text_parse_int64("1.0", &n));
	ck_assert(!text_parse_int64("0x1", &n));
	ck_assert_int_eq(n, 5);
}
END_TEST

START_TEST(truth_has_four_names_and_so_has_its_absence)
{
	static const char *const yes[] = {"yes", "true", "on", "1", "YES", "True"};
	static const char *const no[] = {"no", "false", "off", "0", "No"};
	static const char *const bad[] = {"", "y", "2", "yes ", "enabled"};
	bool value;

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		value = false;
		ck_assert(text_parse_bool(yes[i], &value) && value);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		value = true;
		ck_assert(text_parse_bool(no[i], &value) && !value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert(!text_parse_bool(bad[i], &value));
}
END_TEST

static const char *const words[] = {"concurrency", "queue", "queue_bytes", "timeout", "stack",
	"log", "loops"};

static const char *
nearest(const char *name)
{
	return text_nearest(name, words, sizeof(words) / sizeof(*words));
}

START_TEST(a_slip_of_the_pen_finds_the_word_that_was_meant)
{
	ck_assert_str_eq(nearest("concurency"), "concurrency");
	ck_assert_str_eq(nearest("concurrencyy"), "concurrency");
	ck_assert_str_eq(nearest("cnocurrency"), "concurrency");
	ck_assert_str_eq(nearest("qeue"), "queue");
	ck_assert_str_eq(nearest("quene"), "queue");
	ck_assert_str_eq(nearest("queue-bytes"), "queue_bytes");
	ck_assert_str_eq(nearest("Timeout"), "timeout");
	ck_assert_str_eq(nearest("TIMEOUT"), "timeout");
	ck_assert_str_eq(nearest("time_out"), "timeout");
	ck_assert_str_eq(nearest("tmeuot"), "timeout");
	ck_assert_str_eq(nearest("loop"), "loops");
	ck_assert_str_eq(nearest("lo"), "log");
	ck_assert_str_eq(nearest("stack"), "stack");
}
END_TEST

START_TEST(a_word_of_its_own_is_near_to_nothing)
{
	char longest[1000];

	memset(longest, 'q', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_ptr_null(nearest("delay"));
	ck_assert_ptr_null(nearest("text"));
	ck_assert_ptr_null(nearest("x"));
	ck_assert_ptr_null(nearest(""));
	ck_assert_ptr_null(nearest("tock"));
	ck_assert_ptr_null(nearest(longest));
	ck_assert_ptr_null(text_nearest("queue", NULL, 0));
}
END_TEST

START_TEST(the_first_of_equally_near_words_is_taken)
{
	static const char *const same[] = {"cat", "bat", "car"};

	ck_assert_str_eq(text_nearest("aat", same, 3), "cat");
	ck_assert_str_eq(text_nearest("bar", same, 3), "bat");
	ck_assert_str_eq(text_nearest("car", same, 3), "car");
}
END_TEST

CHECK_MAIN("base/text",
	durations_have_a_unit_and_may_have_decimals,
	what_is_no_duration_is_refused_and_leaves_the_result_alone,
	sizes_are_bytes_or_multiples_of_1024,
	what_is_no_size_is_refused,
	sizes_are_printed_in_the_largest_unit_that_loses_nothing,
	integers_are_decimal_and_fit,
	truth_has_four_names_and_so_has_its_absence,
	a_slip_of_the_pen_finds_the_word_that_was_meant,
	a_word_of_its_own_is_near_to_nothing,
	the_first_of_equally_near_words_is_taken)
