/* SPDX-License-Identifier: BSD-2-Clause */
/* Has a flag that no container knows. */
#include <bay/plugin.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(unknown_flag, "1", .flags = UINT64_C(1) << 40, .handle = handle);
