/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/topic.h> */
#include "toolbox.h"

static void
see_publish(struct seen *seen, const char *topic, const char *text)
{
	struct bay_message *message = bay_message_printf("%s", text);

	saw(seen, "%s", bay_status_name(bay_publish(topic, message, bay_after(5 * BAY_MS))));
	bay_message_free(message);
}

static void
see_topics(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_subscription *all = NULL, *one = NULL;
	struct bay_message *message = NULL;
	struct bay_case cases[2];
	const char *topic = "";
	size_t which = 9;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_subscribe("box.>", NULL, &all)));
	saw(seen, "%s", bay_status_name(bay_subscribe("box.*.b", NULL, &one)));
	see_publish(seen, "box.a.b", "first");
	see_publish(seen, "box.a", "second");
	see_publish(seen, "box.*", "third");
	saw(seen, "%zu %zu", bay_subscription_size(all), bay_subscription_size(one));
	saw(seen, "%s", bay_status_name(bay_subscription_next(all, &message, &topic, BAY_INHERIT)));
	saw(seen, "%s:%s", topic, bay_message_text(message));
	bay_message_free(message);
	cases[0] = bay_case_message(one);
	cases[1] = bay_case_time(BAY_INHERIT);
	saw(seen, "%s", bay_status_name(bay_select(cases, 2, &which, BAY_INHERIT)));
	saw(seen, "%zu %s:%s", which, cases[0].topic, bay_message_text(cases[0].item));
	bay_message_free(cases[0].item);
	bay_unsubscribe(all);
	saw(seen, "%s", bay_status_name(bay_subscription_next(one, &message, NULL, 0)));
	bay_unsubscribe(one);
}

/* Forgotten, so that it is seen from outside; it ends with the instance. */
static void
be_slow(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_subscription_options options = {.length = sizeof options, .messages = 2,
		.slow = BAY_SLOW_DROP_NEWEST};
	struct bay_subscription *slow = NULL;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_subscribe("slow.*", &options, &slow)));
	for (int i = 0; i < 5; i++)
		see_publish(seen, "slow.one", "message");
	saw(seen, "%zu %" PRIu64, bay_subscription_size(slow), bay_subscription_dropped(slow));
}

const struct operation topic_operations[] = {
	{"topics", see_topics, NULL},
	{"topic-slow", be_slow, NULL},
	{NULL, NULL, NULL}
};
