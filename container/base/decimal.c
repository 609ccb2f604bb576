/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/decimal.h"

const char decimal_pairs[200] =
	"00010203040506070809" "10111213141516171819"
	"20212223242526272829" "30313233343536373839"
	"40414243444546474849" "50515253545556575859"
	"60616263646566676869" "70717273747576777879"
	"80818283848586878889" "90919293949596979899";

/* The digits come from the end, four at a time as long as there are more. */
size_t
decimal_print_any(char *to, int64_t number)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char digits[DECIMAL_SIZE], *at = digits + DECIMAL_SIZE;
	size_t sign = number < 0, size;

	while (rest >= 10000) {
		uint32_t four = (uint32_t)(rest % 10000);

		rest /= 10000;
		at -= 4;
		memcpy(at, &decimal_pairs[four / 100 * 2], 2);
		memcpy(at + 2, &decimal_pairs[four % 100 * 2], 2);
	}
	*to = '-';
	to += sign;
	size = decimal_print(to, (int64_t)rest);
	memcpy(to + size, at, (size_t)(digits + DECIMAL_SIZE - at));
	return sign + size + (size_t)(digits + DECIMAL_SIZE - at);
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
