/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static int64_t
clock_read(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

/* --- a clock that stands still --------------------------------------------------- */

/* Looks at it before it creeps, and how far it creeps at each one then. */
#define CLOCK_LOOKS (UINT64_C(1) << 20)
#define CLOCK_CREEP_NS CLOCK_NS_PER_US

/* 0: the clocks are the kernel's. */
static _Atomic int64_t clock_still_ns;
static _Atomic int64_t clock_still_wall_ns; /* more than the monotonic one */
static _Atomic uint64_t clock_looks;

void
clock_stand_still(int64_t monotonic_ns, int64_t wall_ns)
{
	atomic_store(&clock_looks, 0);
	atomic_store(&clock_still_wall_ns, wall_ns - monotonic_ns);
	atomic_store(&clock_still_ns, monotonic_ns);
}

void
clock_move_to(int64_t monotonic_ns)
{
	int64_t now_ns = atomic_load(&clock_still_ns);

	while (now_ns != 0 && now_ns < monotonic_ns &&
		!atomic_compare_exchange_weak(&clock_still_ns, &now_ns, monotonic_ns))
		;
	atomic_store(&clock_looks, 0);
}

void
clock_go_on(void)
{
	atomic_store(&clock_still_ns, 0);
}

bool
clock_stands_still(void)
{
	return atomic_load_explicit(&clock_still_ns, memory_order_relaxed) != 0;
}

static __attribute__((cold, noinline)) int64_t
clock_look(void)
{
	if (atomic_fetch_add_explicit(&clock_looks, 1, memory_order_relaxed) < CLOCK_LOOKS)
		return atomic_load_explicit(&clock_still_ns, memory_order_relaxed);
	return atomic_fetch_add_explicit(&clock_still_ns, CLOCK_CREEP_NS, memory_order_relaxed) + CLOCK_CREEP_NS;
}

/* --- reading --------------------------------------------------------------------- */

int64_t
clock_kernel_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
clock_monotonic_ns(void)
{
	if (__builtin_expect(clock_stands_still(), 0))
		return clock_look();
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
clock_thread_cpu_ns(void)
{
	if (__builtin_expect(clock_stands_still(), 0))
		return clock_look();
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
clock_coarse_ns(void)
{
	if (__builtin_expect(clock_stands_still(), 0))
		return clock_look();
	return clock_read(CLOCK_MONOTONIC_COARSE);
}

int64_t
clock_wall_ns(void)
{
	if (__builtin_expect(clock_stands_still(), 0))
		return atomic_load(&clock_still_ns) + atomic_load(&clock_still_wall_ns);
	return clock_read(CLOCK_REALTIME);
}

/* --- printing -------------------------------------------------------------------- */

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
