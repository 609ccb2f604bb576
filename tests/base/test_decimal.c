/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

static void
assert_prints_as_printf(int64_t number)
{
	char text[DECIMAL_SIZE + 1], expected[32];
	int64_t read = ~number;
	size_t size = decimal_print(text, number);

	ck_assert_uint_le(size, DECIMAL_SIZE);
	text[size] = '\0';
	snprintf(expected, sizeof(expected), "%" PRId64, number);
	ck_assert_str_eq(text, expected);
	ck_assert(decimal_parse(text, size, &read));
	ck_assert_int_eq(read, number);
}

START_TEST(numbers_print_as_printf_does_and_read_back)
{
	uint64_t random = 1;

	for (int64_t n = -12000; n <= 12000; n++)
		assert_prints_as_printf(n);
	for (int64_t n = 1; n <= INT64_MAX / 10; n *= 10) {
		assert_prints_as_printf(n - 1);
		assert_prints_as_printf(-n);
		assert_prints_as_printf(n * 9 + 1);
	}
	for (int i = 0; i < 10000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		assert_prints_as_printf((int64_t)random >> random % 60);
	}
	assert_prints_as_printf(INT64_MAX);
	assert_prints_as_printf(INT64_MIN);
	assert_prints_as_printf(INT64_MIN + 1);
}
END_TEST

static const struct {
	const char *text;
	int64_t number;
} good[] = {
	{"0", 0}, {"-0", 0}, {"+7", 7}, {"  42\n", 42}, {"\t-5 \r\n", -5}, {"007", 7},
	{"000000000000000000000000000012", 12},
	{"999999999999999999", 999999999999999999},
	{"1000000000000000000", 1000000000000000000},
	{"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN},
};

START_TEST(a_number_is_read_with_sign_and_spaces_around_it)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int64_t number = 77;

		ck_assert_msg(decimal_parse(good[i].text, strlen(good[i].text), &number), "'%s'", good[i].text);
		ck_assert_int_eq(number, good[i].number);
	}
}
END_TEST

static const char *const bad[] = {
	"", " ", "-", "+", "--1", "1 2", "1x", "x1", "0x10", "1.0", "1e3", "- 1", "1-", "\v1", ":", "/",
	"9223372036854775808", "-9223372036854775809", "18446744073709551616",
	"99999999999999999999999",
};

START_TEST(anything_else_is_refused_and_leaves_the_number_alone)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t number = 77;

		ck_assert_msg(!decimal_parse(bad[i], strlen(bad[i]), &number), "'%s'", bad[i]);
		ck_assert_int_eq(number, 77);
	}
}
END_TEST

START_TEST(bytes_behind_the_size_do_not_count)
{
	int64_t number;

	ck_assert(decimal_parse("123456", 3, &number));
	ck_assert_int_eq(number, 123);
	ck_assert(!decimal_parse("5", 0, &number));
	ck_assert(!decimal_parse("1\0" "2", 3, &number));
}
END_TEST

CHECK_MAIN("base/decimal",
	numbers_print_as_printf_does_and_read_back,
	a_number_is_read_with_sign_and_spaces_around_it,
	anything_else_is_refused_and_leaves_the_number_alone,
	bytes_behind_the_size_do_not_count)
