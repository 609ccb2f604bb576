/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaves a process behind that holds every descriptor of the one that loaded it. */
#include <bay/plugin.h>

#include <unistd.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	if (fork() == 0)
		for (;;)
			pause();
}

BAY_PLUGIN(forks, "1", .handle = handle);
