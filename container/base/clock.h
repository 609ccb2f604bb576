/* SPDX-License-Identifier: BSD-2-Clause */
/* Time in nanoseconds, read and printed. Any thread. */
#ifndef BAY_BASE_CLOCK_H
#define BAY_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CLOCK_NS_PER_US = 1000,
	CLOCK_NS_PER_MS = 1000 * 1000,
	CLOCK_NS_PER_S = 1000 * 1000 * 1000
};

/* Room for every text that the functions below make. */
enum { CLOCK_TEXT_SIZE = 32 };

/* Nanoseconds since some start that stays the same; never goes back. Deadlines use this one. */
int64_t clock_monotonic_ns(void);

/* The same as of the kernel's last tick, so up to 10 ms behind, at a fifth of the price. */
int64_t clock_coarse_ns(void);

/* Nanoseconds since 1970 UTC. May jump; for people only. */
int64_t clock_wall_ns(void);

/*
 * A clock that stands still until it is moved, for tests: all three above show it from now
 * on, beginning with these times (monotonic_ns above 0). Who does nothing but look at it, a
 * million times, sees it creep: else a task that only waits for a time would do so for ever.
 * Before there are threads that look at the clock.
 */
void clock_stand_still(int64_t monotonic_ns, int64_t wall_ns);

/* Moves it forward to this monotonic time; never back. Any thread. */
void clock_move_to(int64_t monotonic_ns);

/* Back to the kernel's clocks. */
void clock_go_on(void);

/* Whether it stands still. Any thread. */
bool clock_stands_still(void);

/* What clock_monotonic_ns shows when nobody has stopped it: for waits in the kernel. */
int64_t clock_kernel_ns(void);

/* Time of a processor that the calling thread has had, ns; that of the clock when that stands still, which
 * runs for nobody else. A system call. */
int64_t clock_thread_cpu_ns(void);

/*
 * Prints a duration the way people say it, with at most two decimals: "0", "350ns",
 * "12.5us", "20ms", "1.5s", "2m30s", "1h05m", "3d04h". Returns buf.
 */
char *clock_format_duration(char *buf, size_t size, int64_t ns);

/* Prints a wall clock time as ISO 8601 in UTC: "2026-01-02T03:04:05.678Z". Returns buf. */
char *clock_format_wall(char *buf, size_t size, int64_t ns);

#endif
