/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends the process a little after it was loaded and unloaded: the next one pays. */
#include <bay/plugin.h>

#include <sys/time.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	struct itimerval soon = {.it_value.tv_usec = 100000};

	setitimer(ITIMER_REAL, &soon, NULL);
}

BAY_PLUGIN(late, "1", .handle = handle);
