/* SPDX-License-Identifier: BSD-2-Clause */
/* Holds itself in the process, for a reason that its file does not show. */
#define _GNU_SOURCE

#include <bay/plugin.h>
#include <dlfcn.h>

static __attribute__((constructor)) void
cling(void)
{
	Dl_info info;

	if (dladdr((void *)cling, &info) != 0)
		(void)!dlopen(info.dli_fname, RTLD_NOW);
}

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(clings, "1", .handle = handle);
