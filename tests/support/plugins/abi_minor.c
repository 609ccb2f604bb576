/* SPDX-License-Identifier: BSD-2-Clause */
/* Needs a minor that no container has. */
#define BAY_ABI_MINOR_NEEDED 999
#include <bay/plugin.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(abi_minor, "1", .handle = handle);
