/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that publishes and subscribes, for the tests of topics between cells. Its settings are the
 * patterns (words with spaces between) of its subscriptions, which are read from the start on unless
 * reads = no, each message after a pause, and whether they let publishers wait; and how many subscriptions to many.1.*, many.2.*, ...
 * it has besides, which nobody reads. Its requests are orders:
 *
 *	publish TOPIC TEXT      replies the status: "ok"
 *	within MS TOPIC TEXT    the same with so much time
 *	flood N TOPIC           publishes 1, 2, ..., N; replies how many of them were ok
 *	large BYTES TOPIC       publishes that many bytes, "x"
 *	read                    begins to read
 *	take N                  reads so many of the first subscription itself; replies "taken"
 *	call NAME ORDER         passes the order on, and replies what comes
 *	hang FILE               keeps its loop until there is such a file
 *	crash                   dies of a null pointer
 *
 * Of what has come, by the subscriptions together:
 *
 *	texts                   the first ones, with spaces between
 *	topics                  their topics, likewise
 *	count                   how many
 *	size                    how many are to be read
 *	bytes                   of them together
 *	last                    the number of the last one
 *	order                   "kept", unless a number came after a larger one
 *	lost                    how many were not read in time, as the subscriptions say
 *	forget                  begins anew
 */
#include <bay/bay.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUBSCRIPTIONS = 8 };

struct settings {
	const char *patterns;
	int64_t slow;
	int64_t messages;
	int64_t bytes;
	int64_t many;
	bool reads;
	int64_t pause;
};

static const struct bay_setting settings[] = {
	BAY_STRING(struct settings, patterns, "patterns", "", "what to subscribe to"),
	BAY_CHOICE(struct settings, slow, "slow", "drop", "drop|wait", "when there is no room"),
	BAY_INT64(struct settings, messages, "messages", "0", 0, 1000000, "that wait at most; 0: the usual"),
	BAY_SIZE(struct settings, bytes, "bytes", "0", 0, 1 << 30, "of them; 0: the usual"),
	BAY_INT64(struct settings, many, "many", "0", 0, 4000, "subscriptions that nobody reads"),
	BAY_BOOL(struct settings, reads, "reads", "yes", "whether to read at once"),
	BAY_DURATION(struct settings, pause, "pause", "0s", "before each message"),
	BAY_END
};

struct got {
	struct bay_instance *instance;
	struct bay_subscription *subscriptions[SUBSCRIPTIONS];
	unsigned subscription_count;
	unsigned next;          /* to be read */
	int64_t count;
	int64_t bytes;
	long last;
	bool disorder;
	char texts[256];
	char topics[256];
};

static struct got *
got_of(void)
{
	return bay_instance_state(bay_instance_current());
}

/* --- subscribing -------------------------------------------------------------------------- */

static void
append(char *to, size_t size, const char *text)
{
	size_t used = strlen(to);

	snprintf(to + used, size - used, "%s%.40s", used > 0 ? " " : "", text);
}

static bool
pause_is_over(const struct got *got)
{
	const struct settings *set = bay_instance_settings(got->instance);

	return set->pause == 0 || bay_sleep(set->pause) == BAY_OK;
}

static int
read_one(struct got *got, struct bay_subscription *subscription)
{
	struct bay_message *message;
	const char *topic;
	int status = bay_subscription_next(subscription, &message, &topic, BAY_INHERIT);
	long number;

	if (status != BAY_OK)
		return status;
	number = atol(bay_message_text(message));
	got->disorder |= number < got->last;
	got->last = number;
	got->count++;
	got->bytes += (int64_t)bay_message_size(message);
	append(got->texts, sizeof got->texts, bay_message_text(message));
	append(got->topics, sizeof got->topics, topic);
	bay_message_free(message);
	return BAY_OK;
}

static int
reader(void *arg)
{
	struct got *got = arg;
	struct bay_subscription *subscription = got->subscriptions[got->next++];

	while (pause_is_over(got) && read_one(got, subscription) == BAY_OK)
		;
	return BAY_OK;
}

