/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What services and loops did between two looks, out of two replies to Stats, as JSON:
 *
 *	{"interval_ns", "services": [{"service", "state", "cell", "cpu_percent", "calls_per_s",
 *		"failed_per_s", "tasks", "queue", "latency_p99_ns" (null: no samples), "memory_bytes"}, ...],
 *	 "loops": [{"cell", "loop", "cpu_percent", "lag_p99_ns"}, ...]}
 *
 * Who has begun anew meanwhile has done nothing before.
 */
#ifndef BAY_CTL_TOP_FIGURES_H
#define BAY_CTL_TOP_FIGURES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What services may be sorted by, ended by a NULL word. */
struct top_order {
	const char *word;
	char key;           /* of the keyboard */
	const char *member; /* of a service's figures; NULL: by its name */
};
extern const struct top_order top_orders[];

/* By word or key; NULL: there is none. */
const struct top_order *top_order_find(const char *word);
const struct top_order *top_order_of_key(int key);

/* The caller's. before is the older reply, interval_ns the time since. */
json_t *top_figures(const json_t *before, const json_t *now, int64_t interval_ns,
	const struct top_order *order);

#endif
