/* SPDX-License-Identifier: BSD-2-Clause */
/* Crashes while it is loaded. */
#include <bay/plugin.h>

#include <signal.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	raise(SIGSEGV);
}

BAY_PLUGIN(crashes, "1", .handle = handle);
