/* SPDX-License-Identifier: BSD-2-Clause */
/* Needs a library that is installed nowhere. */
#include <bay/plugin.h>

int bay_test_missing(void);

static int
handle(struct bay_request *request)
{
	(void)request;
	return bay_test_missing();
}

BAY_PLUGIN(needs_library, "1", .handle = handle);
