/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the process while it is loaded, as if all were well. */
#include <bay/plugin.h>

#include <unistd.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	_exit(0);
}

BAY_PLUGIN(exits, "1", .handle = handle);
