/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts what is sent to it, on all loops together; a call is answered with the count. */
#include <stdatomic.h>

#include <bay/bay.h>

static _Atomic int64_t total;

static int
bench_sink(struct bay_request *request)
{
	if (bay_request_wants_reply(request))
		return bay_reply_int64(request, atomic_load(&total));
	atomic_fetch_add_explicit(&total, 1, memory_order_relaxed);
	return BAY_OK;
}

BAY_PLUGIN(bench_sink, "1.0.0",
	.summary = "counts messages",
	.handle = bench_sink);
