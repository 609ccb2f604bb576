/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long to wait before something that failed is tried again: twice as long each time, a
 * little scattered so that many do not come back together.
 *
 *	struct backoff backoff = {
 *		.at_once = true, .first_ns = 100 * INT64_C(1000000), .max_ns = ..., .reset_ns = ...};
 *
 *	delay_ns = backoff_next(&backoff, clock_monotonic_ns(), backoff_random());
 *
 * Has one owner. One thread at a time.
 */
#ifndef BAY_MASTER_BACKOFF_H
#define BAY_MASTER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	bool at_once;     /* the first failure is tried again without any wait */
	int64_t first_ns; /* the first wait there is */
	int64_t max_ns;   /* no wait is longer; no less than first_ns */
	int64_t reset_ns; /* this long after the end of a wait without a failure, and all is forgotten */
	unsigned _failures;
	int64_t _tried_ns; /* the end of the last wait */
};

/*
 * Notes a failure at now_ns and returns how long to wait, between first_ns and max_ns; it is
 * scattered over a quarter, as random says.
 */
int64_t backoff_next(struct backoff *backoff, int64_t now_ns, uint32_t random);

/* Forgets all failures. */
void backoff_reset(struct backoff *backoff);

/* A number for backoff_next. */
uint32_t backoff_random(void);

#endif
