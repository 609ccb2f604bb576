/* SPDX-License-Identifier: BSD-2-Clause */
/* Tickers from inside, for whoever waits for several things. Owning loop only. */
#ifndef BAY_RUNTIME_TICKER_H
#define BAY_RUNTIME_TICKER_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/ticker.h>

/* Takes the tick that has come by now_ns and counts those before it; false: none has. */
bool ticker_take(struct bay_ticker *ticker, int64_t now_ns, uint64_t *missed_r);

#endif
