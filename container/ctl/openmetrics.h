/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reply to Stats as text for a monitoring system. Two forms:
 *
 *	OpenMetrics 1.0     what Prometheus' older text format takes as well: counters are there
 *	                    without a type, since the one wants them typed by another name than the other
 *	Prometheus 0.0.4    with the type of everything; not OpenMetrics
 */
#ifndef BAY_CTL_OPENMETRICS_H
#define BAY_CTL_OPENMETRICS_H

#include <jansson.h>
#include <stdio.h>

enum metrics_form {
	METRICS_OPENMETRICS,
	METRICS_PROMETHEUS
};

/* Prints all that is in the reply. */
void openmetrics_print(FILE *file, const json_t *reply, enum metrics_form form);

#endif
