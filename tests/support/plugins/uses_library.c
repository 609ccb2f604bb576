/* SPDX-License-Identifier: BSD-2-Clause */
/* Its handler returns 1 when its library uses its own function, 2 when it uses ours. */
#include <bay/plugin.h>

BAY_API int bay_test_inline(void);
int bay_test_whose(void);

int
bay_test_inline(void)
{
	return 2;
}

static int
handle(struct bay_request *request)
{
	(void)request;
	return bay_test_whose();
}

BAY_PLUGIN(uses_library, "1", .handle = handle);
