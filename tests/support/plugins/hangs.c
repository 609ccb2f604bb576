/* SPDX-License-Identifier: BSD-2-Clause */
/* Never comes back from being loaded. */
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
	for (;;)
		pause();
}

BAY_PLUGIN(hangs, "1", .handle = handle);
