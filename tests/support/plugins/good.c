/* SPDX-License-Identifier: BSD-2-Clause */
/* A plugin with a setting of each type. It needs no function of the container. */
#include <bay/plugin.h>
#include <bay/setting.h>

#include "support/plugins/good.h"

static const struct bay_setting settings[] = {
	BAY_INT64(struct good, retries, "retries", "3", 0, 10, "how often to try again"),
	BAY_BOOL(struct good, loud, "loud", "no", "whether to log"),
	BAY_DURATION(struct good, delay_ns, "delay", "1s", "how long to sleep"),
	BAY_SIZE(struct good, cache, "cache", "64k", 4096, 1048576, "bytes to keep"),
	BAY_STRING(struct good, text, "text", "done", "the reply"),
	BAY_CHOICE(struct good, mode, "mode", "fast", "fast|safe", "how to go about it"),
	BAY_END
};

static int
good(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(good, "1.2.3",
	.summary = "does nothing well",
	.flags = BAY_LEAF,
	.settings = settings,
	.handle = good);
