/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a text keeps the rules of OpenMetrics 1.0, as far as bayctl uses it: families told
 * once and in one piece, with help, type and unit in this order and before their samples; the
 * samples that a type has; labels escaped; no sample twice; histograms that add up; the end.
 */
#ifndef BAY_TESTS_SUPPORT_METRICS_CHECK_H
#define BAY_TESTS_SUPPORT_METRICS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* NULL: it does. Else what is wrong in which line, in a buffer of this function. Typed: every
 * family has to have a type, counters are called _total, and there is no end: Prometheus' older
 * format. */
const char *metrics_check(const char *text, bool typed);

#endif
