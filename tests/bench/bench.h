/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all benchmark programs do alike: run each measurement a few times and print one line
 *
 *	scenario<TAB>median<TAB>minimum<TAB>unit
 *
 * BENCH_RUNS in the environment is how many times, BENCH_ONLY the one scenario to run. Under a
 * slow instrument, such as valgrind, BENCH_DIVIDE makes what is done in a run that much less.
 */
#ifndef BAY_TESTS_BENCH_BENCH_H
#define BAY_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { BENCH_RUNS_DEFAULT = 7, BENCH_RUNS_MAX = 1000 };

/* Does something count times. */
typedef void bench_fn(void *arg, int64_t count);

static inline int
bench_runs(void)
{
	const char *text = getenv("BENCH_RUNS");
	long runs = text != NULL ? strtol(text, NULL, 10) : BENCH_RUNS_DEFAULT;

	return runs < 1 ? 1 : runs > BENCH_RUNS_MAX ? BENCH_RUNS_MAX : (int)runs;
}

static inline int64_t
bench_count(int64_t count)
{
	const char *text = getenv("BENCH_DIVIDE");
	long divisor = text != NULL ? strtol(text, NULL, 10) : 1;

	return divisor <= 1 ? count : count / divisor + 1;
}

static inline bool
bench_wanted(const char *scenario)
{
	const char *only = getenv("BENCH_ONLY");

	return only == NULL || *only == '\0' || strcmp(only, scenario) == 0;
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values and prints the line of a scenario. */
static inline void
bench_print(const char *scenario, double *values, int count, const char *unit)
{
	qsort(values, (size_t)count, sizeof(*values), bench_compare);
	printf("%s\t%.2f\t%.2f\t%s\n", scenario, values[count / 2], values[0], unit);
	fflush(stdout);
}

/* Measures and prints the nanoseconds that one of count takes. */
static inline void
bench_run(const char *scenario, bench_fn *fn, void *arg, int64_t count)
{
	double each_ns[BENCH_RUNS_MAX];

	if (!bench_wanted(scenario))
		return;
	count = bench_count(count);
	for (int run = 0; run < bench_runs(); run++) {
		int64_t ns = clock_monotonic_ns();

		fn(arg, count);
		each_ns[run] = (double)(clock_monotonic_ns() - ns) / (double)count;
	}
	bench_print(scenario, each_ns, bench_runs(), "ns");
}

#endif
