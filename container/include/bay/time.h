/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. Spans and deadlines are int64_t nanoseconds. A deadline is a point of
 * the monotonic clock, made by bay_after(); functions that may suspend take one
 * as their last parameter. A task never waits longer than the deadline that it
 * inherited, so BAY_INHERIT means "no deadline of my own".
 */
#ifndef BAY_TIME_H
#define BAY_TIME_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

#define BAY_INHERIT INT64_MAX

#define BAY_US INT64_C(1000)
#define BAY_MS INT64_C(1000000)
#define BAY_SECOND INT64_C(1000000000)

/* Nanoseconds of the monotonic clock (CLOCK_MONOTONIC). Any thread; never
 * suspends. Since 1.0. */
BAY_API int64_t bay_now(void);

/* Nanoseconds since 1970 of the wall clock (CLOCK_REALTIME). Any thread; never
 * suspends. Since 1.0. */
BAY_API int64_t bay_wall(void);

/* The deadline that lies span_ns from now; a negative span lies in the past, an
 * overlong one is BAY_INHERIT. Any thread; never suspends. Since 1.0. */
BAY_API int64_t bay_after(int64_t span_ns);

/* Suspends the task for span_ns. BAY_OK after the whole span; BAY_TIMEOUT when
 * the inherited deadline came first; BAY_CANCELED. Inside a task. Since 1.0. */
BAY_API int bay_sleep(int64_t span_ns);

/* The same until the monotonic clock shows when_ns; at once if it does already.
 * Inside a task; may suspend. Since 1.0. */
BAY_API int bay_sleep_until(int64_t when_ns);

/* The same until the clock on the wall shows wall_ns (as bay_wall() gives it). When that
 * clock is set, or the machine has slept, the sleep follows within a second. Inside a
 * task; may suspend. Since 1.0. */
BAY_API int bay_sleep_until_wall(int64_t wall_ns);

BAY_END_DECLS

#endif
