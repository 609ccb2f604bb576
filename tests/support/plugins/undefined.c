/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls a function that no container has. */
#include <bay/plugin.h>

int bay_no_such_function(void);

static int
handle(struct bay_request *request)
{
	(void)request;
	return bay_no_such_function();
}

BAY_PLUGIN(undefined, "1", .handle = handle);
