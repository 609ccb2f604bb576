/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One of each kind of fault, when it is told to, in a task with the name "planted":
 *
 *	null wild overflow abort assert double-free exit spin
 *
 * "stuck N" spins after N awaits. "cross SERVICE OWN OTHER" makes the file OWN, waits for the file
 * OTHER, and calls the service. "leak" forgets a watch of a file, "thread" a thread. "grow N" takes
 * N pieces of 64 KiB and forgets them, "fds N" opens N descriptors and forgets them: the answer says
 * how many it got; "sockets N" opens N of Bay's. "cache N" takes N pieces of 60 KiB and frees the oldest
 * when there is no more. "flood SERVICE N" sends that service N messages and says how many were taken.
 * "linger MS" is a handler that takes so long. "subscribe" lets messages come and never takes them,
 * "publish N" publishes N. Anything else is answered at once.
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
fault_grow(struct bay_request *request, long count)
{
	long got = 0;

	while (got < count && bay_alloc(64 * 1024) != NULL)
		got++;
	return bay_reply_printf(request, "%ld", got);
}

static int
fault_cache(struct bay_request *request, long count)
{
	static void *pieces[64];
	static unsigned oldest, next;
	long freed = 0;

	for (long i = 0; i < count; i++) {
		while ((pieces[next % 64] = bay_alloc(60 * 1024)) == NULL) {
			if (oldest == next)
				return BAY_NO_MEMORY;
			bay_free(pieces[oldest++ % 64]);
			freed++;
		}
		next++;
	}
	return bay_reply_printf(request, "%ld", freed);
}

static int
fault_fds(struct bay_request *request, long count)
{
	long got = 0;

	while (got < count && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		got++;
	return bay_reply_printf(request, "%ld", got);
}

static int
fault_sockets(struct bay_request *request, long count)
{
	struct bay_datagram *socket;
	struct bay_address any;
	long got = 0;

	if (bay_address_parse("127.0.0.1:0", &any) != BAY_OK)
		return BAY_FAILED;
	while (got < count && bay_datagram_open(&any, NULL, &socket) == BAY_OK)
		got++;
	return bay_reply_printf(request, "%ld", got);
}

static int
fault_flood(struct bay_request *request, const char *text)
{
	struct bay_message *message = bay_message_printf("linger 20");
	char service[64];
	long count, taken = 0;

	if (sscanf(text, "%63s %ld", service, &count) != 2)
		return bay_fail(request, BAY_INVALID, "flood SERVICE N");
	for (long i = 0; i < count; i++)
		taken += bay_send(bay_service(service), message, BAY_INHERIT) == BAY_OK;
	bay_message_free(message);
	return bay_reply_printf(request, "%ld", taken);
}

static int
fault_subscribe(struct bay_request *request)
{
	const struct bay_subscription_options options = {.length = sizeof options, .messages = 4};
	struct bay_subscription *subscription;
	int status = bay_subscribe("faults.>", &options, &subscription);

	return status == BAY_OK ? bay_reply_text(request, "subscribed") : status;
}

static int
fault_publish(struct bay_request *request, long count)
{
	int status = BAY_OK;

	for (long i = 0; i < count && status == BAY_OK; i++)
		status = bay_publish("faults.one", NULL, BAY_INHERIT);
	return status == BAY_OK ? bay_reply_text(request, "published") : status;
}

static int
fault_linger(struct bay_request *request, long ms)
{
	(void)bay_sleep(ms * BAY_MS);
	return bay_reply_text(request, "lingered");
}

/* Those with a number. */
static const struct order {
	const char *name;
	int (*fn)(struct bay_request *request, long number);
} orders[] = {
	{"grow ", fault_grow},
	{"cache ", fault_cache},
	{"fds ", fault_fds},
	{"sockets ", fault_sockets},
	{"publish ", fault_publish},
	{"linger ", fault_linger},
};

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
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		size_t size = strlen(orders[i].name);

		if (strncmp(text, orders[i].name, size) == 0)
			return orders[i].fn(request, atol(text + size));
	}
	if (strncmp(text, "flood ", 6) == 0)
		return fault_flood(request, text + 6);
	if (strcmp(text, "subscribe") == 0)
		return fault_subscribe(request);
	if (strcmp(text, "leak") == 0)
		return fault_leak(request);
	if (strcmp(text, "thread") == 0)
		return fault_thread(request);
	return bay_reply_text(request, "here");
}

BAY_PLUGIN(faults, "1", .summary = "plants a fault", .handle = handle);
