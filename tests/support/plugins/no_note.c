/* SPDX-License-Identifier: BSD-2-Clause */
/* A descriptor without the note that BAY_PLUGIN would have written. */
#include <bay/plugin.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

extern BAY_API const struct bay_plugin bay_plugin_v1;
const struct bay_plugin bay_plugin_v1 = {
	.size = sizeof(struct bay_plugin),
	.abi_major = BAY_ABI_MAJOR,
	.name = "no_note",
	.version = "1",
	.handle = handle
};
