/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many requests may be sent once more, so that a service that dies again and again does not get
 * many times the load that it cannot bear. As the retry budgets of Finagle and Linkerd: a percentage of
 * the requests of the last ten seconds, and besides so many a second in any case.
 *
 * The owner has the lock, and the clock.
 */
#ifndef BAY_SERVICE_RETRY_BUDGET_H
#define BAY_SERVICE_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "service/call_window.h"

/* The time over which requests and retries are counted. */
#define RETRY_BUDGET_WINDOW_NS (10 * INT64_C(1000000000))

struct retry_budget {
	unsigned percent;        /* of the requests; 0: no budget, all may be sent again */
	unsigned min_per_s;      /* in any case */
	struct call_window_scale scale;
	struct call_window sent; /* all that was sent; bad: what was sent again */
};

static inline bool
retry_budget_is_set(const struct retry_budget *budget)
{
	return budget->percent != 0;
}

/* Of a zeroed one. Another budget begins with no requests and no retries. */
void retry_budget_set(struct retry_budget *budget, unsigned percent, unsigned min_per_s);

/* A request is sent for the first time. */
void retry_budget_note(struct retry_budget *budget, int64_t now_ns);

/* Whether one may be sent again, which is taken from the budget then. What was sent of late, and sent
 * again, without this one, is in *sent_r. */
bool retry_budget_take(struct retry_budget *budget, int64_t now_ns, struct call_counts *sent_r);

#endif
