/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticks at a fixed period without drift: the ticks are at start + n * period of the
 * monotonic clock, however late they are seen. Ticks that nobody awaited are counted, not
 * delivered in a bunch.
 *
 *	struct bay_ticker *ticker = bay_ticker_create(10 * BAY_SECOND);
 *
 *	while (bay_ticker_next(ticker, NULL, BAY_INHERIT) == BAY_OK)
 *		look_after_things();
 *	bay_ticker_destroy(ticker);
 *
 * All functions: on the loop that created it.
 */
#ifndef BAY_TICKER_H
#define BAY_TICKER_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_ticker;

/* A ticker whose first tick is period_ns from now. Owned by the caller. NULL without
 * memory, or (logged) when the period is not above 0. Never suspends. Since 1.0. */
BAY_API struct bay_ticker *bay_ticker_create(int64_t period_ns) BAY_MUST_CHECK;

/* Frees it; NULL is allowed. No task may be waiting for it. Never suspends. Since 1.0. */
BAY_API void bay_ticker_destroy(struct bay_ticker *ticker);

/* Waits for the next tick; at once when one has come since the last call. *missed_r
 * (NULL: not wanted) is the number of ticks before it that nobody has got: their time has
 * passed, they will not come. Of several tasks that wait, each tick is for one. BAY_OK;
 * BAY_TIMEOUT and BAY_CANCELED, then no tick was used up. Inside a task; may suspend.
 * Since 1.0. */
BAY_API int bay_ticker_next(struct bay_ticker *ticker, uint64_t *missed_r, int64_t deadline);

/* When the next tick is (monotonic), in the past if it has come already. Never suspends.
 * Since 1.0. */
BAY_API int64_t bay_ticker_when(const struct bay_ticker *ticker);

/* Starts again: the next tick is period_ns from now, and from then on. BAY_OK, or
 * BAY_INVALID when it is not above 0. Who waits already wakes by the old period at the
 * latest and goes on by the new one. Never suspends. Since 1.0. */
BAY_API int bay_ticker_reset(struct bay_ticker *ticker, int64_t period_ns);

BAY_END_DECLS

#endif