static int
begin_to_read(struct got *got)
{
	int status = BAY_OK;

	for (unsigned i = 0; i < got->subscription_count && status == BAY_OK; i++)
		status = bay_scope_go(bay_instance_scope(got->instance), "reader", reader, got);
	return status;
}

static int
subscribe_to_many(int64_t many, const struct bay_subscription_options *options)
{
	int status = BAY_OK;

	for (int64_t i = 0; i < many && status == BAY_OK; i++) {
		struct bay_subscription *subscription;
		char pattern[64];

		snprintf(pattern, sizeof pattern, "many.%ld.*", (long)i);
		status = bay_subscribe(pattern, options, &subscription);
	}
	return status;
}

static int
topics_init(struct bay_instance *instance)
{
	const struct settings *set = bay_instance_settings(instance);
	struct bay_subscription_options options = {.length = sizeof options, .messages = (size_t)set->messages,
		.bytes = (size_t)set->bytes, .slow = set->slow == 0 ? BAY_SLOW_DROP_OLDEST : BAY_SLOW_WAIT};
	struct got *got = calloc(1, sizeof *got);
	char patterns[256], *rest = patterns, *pattern;

	if (got == NULL)
		return BAY_NO_MEMORY;
	got->instance = instance;
	bay_instance_set_state(instance, got);
	snprintf(patterns, sizeof patterns, "%s", set->patterns);
	while ((pattern = strtok_r(rest, " ", &rest)) != NULL && got->subscription_count < SUBSCRIPTIONS) {
		int status = bay_subscribe(pattern, &options, &got->subscriptions[got->subscription_count]);

		if (status != BAY_OK)
			return status;
		got->subscription_count++;
	}
	if (subscribe_to_many(set->many, &options) != BAY_OK)
		return BAY_FAILED;
	return set->reads ? begin_to_read(got) : BAY_OK;
}

static void
topics_fini(struct bay_instance *instance)
{
	free(bay_instance_state(instance));
}

/* --- publishing --------------------------------------------------------------------------- */

static int
publish(const char *topic, const char *text, size_t size, int64_t deadline)
{
	struct bay_message *message = bay_message(text, size);
	int status = bay_publish(topic, message, deadline);

	bay_message_free(message);
	return status;
}

static const char *
word(int status)
{
	return status == BAY_OK ? "ok" : status == BAY_TIMEOUT ? "timeout" : status == BAY_TOO_BIG ? "too-big" : "else";
}

static int
do_publish(struct bay_request *request, const char *order)
{
	char topic[64], text[64] = "";

	sscanf(order, "%63s %63s", topic, text);
	return bay_reply_text(request, word(publish(topic, text, strlen(text), BAY_INHERIT)));
}

static int
do_within(struct bay_request *request, const char *order)
{
	char topic[64], text[64] = "";
	long ms = 0;

	sscanf(order, "%ld %63s %63s", &ms, topic, text);
	return bay_reply_text(request, word(publish(topic, text, strlen(text), bay_after(ms * BAY_MS))));
}

static int
do_flood(struct bay_request *request, const char *order)
{
	char topic[64];
	long i, count = 0, ok = 0;

	sscanf(order, "%ld %63s", &count, topic);
	for (i = 1; i <= count; i++) {
		char text[32];

		snprintf(text, sizeof text, "%ld", i);
		ok += publish(topic, text, strlen(text), BAY_INHERIT) == BAY_OK;
	}
	return bay_reply_int64(request, ok);
}

static int
do_large(struct bay_request *request, const char *order)
{
	char topic[64];
	long size = 0;
	char *text;
	int status;

	sscanf(order, "%ld %63s", &size, topic);
	text = malloc((size_t)size + 1);
	if (text == NULL)
		return BAY_NO_MEMORY;
	memset(text, 'x', (size_t)size);
	status = publish(topic, text, (size_t)size, BAY_INHERIT);
	free(text);
	return bay_reply_text(request, word(status));
}

/* --- what has come -------------------------------------------------------------------------- */

static int
do_read(struct bay_request *request, const char *order)
{
	int status = begin_to_read(got_of());

	(void)order;
	return status == BAY_OK ? bay_reply_text(request, "reads") : status;
}

