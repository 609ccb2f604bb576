/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/ticker.h>. */
#include "config.h"

#include "runtime/ticker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/wait.h"

struct bay_ticker {
	int64_t period_ns;
	int64_t next_ns;   /* the oldest tick that nobody has got; BAY_INHERIT: never */
};

struct bay_ticker *
bay_ticker_create(int64_t period_ns)
{
	struct bay_ticker *ticker;

	if (period_ns <= 0) {
		log_error(task_subject(task_current()), "bay_ticker_create: a period of %" PRId64 " ns is not above 0 [misuse-argument]", period_ns);
		return NULL;
	}
	ticker = alloc_try(sizeof *ticker);
	if (ticker != NULL)
		(void)bay_ticker_reset(ticker, period_ns);
	return ticker;
}

void
bay_ticker_destroy(struct bay_ticker *ticker)
{
	free(ticker);
}

int
bay_ticker_reset(struct bay_ticker *ticker, int64_t period_ns)
{
	if (period_ns <= 0)
		return BAY_INVALID;
	ticker->period_ns = period_ns;
	ticker->next_ns = bay_after(period_ns);
	return BAY_OK;
}

int64_t
bay_ticker_when(const struct bay_ticker *ticker)
{
	return ticker->next_ns;
}

bool
ticker_take(struct bay_ticker *ticker, int64_t now_ns, uint64_t *missed_r)
{
	int64_t missed;

	if (now_ns < ticker->next_ns)
		return false;
	missed = (now_ns - ticker->next_ns) / ticker->period_ns;
	ticker->next_ns += missed * ticker->period_ns;
	if (ticker->period_ns < BAY_INHERIT - ticker->next_ns)
		ticker->next_ns += ticker->period_ns;
	else
		ticker->next_ns = BAY_INHERIT;
	if (missed_r != NULL)
		*missed_r = (uint64_t)missed;
	return true;
}

int
bay_ticker_next(struct bay_ticker *ticker, uint64_t *missed_r, int64_t deadline)
{
	struct task *self = task_current();

	if (!AWAIT_BEGIN("bay_ticker_next"))
		return BAY_INVALID;
	if (await_is_over(self))
		return await_over(self);
	while (!ticker_take(ticker, clock_monotonic_ns(), missed_r)) {
		int64_t limit_ns = task_deadline(self, deadline), next_ns = ticker->next_ns;
		struct waiter waiter;
		int status;

		if (limit_ns <= self->scheduler->loop.now_ns)
			return await_refused(self, BAY_TIMEOUT);
		waiter_init(&waiter, AWAIT_CANCELABLE);
		status = task_await(&waiter, next_ns < limit_ns ? next_ns : limit_ns);
		if (status != BAY_TIMEOUT || limit_ns < next_ns)
			return status;
	}
	return await_passed(self, BAY_OK);
}
