/* SPDX-License-Identifier: BSD-2-Clause */
/* Crashes while it is unloaded. */
#include <bay/plugin.h>

#include <signal.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((destructor)) static void
destruct(void)
{
	raise(SIGSEGV);
}

BAY_PLUGIN(crashes_late, "1", .handle = handle);
