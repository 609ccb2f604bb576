/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/decimal.h"

const char decimal_pairs[200] =
	"00010203040506070809" "10111213141516171819"
	"20212223242526272829" "30313233343536373839"
	"40414243444546474849" "50515253545556575859"
	"60616263646566676869" "70717273747576777879"
	"80818283848586878889" "90919293949596979899";

unsigned
decimal_count_digits(uint64_t number)
{
	unsigned digits = 1;

	while (number >= 10000) {
		number /= 10000;
		digits += 4;
	}
	return digits + (number >= 10) + (number >= 100) + (number >= 1000);
}

static bool
decimal_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool
decimal_parse_any(const char *text, size_t size, int64_t *number_r)
{
	const char *end = text + size;
	uint64_t value = 0, limit = INT64_MAX;
	bool negative = false;

	while (text < end && decimal_is_space(*text))
		text++;
	while (end > text && decimal_is_space(end[-1]))
		end--;
	if (text < end && (*text == '-' || *text == '+')) {
		negative = *text == '-';
		limit += negative;
		text++;
	}
	if (text == end)
		return false;
	for (; text < end; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number_r = negative ? (int64_t)-value : (int64_t)value;
	return true;
}
