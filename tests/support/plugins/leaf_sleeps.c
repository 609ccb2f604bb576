/* SPDX-License-Identifier: BSD-2-Clause */
/* Says that it never waits, and does. */
#include <bay/bay.h>

static int
leaf_sleeps(struct bay_request *request)
{
	(void)bay_sleep(BAY_MS);
	return bay_reply_text(request, "slept");
}

BAY_PLUGIN(leaf_sleeps, "1.0.0",
	.flags = BAY_LEAF,
	.handle = leaf_sleeps);
