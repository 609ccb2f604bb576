/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that uses up what it is told to, for the tests of accounts and limits:
 *
 *	echo TEXT    replies TEXT
 *	burn NS      keeps its loop for so much time of a processor
 *	spin         keeps it for ever
 *	deep N       uses N bytes of its stack
 *	hold N       allocates N bytes and keeps them, or fails
 *	wait         waits until let-go
 *	spawn N      starts N tasks that wait until let-go, or fails
 *	sleep NS     awaits
 *	blocks NS    keeps a helper thread likewise
 *
 * Its verb let-go frees what it keeps and wakes who waits, whatever its bounds are.
 */
#include <bay/bay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOADS_MAX = 64 };

/* One instance has all. */
static void *kept[LOADS_MAX];
static unsigned kept_count;
static int64_t blocks_ns;
static struct bay_event *let_go;

/* Of the thread, which others may keep from the processor. */
static int64_t
cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * BAY_SECOND + time.tv_nsec;
}

static void
burn(int64_t span_ns)
{
	int64_t until = cpu_ns() + span_ns;

	while (cpu_ns() < until)
		continue;
}

static int
blocks(void *arg)
{
	(void)arg;
	burn(blocks_ns);
	return BAY_OK;
}

static int __attribute__((noinline))
deep(size_t bytes)
{
	volatile char *frame = __builtin_alloca(bytes);

	frame[0] = 1;
	return frame[0];
}

static int
hold(struct bay_request *request, size_t bytes)
{
	void *memory = kept_count < LOADS_MAX ? bay_alloc(bytes) : NULL;

	if (memory == NULL)
		return bay_fail(request, BAY_NO_MEMORY, "no memory");
	kept[kept_count++] = memory;
	return bay_reply_text(request, "held");
}

static int
waits(void *arg)
{
	return bay_event_wait(arg, BAY_INHERIT);
}

static int
spawn(struct bay_request *request, int count)
{
	struct bay_scope *scope = bay_instance_scope(bay_request_instance(request));
	int status;

	while (count-- > 0) {
		status = bay_scope_go(scope, "waits", waits, let_go);
		if (status != BAY_OK)
			return bay_fail(request, status, "no task");
	}
	return bay_reply_text(request, "spawned");
}

static int
loads(struct bay_request *request)
{
	const char *order = bay_request_text(request);
	const char *rest = strchr(order, ' ');
	int64_t n = rest != NULL ? strtoll(rest, NULL, 10) : 0;

	if (strncmp(order, "echo ", 5) == 0)
		return bay_reply_text(request, rest + 1);
	if (strncmp(order, "hold ", 5) == 0)
		return hold(request, (size_t)n);
	if (strncmp(order, "spawn ", 6) == 0)
		return spawn(request, (int)n);
	if (strncmp(order, "deep ", 5) == 0)
		deep((size_t)n);
	else if (strncmp(order, "burn ", 5) == 0)
		burn(n);
	else if (strcmp(order, "spin") == 0)
		burn(INT64_MAX / 2);
	else if (strncmp(order, "sleep ", 6) == 0)
		(void)!bay_sleep(n);
	else if (strncmp(order, "blocks ", 7) == 0) {
		blocks_ns = n;
		(void)!bay_blocking("blocks", blocks, NULL, NULL, NULL, BAY_INHERIT);
	} else if (strcmp(order, "wait") == 0) {
		(void)!bay_event_wait(let_go, BAY_INHERIT);
	} else {
		return bay_fail(request, BAY_INVALID, "no such order: %s", order);
	}
	return bay_reply_text(request, "done");
}

static int
lets_go(struct bay_request *request)
{
	while (kept_count > 0)
		bay_free(kept[--kept_count]);
	bay_event_set(let_go);
	bay_event_clear(let_go);
	return bay_reply_text(request, "done");
}

static const struct bay_verb verbs[] = {
	BAY_VERB("let-go", BAY_ROLE_OPERATOR, NULL, lets_go, "frees and wakes"),
	BAY_VERBS_END
};

static int
loads_init(struct bay_instance *instance)
{
	let_go = bay_event_create("let-go");
	return let_go != NULL ? BAY_OK : bay_instance_fail(instance, BAY_NO_MEMORY, "no event");
}

static void
loads_fini(struct bay_instance *instance)
{
	(void)instance;
	while (kept_count > 0)
		bay_free(kept[--kept_count]);
	bay_event_destroy(let_go);
}

BAY_PLUGIN(loads, "1.0.0",
	.summary = "uses up what it is told to",
	.verbs = verbs,
	.init = loads_init,
	.handle = loads,
	.fini = loads_fini);
