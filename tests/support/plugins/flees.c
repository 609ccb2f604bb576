/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaves a process behind, out of the process group and with a parent that has ended. */
#include <bay/plugin.h>

#include <sys/prctl.h>
#include <unistd.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

static void
flee(void)
{
	prctl(PR_SET_NAME, "bay-test-flees");
	setsid();
	if (fork() == 0)
		for (;;)
			pause();
	_exit(0);
}

__attribute__((constructor)) static void
construct(void)
{
	if (fork() == 0)
		flee();
}

BAY_PLUGIN(flees, "1", .handle = handle);
