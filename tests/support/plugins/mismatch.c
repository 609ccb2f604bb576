/* SPDX-License-Identifier: BSD-2-Clause */
/* Its note and its descriptor disagree, in a way that the makefile chooses. */
#include <bay/plugin.h>

#ifndef MISMATCH
#define MISMATCH .name = "somebody_else"
#endif

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

static __attribute__((unused)) int
run(struct bay_instance *instance)
{
	(void)instance;
	return BAY_OK;
}

BAY_PLUGIN(mismatch, "1", .handle = handle, MISMATCH);
