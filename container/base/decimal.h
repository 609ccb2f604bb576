/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decimal integers to and from bytes: printf and strtoll cost more than a whole call from
 * one service to another. Pure functions. Any thread.
 */
#ifndef BAY_BASE_DECIMAL_H
#define BAY_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The most that decimal_print writes: a sign and 19 digits. */
enum { DECIMAL_SIZE = 20 };

/* "00" to "99". */
extern const char decimal_pairs[200];

/* The slow parts of what follows. */
unsigned decimal_count_digits(uint64_t number)
	__attribute__((const));
bool decimal_parse_any(const char *text, size_t size, int64_t *number_r);

static inline unsigned
decimal_digits(uint64_t number)
{
	if (number < 100)
		return 1 + (number >= 10);
	if (number < 10000)
		return 3 + (number >= 1000);
	return decimal_count_digits(number);
}

/* Writes a number without a NUL, DECIMAL_SIZE bytes at most; returns how many. */
static inline size_t
decimal_print(char *to, int64_t number)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	unsigned digits = decimal_digits(rest);
	char *at;

	*to = '-';
	to += number < 0;
	at = to + digits;
	while (rest >= 100) {
		at -= 2;
		memcpy(at, &decimal_pairs[rest % 100 * 2], 2);
		rest /= 100;
	}
	if (rest >= 10)
		memcpy(to, &decimal_pairs[rest * 2], 2);
	else
		*to = (char)('0' + rest);
	return digits + (number < 0);
}

/*
 * Reads all size bytes as one number: an optional sign and digits, with spaces, tabs and
 * line ends around them. False, and *number_r untouched, when they are anything else or do
 * not fit.
 */
static inline bool
decimal_parse(const char *text, size_t size, int64_t *number_r)
{
	int64_t number = 0;
	size_t i = 0;

	/* So few plain digits cannot overflow. */
	if (size <= 18) {
		while (i < size && (unsigned char)(text[i] - '0') <= 9)
			number = number * 10 + (text[i++] - '0');
		if (i == size && size > 0) {
			*number_r = number;
			return true;
		}
	}
	return decimal_parse_any(text, size, number_r);
}

#endif
