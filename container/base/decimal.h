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
size_t decimal_print_any(char *to, int64_t number);
bool decimal_parse_any(const char *text, size_t size, int64_t *number_r);

/* Writes a number without a NUL, DECIMAL_SIZE bytes at most; returns how many. */
static inline size_t
decimal_print(char *to, int64_t number)
{
	uint32_t small = (uint32_t)number;

	if ((uint64_t)number >= 10000)
		return decimal_print_any(to, number);
	if (small < 10) {
		*to = (char)('0' + small);
		return 1;
	}
	if (small < 100) {
		memcpy(to, &decimal_pairs[small * 2], 2);
		return 2;
	}
	if (small < 1000) {
		*to = (char)('0' + small / 100);
		memcpy(to + 1, &decimal_pairs[small % 100 * 2], 2);
		return 3;
	}
	memcpy(to, &decimal_pairs[small / 100 * 2], 2);
	memcpy(to + 2, &decimal_pairs[small % 100 * 2], 2);
	return 4;
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
