/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled with the headers of another major. Its constructor must never run. */
#include <bay/plugin.h>

#include <stdlib.h>

#undef BAY_ABI_MAJOR
#define BAY_ABI_MAJOR 7

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	abort();
}

BAY_PLUGIN(abi_major, "1", .handle = handle);
