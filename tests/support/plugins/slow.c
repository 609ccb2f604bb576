/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes its time to be loaded. */
#include <bay/plugin.h>

#include <time.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	struct timespec span = {.tv_nsec = 300000000};

	nanosleep(&span, NULL);
}

BAY_PLUGIN(slow, "1", .handle = handle);
