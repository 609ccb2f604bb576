/* SPDX-License-Identifier: BSD-2-Clause */
/* Has a setting that no ini can reach: Bay has a key of that name. */
#include <bay/plugin.h>
#include <bay/setting.h>

struct reserved {
	int64_t queue;
};

static const struct bay_setting settings[] = {
	BAY_INT64(struct reserved, queue, "queue", "1", 0, 10, "never to be seen"),
	BAY_END
};

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(reserved, "1", .settings = settings, .handle = handle);