static int
do_take(struct bay_request *request, const char *count)
{
	int status = BAY_OK;

	for (long left = atol(count); left > 0 && status == BAY_OK; left--)
		status = read_one(got_of(), got_of()->subscriptions[0]);
	return status == BAY_OK ? bay_reply_text(request, "taken") : status;
}

static int
do_call(struct bay_request *request, const char *text)
{
	size_t size = strcspn(text, " ");
	char name[64];
	struct bay_message *order, *reply;
	int status;

	snprintf(name, sizeof name, "%.*s", (int)size, text);
	order = bay_message_printf("%s", text[size] == ' ' ? text + size + 1 : "");
	status = bay_call(bay_service(name), order, &reply, BAY_INHERIT);
	bay_message_free(order);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static int
do_hang(struct bay_request *request, const char *file)
{
	while (access(file, F_OK) != 0)
		usleep(1000);
	return bay_reply_text(request, "free");
}

static int
do_crash(struct bay_request *request, const char *order)
{
	(void)request;
	(void)order;
	*(volatile int *)(uintptr_t)8 = 1;
	return BAY_OK;
}

static int
do_texts(struct bay_request *request, const char *order)
{
	(void)order;
	return bay_reply_text(request, got_of()->texts);
}

static int
do_topics(struct bay_request *request, const char *order)
{
	(void)order;
	return bay_reply_text(request, got_of()->topics);
}

static int
do_count(struct bay_request *request, const char *order)
{
	(void)order;
	return bay_reply_int64(request, got_of()->count);
}

static int
do_size(struct bay_request *request, const char *order)
{
	const struct got *got = got_of();
	size_t size = 0;

	(void)order;
	for (unsigned i = 0; i < got->subscription_count; i++)
		size += bay_subscription_size(got->subscriptions[i]);
	return bay_reply_int64(request, (int64_t)size);
}

static int
do_bytes(struct bay_request *request, const char *order)
{
	(void)order;
	return bay_reply_int64(request, got_of()->bytes);
}

static int
do_last(struct bay_request *request, const char *order)
{
	(void)order;
	return bay_reply_int64(request, got_of()->last);
}

static int
do_order(struct bay_request *request, const char *order)
{
	(void)order;
	return bay_reply_text(request, got_of()->disorder ? "lost" : "kept");
}

static int
do_lost(struct bay_request *request, const char *order)
{
	const struct got *got = got_of();
	uint64_t lost = 0;

	(void)order;
	for (unsigned i = 0; i < got->subscription_count; i++)
		lost += bay_subscription_dropped(got->subscriptions[i]);
	return bay_reply_int64(request, (int64_t)lost);
}

static int
do_forget(struct bay_request *request, const char *order)
{
	struct got *got = got_of();

	(void)order;
	got->count = got->bytes = 0;
	got->last = 0;
	got->disorder = false;
	got->texts[0] = got->topics[0] = '\0';
	return bay_reply_text(request, "forgotten");
}

static const struct order {
	const char *name;
	int (*fn)(struct bay_request *request, const char *rest);
} orders[] = {
	{"publish", do_publish},
	{"within", do_within},
	{"flood", do_flood},
	{"large", do_large},
	{"read", do_read},
	{"take", do_take},
	{"call", do_call},
	{"hang", do_hang},
	{"crash", do_crash},
	{"texts", do_texts},
	{"topics", do_topics},
	{"count", do_count},
	{"size", do_size},
	{"bytes", do_bytes},
	{"last", do_last},
	{"order", do_order},
	{"lost", do_lost},
	{"forget", do_forget},
};

static int
topics(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	size_t size = strcspn(text, " ");

	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		if (strlen(orders[i].name) == size && strncmp(text, orders[i].name, size) == 0)
			return orders[i].fn(request, text[size] == ' ' ? text + size + 1 : text + size);
	}
	return bay_fail(request, BAY_INVALID, "what is '%s'?", text);
}

BAY_PLUGIN(topics, "1.0.0",
	.summary = "publishes and subscribes as it is told",
	.settings = settings,
	.init = topics_init,
	.handle = topics,
	.fini = topics_fini);
