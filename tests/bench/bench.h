/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all benchmark programs do alike: run a measurement a few times, keep the best, and
 * print one line
 *
 *	scenario<TAB>value<TAB>unit
 */
#ifndef BAY_TESTS_BENCH_BENCH_H
#define BAY_TESTS_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { BENCH_ROUNDS = 7 };

/* Does something count times. */
typedef void bench_fn(void *arg, int64_t count);

static inline void
bench_print(const char *scenario, double value, const char *unit)
{
	printf("%s\t%.2f\t%s\n", scenario, value, unit);
	fflush(stdout);
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), bench_compare);
	return values[count / 2];
}

/* Prints the nanoseconds that one of count takes in the best round; returns them. */
static inline double
bench_run(const char *scenario, bench_fn *fn, void *arg, int64_t count)
{
	int64_t best_ns = INT64_MAX;

	for (int round = 0; round < BENCH_ROUNDS; round++) {
		int64_t ns = clock_monotonic_ns();

		fn(arg, count);
		ns = clock_monotonic_ns() - ns;
		if (ns < best_ns)
			best_ns = ns;
	}
	bench_print(scenario, (double)best_ns / (double)count, "ns");
	return (double)best_ns / (double)count;
}

#endif
