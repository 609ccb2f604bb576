/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of settings that was written by hand, and wrong. */
#include <bay/plugin.h>
#include <bay/setting.h>

struct wrong { int small; };

static const struct bay_setting settings[] = {
	BAY_INT64(struct wrong, small, "small", "1", 0, 10, "an int is no int64_t"),
	BAY_END
};

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(bad_settings, "1", .settings = settings, .handle = handle);
