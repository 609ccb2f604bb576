/* SPDX-License-Identifier: BSD-2-Clause */
/* The square of an integer, by a handler that never suspends: the fastest callee. */
#include <bay/bay.h>

static int
bench_leaf(struct bay_request *request)
{
	int64_t n;

	if (bay_request_int64(request, &n) != BAY_OK)
		return bay_fail(request, BAY_INVALID, "bench_leaf wants one integer");
	return bay_reply_int64(request, n * n);
}

BAY_PLUGIN(bench_leaf, "1.0.0",
	.summary = "squares on its caller's stack",
	.flags = BAY_LEAF,
	.handle = bench_leaf);
