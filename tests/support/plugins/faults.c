/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One of each kind of fault, when it is told to, in a task with the name "planted":
 *
 *	null wild overflow abort assert double-free exit spin
 *
 * "stuck N" spins after N awaits. "cross SERVICE OWN OTHER" makes the file OWN, waits for the file
 * OTHER, and calls the service. "leak" forgets a watch of a file, "thread" a thread. Anything else
 * is answered at once.
 */
#include <bay/bay.h>
#include <bay/plugin.h>

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned spins;

static void
fault_null(void)
{
	*(volatile int *)(uintptr_t)8 = 1;
}

static void
fault_wild(void)
{
	*(volatile int *)(uintptr_t)0x5a5a5a5a5000 = 1;
}

static int
deeper(volatile char *above)
{
	volatile char room[1024];

	room[0] = *above;
	return deeper(room) + room[0];
}

static void
fault_overflow(void)
{
	volatile char begin = 1;

	(void)deeper(&begin);
}

static void
fault_assert(void)
{
	assert(spins > 1000000000);
}

static void
fault_double_free(void)
{
	void *volatile block = malloc(100);
	void *volatile same = block;

	free(block);
	free(same);
}

static void
fault_exit(void)
{
	exit(7);
}

static void
fault_spin(void)
{
	for (;;)
		spins++;
}

static const struct fault {
	const char *name;
	void (*fn)(void);
} faults[] = {
	{"null", fault_null},
	{"wild", fault_wild},
	{"overflow", fault_overflow},
	{"abort", abort},
	{"assert", fault_assert},
	{"double-free", fault_double_free},
	{"exit", fault_exit},
	{"spin", fault_spin},
};

static int
planted(void *arg)
{
	const struct fault *fault = arg;

	fault->fn();
	return BAY_OK;
}

static int
planted_stuck(void *arg)
{
	for (long i = 0; i < (long)(intptr_t)arg; i++)
		(void)bay_sleep(BAY_MS);
	fault_spin();
	return BAY_OK;
}

static int
fault_cross(struct bay_request *request, const char *text)
{
	char service[64], own[512], other[512];
	int fd;

	if (sscanf(text, "%63s %511s %511s", service, own, other) != 3)
		return bay_fail(request, BAY_INVALID, "cross SERVICE OWN OTHER");
	fd = open(own, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	while (access(other, F_OK) != 0)
		(void)bay_sleep(BAY_MS);
	return bay_call(bay_service(service), NULL, NULL, BAY_INHERIT);
}

static int
fault_leak(struct bay_request *request)
{
	struct bay_watch *watch;
	int status = bay_watch_open("/", BAY_WATCH_CREATED, &watch);

	return status == BAY_OK ? bay_reply_text(request, "forgotten") : status;
}

static void *
stay(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int
fault_thread(struct bay_request *request)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL) != 0)
		return BAY_FAILED;
	return bay_reply_text(request, "left");
}

static int
handle(struct bay_request *request)
{
	const char *text = bay_request_text(request);

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		size_t size = strlen(faults[i].name);

		/* What follows is not looked at. */
		if (strncmp(text, faults[i].name, size) == 0 && (text[size] == '\0' || text[size] == ' '))
			return bay_join(bay_spawn("planted", planted, (void *)(uintptr_t)&faults[i]), BAY_INHERIT);
	}
	if (strncmp(text, "stuck ", 6) == 0)
		return bay_join(bay_spawn("planted", planted_stuck, (void *)(intptr_t)atol(text + 6)), BAY_INHERIT);
	if (strncmp(text, "cross ", 6) == 0)
		return fault_cross(request, text + 6);
	if (strcmp(text, "leak") == 0)
		return fault_leak(request);
	if (strcmp(text, "thread") == 0)
		return fault_thread(request);
	return bay_reply_text(request, "here");
}

BAY_PLUGIN(faults, "1", .summary = "plants a fault", .handle = handle);
