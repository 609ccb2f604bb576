/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/channel.h> with options: order, bounds in bytes, done and join, close now. */
#include "toolbox.h"

static char one[] = "one", two[] = "two", three[] = "three";

static struct bay_channel *
channel_of(size_t capacity, size_t capacity_bytes, enum bay_channel_order order,
	bay_channel_discard_fn *discard)
{
	struct bay_channel_options options = {
		.length = sizeof options,
		.capacity = capacity,
		.capacity_bytes = capacity_bytes,
		.name = "queue",
		.discard = discard,
		.order = order,
	};

	return bay_channel_create_with(&options);
}

static void
see_items(struct seen *seen, struct bay_channel *channel)
{
	void *item;

	while (bay_channel_try_get(channel, &item) == BAY_OK)
		saw(seen, "%s", (const char *)item);
}

static void
see_order(struct bay_request *request, const char *argument, struct seen *seen)
{
	static const enum bay_channel_order orders[] = {BAY_FIFO, BAY_LIFO, BAY_PRIORITY};

	(void)request;
	(void)argument;
	for (int i = 0; i < 3; i++) {
		struct bay_channel *channel = channel_of(8, 0, orders[i], NULL);

		saw(seen, "%s:", bay_channel_name(channel));
		bay_channel_put_with(channel, one, 2, 0, BAY_INHERIT);
		bay_channel_put_with(channel, two, 1, 0, BAY_INHERIT);
		bay_channel_put_with(channel, three, 2, 0, BAY_INHERIT);
		see_items(seen, channel);
		bay_channel_destroy(channel);
	}
}

static void
see_bytes(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = channel_of(SIZE_MAX, 10, BAY_FIFO, NULL);

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_channel_try_put_with(channel, one, 0, 11)));
	saw(seen, "%s", bay_channel_empty(channel) ? "empty" : "not-empty");
	saw(seen, "%s", bay_status_name(bay_channel_try_put_with(channel, one, 0, 10)));
	saw(seen, "%zu %s", bay_channel_bytes(channel), bay_channel_full(channel) ? "full" : "not-full");
	saw(seen, "%s", bay_status_name(bay_channel_put_with(channel, two, 0, 1, bay_after(10 * BAY_MS))));
	see_items(seen, channel);
	bay_channel_destroy(channel);
}

static int
be_done(void *arg)
{
	struct bay_channel *channel = arg;
	void *item;
	int status;

	while ((status = bay_channel_get(channel, &item, BAY_INHERIT)) == BAY_OK)
		bay_channel_done(channel);
	return status;
}

static void
see_join(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = channel_of(8, 0, BAY_FIFO, NULL);
	struct bay_task *worker;

	(void)request;
	(void)argument;
	bay_channel_put(channel, one, BAY_INHERIT);
	bay_channel_put(channel, two, BAY_INHERIT);
	saw(seen, "%zu", bay_channel_unfinished(channel));
	saw(seen, "%s", bay_status_name(bay_channel_join(channel, bay_after(10 * BAY_MS))));
	worker = bay_spawn("worker", be_done, channel);
	saw(seen, "%s", bay_status_name(bay_channel_join(channel, BAY_INHERIT)));
	saw(seen, "%zu", bay_channel_unfinished(channel));
	bay_channel_close(channel);
	saw(seen, "%s", bay_status_name(bay_join(worker, BAY_INHERIT)));
	bay_channel_destroy(channel);
}

static int discards;

static void
count_discard(void *item)
{
	(void)item;
	discards++;
}

static void
see_close_now(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = channel_of(8, 0, BAY_FIFO, count_discard);

	(void)request;
	(void)argument;
	discards = 0;
	bay_channel_put(channel, one, BAY_INHERIT);
	bay_channel_put(channel, two, BAY_INHERIT);
	saw(seen, "%s", bay_channel_closed(channel) ? "closed" : "open");
	saw(seen, "%zu", bay_channel_close_now(channel));
	saw(seen, "%d %s", discards, bay_channel_closed(channel) ? "closed" : "open");
	saw(seen, "%s", bay_status_name(bay_channel_join(channel, BAY_INHERIT)));
	bay_channel_destroy(channel);
}

const struct operation queue_operations[] = {
	{"queue-order", see_order, NULL},
	{"queue-bytes", see_bytes, NULL},
	{"queue-join", see_join, NULL},
	{"queue-close-now", see_close_now, NULL},
	{NULL, NULL, NULL}
};
