/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/channel.h> */
#include "toolbox.h"

/* Items, which a channel takes as plain pointers. */
static char one[] = "one", two[] = "two", three[] = "three", early[] = "early", late[] = "late";

/* Puts or gets one item, and remembers how it went. */
struct hand {
	struct bay_channel *channel;
	int status;
	void *item;
};

static int
put_one(void *arg)
{
	struct hand *hand = arg;

	hand->status = bay_channel_put(hand->channel, hand->item, BAY_INHERIT);
	return BAY_OK;
}

static int
get_one(void *arg)
{
	struct hand *hand = arg;

	hand->status = bay_channel_get(hand->channel, &hand->item, BAY_INHERIT);
	return BAY_OK;
}

static const char *
word(const void *item)
{
	return item != NULL ? item : "nothing";
}

static void
see_get(struct seen *seen, struct bay_channel *channel)
{
	void *item = NULL;
	int status = bay_channel_try_get(channel, &item);

	saw(seen, "%s", status == BAY_OK ? word(item) : bay_status_name(status));
}

static void
see_rendezvous(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct hand getter = {channel, BAY_BUSY, NULL}, putter = {channel, BAY_BUSY, two};
	struct bay_task *gets, *puts;
	void *item = NULL;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_channel_try_put(channel, late)));
	see_get(seen, channel);
	gets = bay_spawn("gets", get_one, &getter);
	saw(seen, "put %s", bay_status_name(bay_channel_put(channel, one, BAY_INHERIT)));
	bay_join(gets, BAY_INHERIT);
	saw(seen, "%s %s", bay_status_name(getter.status), word(getter.item));
	puts = bay_spawn("puts", put_one, &putter);
	saw(seen, "get %s", bay_status_name(bay_channel_get(channel, &item, BAY_INHERIT)));
	saw(seen, "%s", word(item));
	bay_join(puts, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(putter.status));
	bay_channel_destroy(channel);
}

static void
see_bound(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = bay_channel_create(2);
	struct hand putter = {channel, BAY_BUSY, three};
	struct bay_task *puts;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_channel_put(channel, one, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_channel_try_put(channel, two)));
	saw(seen, "%s", bay_status_name(bay_channel_try_put(channel, late)));
	saw(seen, "%zu", bay_channel_size(channel));
	puts = bay_spawn("puts", put_one, &putter);
	bay_yield();
	saw(seen, "%s", bay_task_done(puts) ? "put" : "waits");
	see_get(seen, channel);
	bay_join(puts, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(putter.status));
	see_get(seen, channel);
	see_get(seen, channel);
	see_get(seen, channel);
	bay_channel_destroy(channel);
}

static void
see_close(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *full = bay_channel_create(1), *empty = bay_channel_create(1);
	struct hand putter = {full, BAY_BUSY, late}, getter = {empty, BAY_BUSY, NULL};
	struct bay_task *tasks[2];
	void *item;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_channel_try_put(full, early)));
	tasks[0] = bay_spawn("puts", put_one, &putter);
	tasks[1] = bay_spawn("gets", get_one, &getter);
	bay_yield();
	bay_channel_close(full);
	bay_channel_close(empty);
	bay_gather(tasks, 2, BAY_INHERIT);
	saw(seen, "putter %s", bay_status_name(putter.status));
	saw(seen, "getter %s", bay_status_name(getter.status));
	saw(seen, "%s", bay_status_name(bay_channel_try_put(full, late)));
	see_get(seen, full);
	see_get(seen, full);
	saw(seen, "%s", bay_status_name(bay_channel_get(full, &item, BAY_INHERIT)));
	bay_channel_destroy(full);
	bay_channel_destroy(empty);
}

static void
see_timeout(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = bay_channel_create(1);
	void *item;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_channel_get(channel, &item, bay_after(10 * BAY_MS))));
	saw(seen, "%s", bay_status_name(bay_channel_put(channel, one, bay_after(10 * BAY_MS))));
	saw(seen, "%s", bay_status_name(bay_channel_put(channel, two, bay_after(10 * BAY_MS))));
	saw(seen, "%zu", bay_channel_size(channel));
	bay_channel_destroy(channel);
}

/* An item that was handed over is had, cancelled or not. */
static void
see_cancel(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct hand hands[2] = {{channel, BAY_BUSY, NULL}, {channel, BAY_BUSY, NULL}};
	struct bay_task *tasks[] = {
		bay_spawn("gets", get_one, &hands[0]),
		bay_spawn("gets", get_one, &hands[1])
	};

	(void)request;
	(void)argument;
	bay_yield();
	saw(seen, "%s", bay_status_name(bay_channel_try_put(channel, one)));
	bay_task_cancel(tasks[0], "with an item");
	bay_task_cancel(tasks[1], "without one");
	bay_gather(tasks, 2, BAY_INHERIT);
	saw(seen, "%s %s", bay_status_name(hands[0].status), word(hands[0].item));
	saw(seen, "%s %s", bay_status_name(hands[1].status), word(hands[1].item));
	bay_channel_destroy(channel);
}

static void
see_destroy(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct hand getter = {channel, BAY_BUSY, NULL};
	struct bay_task *gets = bay_spawn("gets", get_one, &getter);

	(void)request;
	(void)argument;
	bay_yield();
	bay_channel_destroy(channel);
	bay_channel_destroy(NULL);
	bay_join(gets, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(getter.status));
}

/* --- the gate of the instance ------------------------------------------------------------ */

static int
wait_at_gate(struct bay_request *request, const char *argument)
{
	const struct toolbox_state *state = bay_state(request);
	void *nothing;
	int status = bay_channel_get(state->gate, &nothing, BAY_INHERIT);

	(void)argument;
	if (status == BAY_CLOSED)
		return bay_reply_text(request, "went through");
	toolbox_note(bay_request_instance(request), "gate %s: %s", bay_status_name(status),
		bay_cancel_reason() != NULL ? bay_cancel_reason() : "not cancelled");
	return bay_fail(request, status, "the gate stayed shut");
}

static void
open_gate(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct toolbox_state *state = bay_state(request);

	(void)argument;
	bay_channel_destroy(state->gate);
	state->gate = bay_channel_create(0);
	saw(seen, "open");
}

const struct operation channel_operations[] = {
	{"channel-rendezvous", see_rendezvous, NULL},
	{"channel-bound", see_bound, NULL},
	{"channel-close", see_close, NULL},
	{"channel-timeout", see_timeout, NULL},
	{"channel-cancel", see_cancel, NULL},
	{"channel-destroy", see_destroy, NULL},
	{"wait", NULL, wait_at_gate},
	{"open-gate", open_gate, NULL},
	{NULL, NULL, NULL}
};
