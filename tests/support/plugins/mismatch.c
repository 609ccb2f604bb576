/* SPDX-License-Identifier: BSD-2-Clause */
/* Its note and its descriptor disagree. */
#include <bay/plugin.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(mismatch, "1", .handle = handle, .name = "somebody_else");
