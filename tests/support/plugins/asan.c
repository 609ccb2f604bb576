/* SPDX-License-Identifier: BSD-2-Clause */
/* Uses the runtime of a sanitizer, as if it had been built with it. */
#include <bay/plugin.h>

void __asan_init(void);

static int
handle(struct bay_request *request)
{
	(void)request;
	__asan_init();
	return BAY_OK;
}

BAY_PLUGIN(asan, "1", .handle = handle);
