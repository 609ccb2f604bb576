/* SPDX-License-Identifier: BSD-2-Clause */
/* Could have threads running when it is to be unloaded. */
#include <bay/plugin.h>

#include <pthread.h>
#include <stdlib.h>

static void *
work(void *arg)
{
	return arg;
}

static int
handle(struct bay_request *request)
{
	pthread_t thread;

	(void)request;
	if (pthread_create(&thread, NULL, work, NULL) != 0)
		exit(1);
	return BAY_OK;
}

BAY_PLUGIN(starts_threads, "1", .handle = handle);
