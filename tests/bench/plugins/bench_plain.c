/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The square of an integer, by a handler with a stack of its own. With yields it lets others
 * run that often before it answers.
 */
#include <bay/bay.h>

struct bench_plain {
	int64_t yields;
};

static const struct bay_setting settings[] = {
	BAY_INT64(struct bench_plain, yields, "yields", "0", 0, 1000, "how often to wait"),
	BAY_END
};

static int
bench_plain(struct bay_request *request)
{
	const struct bench_plain *set = bay_settings(request);
	int64_t n;

	if (bay_request_int64(request, &n) != BAY_OK)
		return bay_fail(request, BAY_INVALID, "bench_plain wants one integer");
	for (int64_t i = 0; i < set->yields; i++)
		(void)bay_yield();
	return bay_reply_int64(request, n * n);
}

BAY_PLUGIN(bench_plain, "1.0.0",
	.summary = "squares on a stack of its own",
	.settings = settings,
	.handle = bench_plain);
