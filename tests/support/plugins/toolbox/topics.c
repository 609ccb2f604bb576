/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/topic.h> */
#include <string.h>

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

/* --- a deadlock of two services, to be looked at -------------------------------------------- */

/* Tells the other service of itself until it has heard of that one. */
static int
meet(const char *me, const char *other)
{
	struct bay_message *mine = bay_message_printf("%s", me), *message;
	struct bay_subscription *subscription = NULL;
	int status = bay_subscribe("knot", NULL, &subscription);
	bool met = false;

	while (status == BAY_OK && !met) {
		status = bay_publish("knot", mine, BAY_INHERIT);
		while (!met && bay_subscription_next(subscription, &message, NULL, bay_after(5 * BAY_MS)) == BAY_OK) {
			met = strcmp(bay_message_text(message), other) == 0;
			bay_message_free(message);
		}
	}
	/* Once more: that one may have come later. */
	if (met)
		status = bay_publish("knot", mine, BAY_INHERIT);
	bay_message_free(mine);
	bay_unsubscribe(subscription);
	return status;
}

/* Calls a service that at the same time calls this one. Both work on one thing at a time. */
static int
cross(struct bay_request *request, const char *argument)
{
	struct bay_message *message;
	int status;

	if (argument[0] == '\0')
		return bay_fail(request, BAY_INVALID, "with whom?");
	message = bay_message_printf("note");
	status = meet(bay_instance_name(bay_request_instance(request)), argument);
	if (status == BAY_OK)
		status = bay_call(bay_service(argument), message, NULL, BAY_INHERIT);
	bay_message_free(message);
	return bay_fail(request, status, "%s", bay_call_error());
}

static struct bay_task *
start_cross(const char *service, const char *other)
{
	struct bay_message *message = bay_message_printf("cross %s", other);
	struct bay_task *call = bay_call_start(bay_service(service), message);

	bay_message_free(message);
	return call;
}

static void
tie_knot(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *calls[] = {start_cross("narrow", "thin"), start_cross("thin", "narrow")};

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_gather_all(calls, 2, BAY_INHERIT)));
	bay_task_free(calls[0]);
	bay_task_free(calls[1]);
}

const struct operation topic_operations[] = {
	{"topics", see_topics, NULL},
	{"topic-slow", be_slow, NULL},
	{"knot", tie_knot, NULL},
	{"cross", NULL, cross},
	{NULL, NULL, NULL}
};
