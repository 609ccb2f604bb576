/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/blocking.h> */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "toolbox.h"

static atomic_int freed;

static void
count_freed(void *arg)
{
	free(arg);
	atomic_fetch_add(&freed, 1);
}

static int
add_one(void *arg)
{
	*(int *)arg += 1;
	return 7;
}

static int
try_to_wait(void *arg)
{
	*(int *)arg = bay_sleep(BAY_MS);
	return BAY_OK;
}

static void
see_blocking(struct bay_request *request, const char *argument, struct seen *seen)
{
	int number = 41, result = 0, before = atomic_load(&freed);
	int status = bay_blocking("add", add_one, &number, NULL, &result, BAY_INHERIT);

	(void)request;
	(void)argument;
	saw(seen, "%s %d %d", bay_status_name(status), result, number);
	saw(seen, "%s", bay_status_name(bay_blocking("late", add_one, malloc(sizeof(int)), count_freed, NULL,
		bay_now() - 1)));
	saw(seen, atomic_load(&freed) == before + 1 ? "freed" : "kept");
	if (bay_blocking("wait", try_to_wait, &result, NULL, NULL, BAY_INHERIT) == BAY_OK)
		saw(seen, result == BAY_INVALID ? "refused" : "allowed");
}

/* Comes back when somebody opens the other end. */
static int
open_to_read(void *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return BAY_IO;
	close(fd);
	return BAY_OK;
}

static void
see_open(struct bay_request *request, const char *argument, struct seen *seen)
{
	char *path = NULL;
	int result = BAY_FAILED;
	int status;

	(void)request;
	if (asprintf(&path, "%s", argument) < 0)
		return;
	status = bay_blocking("open", open_to_read, path, free, &result, BAY_INHERIT);
	saw(seen, "%s %s", bay_status_name(status), result == BAY_OK ? "opened" : "not opened");
	if (status == BAY_OK)
		free(path);
}

static int
crash(void *arg)
{
	*(volatile int *)arg = 1;
	return BAY_OK;
}

static void
see_crash(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_blocking("crasher", crash, NULL, NULL, NULL, BAY_INHERIT)));
}

const struct operation blocking_operations[] = {
	{"blocking", see_blocking, NULL},
	{"block-on", see_open, NULL},
	{"block-crash", see_crash, NULL},
	{NULL, NULL, NULL}
};
