/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Producer and consumers: one task puts items into a bounded channel, several take them
 * out. A full channel makes the producer wait, an empty one the consumers, so nothing piles
 * up and nothing is lost. Each request is a run of its own and is answered with its figures.
 *
 *	[service pipeline]
 *	consumers = 3
 *	capacity  = 16
 *
 *	$ bayctl call pipeline               as the settings say
 *	$ bayctl call pipeline '1000 5 2'    1000 items, 5 consumers, room for 2
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

enum {
	ITEMS_MAX = 1000000,
	CONSUMERS_MAX = 64,
	CAPACITY_MAX = 65536
};

struct pipeline {
	int64_t items;
	int64_t consumers;
	int64_t capacity;
	int64_t work_ns;
};

static const struct bay_setting settings[] = {
	BAY_INT64(struct pipeline, items, "items", "1000", 0, ITEMS_MAX, "how many items to produce"),
	BAY_INT64(struct pipeline, consumers, "consumers", "3", 1, CONSUMERS_MAX,
		"how many tasks take them"),
	BAY_INT64(struct pipeline, capacity, "capacity", "16", 0, CAPACITY_MAX,
		"how many may wait between; 0: each is handed over"),
	BAY_DURATION(struct pipeline, work_ns, "work", "0", "how long a consumer works on an item"),
	BAY_END
};

struct run;

struct consumer {
	struct run *run;
	int64_t taken;
};

/* All of one request. Its tasks run on one loop, one at a time, so they share it without
 * locks: others run only while a task awaits. */
struct run {
	struct pipeline want;
	struct bay_channel *channel;
	unsigned char *seen;          /* how often each item was taken */
	size_t most_waiting;          /* the fullest that the channel was */
	struct consumer consumers[CONSUMERS_MAX];
};

/* --- the tasks ---------------------------------------------------------------------- */

/* An item is a pointer into seen: the byte that belongs to it. */
static int
produce(void *arg)
{
	struct run *run = arg;
	int status = BAY_OK;
	size_t waiting;

	for (int64_t i = 0; i < run->want.items && status == BAY_OK; i++) {
		status = bay_channel_put(run->channel, &run->seen[i], BAY_INHERIT);
		waiting = bay_channel_size(run->channel);
		if (waiting > run->most_waiting)
			run->most_waiting = waiting;
	}
	/* Consumers take what is left and then see BAY_CLOSED. */
	bay_channel_close(run->channel);
	return status;
}

static int
consume(void *arg)
{
	struct consumer *consumer = arg;
	struct run *run = consumer->run;
	void *item;
	int status;

	while ((status = bay_channel_get(run->channel, &item, BAY_INHERIT)) == BAY_OK) {
		++*(unsigned char *)item;
		consumer->taken++;
		/* Without work to wait for, let the others have their turn all the same. */
		status = run->want.work_ns > 0 ? bay_sleep(run->want.work_ns) : bay_yield();
		if (status != BAY_OK)
			return status;
	}
	return status == BAY_CLOSED ? BAY_OK : status;
}

/* --- one run ------------------------------------------------------------------------ */

/* Starts all tasks in a scope and waits for it: then none of them is left, however it went.
 * The first that fails cancels the others. */
static int
run_tasks(struct run *run)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int status;

	if (scope == NULL)
		return BAY_NO_MEMORY;
	status = bay_scope_go(scope, "producer", produce, run);
	for (int64_t i = 0; i < run->want.consumers && status == BAY_OK; i++) {
		run->consumers[i].run = run;
		status = bay_scope_go(scope, "consumer", consume, &run->consumers[i]);
	}
	if (status != BAY_OK) {
		bay_scope_cancel(scope, "not all tasks could be started");
		(void)bay_scope_close(scope);
		return status;
	}
	return bay_scope_close(scope);
}

static int
run_reply(struct bay_request *request, const struct run *run)
{
	char text[CONSUMERS_MAX * 40] = "";
	int64_t taken = 0, lost = 0, twice = 0;
	size_t length = 0;

	for (int64_t i = 0; i < run->want.items; i++) {
		lost += run->seen[i] == 0;
		twice += run->seen[i] > 1;
	}
	for (int64_t i = 0; i < run->want.consumers; i++) {
		taken += run->consumers[i].taken;
		length += (size_t)snprintf(text + length, sizeof text - length,
			"consumer %" PRId64 " took %" PRId64 "\n", i + 1, run->consumers[i].taken);
	}
	return bay_reply_printf(request,
		"%s%" PRId64 " produced, %" PRId64 " taken, %" PRId64 " lost, %" PRId64 " twice; "
		"at most %zu of %" PRId64 " waiting\n",
		text, run->want.items, taken, lost, twice, run->most_waiting, run->want.capacity);
}

static int
run_and_reply(struct bay_request *request, struct run *run)
{
	int status = run_tasks(run);

	if (status != BAY_OK)
		return bay_fail(request, status, "the run ended early: %s", bay_status_name(status));
	return run_reply(request, run);
}

/* --- the request -------------------------------------------------------------------- */

/* Reads up to three integers: items, consumers, capacity. What is not given stays. */
static bool
want_from_text(struct pipeline *want, const char *text)
{
	int64_t *const numbers[] = {&want->items, &want->consumers, &want->capacity};
	char *end;

	for (size_t i = 0; i < 3; i++) {
		long long number = strtoll(text, &end, 10);

		if (end == text)
			break;
		*numbers[i] = number;
		text = end;
	}
	return text[strspn(text, " \n")] == '\0' &&
		want->items >= 0 && want->items <= ITEMS_MAX &&
		want->consumers >= 1 && want->consumers <= CONSUMERS_MAX &&
		want->capacity >= 0 && want->capacity <= CAPACITY_MAX;
}

static int
pipeline(struct bay_request *request)
{
	const struct pipeline *set = bay_settings(request);
	struct run *run = bay_alloc(sizeof *run);
	int status;

	if (run == NULL)
		return bay_fail(request, BAY_NO_MEMORY, "no memory for a run");
	run->want = *set;
	if (!want_from_text(&run->want, bay_request_text(request))) {
		bay_free(run);
		return bay_fail(request, BAY_INVALID, "pipeline wants: ITEMS (up to %d) CONSUMERS (1 to %d) "
			"CAPACITY (up to %d)", ITEMS_MAX, CONSUMERS_MAX, CAPACITY_MAX);
	}
	run->seen = bay_alloc((size_t)run->want.items + 1);
	run->channel = bay_channel_create((size_t)run->want.capacity);
	if (run->seen != NULL && run->channel != NULL)
		status = run_and_reply(request, run);
	else
		status = bay_fail(request, BAY_NO_MEMORY, "no memory for %" PRId64 " items", run->want.items);
	bay_channel_destroy(run->channel);
	bay_free(run->seen);
	bay_free(run);
	return status;
}

BAY_PLUGIN(pipeline, "1.0.0",
	.summary = "a producer and consumers over a bounded channel",
	.settings = settings,
	.handle = pipeline);
