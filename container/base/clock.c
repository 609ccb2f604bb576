/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t
clock_read(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

int64_t
clock_monotonic_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
clock_coarse_ns(void)
{
	return clock_read(CLOCK_MONOTONIC_COARSE);
}

int64_t
clock_wall_ns(void)
{
	return clock_read(CLOCK_REALTIME);
}

/* Prints hundredths as "12", "12.5" or "12.34". */
static void
clock_print_hundredths(char *buf, size_t size, const char *sign, uint64_t hundredths,
	const char *unit)
{
	uint64_t whole = hundredths / 100;
	unsigned part = hundredths % 100;

	if (part == 0)
		snprintf(buf, size, "%s%" PRIu64 "%s", sign, whole, unit);
	else if (part % 10 == 0)
		snprintf(buf, size, "%s%" PRIu64 ".%u%s", sign, whole, part / 10, unit);
	else
		snprintf(buf, size, "%s%" PRIu64 ".%02u%s", sign, whole, part, unit);
}

/* Prints two neighbouring units, or the first alone when nothing is left for the second. */
static void
clock_print_two(char *buf, size_t size, const char *sign, uint64_t big, char big_unit,
	uint64_t small, char small_unit)
{
	if (small == 0)
		snprintf(buf, size, "%s%" PRIu64 "%c", sign, big, big_unit);
	else
		snprintf(buf, size, "%s%" PRIu64 "%c%02" PRIu64 "%c", sign, big, big_unit, small,
			small_unit);
}

char *
clock_format_duration(char *buf, size_t size, int64_t ns)
{
	const char *sign = ns < 0 ? "-" : "";
	uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t seconds = n / CLOCK_NS_PER_S;
	uint64_t minutes = seconds / 60;
	uint64_t hours = minutes / 60;

	if (n == 0)
		snprintf(buf, size, "0");
	else if (n < CLOCK_NS_PER_US)
		snprintf(buf, size, "%s%" PRIu64 "ns", sign, n);
	else if (n < CLOCK_NS_PER_MS)
		clock_print_hundredths(buf, size, sign, n / (CLOCK_NS_PER_US / 100), "us");
	else if (seconds == 0)
		clock_print_hundredths(buf, size, sign, n / (CLOCK_NS_PER_MS / 100), "ms");
	else if (minutes == 0)
		clock_print_hundredths(buf, size, sign, n / (CLOCK_NS_PER_S / 100), "s");
	else if (hours == 0)
		clock_print_two(buf, size, sign, minutes, 'm', seconds % 60, 's');
	else if (hours < 24)
		clock_print_two(buf, size, sign, hours, 'h', minutes % 60, 'm');
	else
		clock_print_two(buf, size, sign, hours / 24, 'd', hours % 24, 'h');
	return buf;
}

char *
clock_format_wall(char *buf, size_t size, int64_t ns)
{
	time_t seconds = (time_t)(ns / CLOCK_NS_PER_S);
	int milliseconds = (int)(ns % CLOCK_NS_PER_S / CLOCK_NS_PER_MS);
	struct tm utc;

	if (milliseconds < 0) {
		milliseconds += 1000;
		seconds--;
	}
	gmtime_r(&seconds, &utc);
	snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
		utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, milliseconds);
	return buf;
}
