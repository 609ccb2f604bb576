/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that people write, and the nearest of the words they may have meant. */
#include "config.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

/* --- numbers and units ------------------------------------------------------- */

/* Reads the digits at *text and moves behind them. False: none, or too many. */
static bool
text_take_digits(const char **text, uint64_t *value_r)
{
	const char *at = *text;
	uint64_t value = 0;

	if (!isdigit((unsigned char)*at))
		return false;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
				__builtin_add_overflow(value, (unsigned)(*at - '0'), &value))
			return false;
	*text = at;
	*value_r = value;
	return true;
}

bool
text_parse_int64(const char *text, int64_t *value_r)
{
	bool negative = *text == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	uint64_t value;

	if (*text == '-' || *text == '+')
		text++;
	if (!text_take_digits(&text, &value) || *text != '\0' || value > limit)
		return false;
	*value_r = negative ? (int64_t)-value : (int64_t)value;
	return true;
}

bool
text_parse_size(const char *text, uint64_t *bytes_r)
{
	static const char units[] = "kmgt";
	uint64_t value;
	unsigned shift = 0;

	if (!text_take_digits(&text, &value))
		return false;
	if (*text != '\0') {
		const char *unit = strchr(units, tolower((unsigned char)*text));

		if (unit == NULL || text[1] != '\0')
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (value > UINT64_MAX >> shift)
		return false;
	*bytes_r = value << shift;
	return true;
}

char *
text_format_size(char *buf, size_t size, uint64_t bytes)
{
	static const char units[][2] = {"", "k", "M", "G", "T"};
	size_t unit = 0;

	while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(*units)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, size, "%" PRIu64 "%s", bytes, units[unit]);
	return buf;
}

struct text_unit {
	const char *name;
	int64_t ns;
};

static int64_t
text_unit_ns(const char *name)
{
	static const struct text_unit units[] = {
		{"ns", 1},
		{"us", CLOCK_NS_PER_US},
		{"ms", CLOCK_NS_PER_MS},
		{"s", CLOCK_NS_PER_S},
		{"m", INT64_C(60) * CLOCK_NS_PER_S},
		{"h", INT64_C(3600) * CLOCK_NS_PER_S},
		{"d", INT64_C(86400) * CLOCK_NS_PER_S},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(units[i].name, name) == 0)
			return units[i].ns;
	return 0;
}

/* The part of a unit that decimals name, cut at the nanosecond: (".25", 1 s) is 250 ms. */
static const char *
text_take_decimals(const char *text, int64_t unit_ns, int64_t *ns_r)
{
	int64_t place = unit_ns;

	*ns_r = 0;
	for (; isdigit((unsigned char)*text); text++) {
		place /= 10;
		*ns_r += place * (*text - '0');
	}
	return text;
}

bool
text_parse_duration_ns(const char *text, int64_t *ns_r)
{
	const char *decimals = NULL;
	uint64_t whole;
	int64_t unit;
	int64_t part = 0;
	int64_t ns;

	if (!text_take_digits(&text, &whole))
		return false;
	if (*text == '.') {
		decimals = text + 1;
		if (!isdigit((unsigned char)*decimals))
			return false;
		text = decimals + strspn(decimals, "0123456789");
	}
	if (whole == 0 && decimals == NULL && *text == '\0') {
		*ns_r = 0;
		return true;
	}
	unit = text_unit_ns(text);
	if (unit == 0)
		return false;
	if (decimals != NULL)
		text_take_decimals(decimals, unit, &part);
	if (__builtin_mul_overflow(whole, unit, &ns) || __builtin_add_overflow(ns, part, &ns))
		return false;
	*ns_r = ns;
	return true;
}

bool
text_parse_bool(const char *text, bool *value_r)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			*value_r = true;
		else if (strcasecmp(text, no[i]) == 0)
			*value_r = false;
		else
			continue;
		return true;
	}
	return false;
}

/* --- the nearest word --------------------------------------------------------- */

enum { TEXT_NEAREST_MAX = 64 };

static unsigned
text_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool
text_same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The number of letters wrong, missing, too many or swapped with their neighbour (optimal
 * string alignment), by three rows of the usual table.
 */
static unsigned
text_distance(const char *a, const char *b)
{
	unsigned rows[3][TEXT_NEAREST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	size_t b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		unsigned *spare = before;

		before = last;
		last = row;
		row = spare;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned wrong = !text_same_letter(a[i - 1], b[j - 1]);

			row[j] = text_min(last[j] + 1, row[j - 1] + 1);
			row[j] = text_min(row[j], last[j - 1] + wrong);
			if (i > 1 && j > 1 && text_same_letter(a[i - 1], b[j - 2]) &&
					text_same_letter(a[i - 2], b[j - 1]))
				row[j] = text_min(row[j], before[j - 2] + 1);
		}
	}
	return row[b_length];
}

const char *
text_nearest(const char *name, const char *const *names, size_t count)
{
	size_t length = strlen(name);
	unsigned limit = length < 6 ? 1 : length < 9 ? 2 : 3;
	const char *nearest = NULL;

	if (length < 2 || length > TEXT_NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned distance;

		if (strlen(names[i]) > TEXT_NEAREST_MAX)
			continue;
		distance = text_distance(name, names[i]);
		if (distance > limit || (nearest != NULL && distance == limit))
			continue;
		nearest = names[i];
		limit = distance;
	}
	return nearest;
}
