/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two calls at once: sends its request to two services and replies with both answers. It
 * takes as long as the slower one, not as long as both together.
 *
 *	[service both]
 *	first  = service1
 *	second = service2
 */
#include <bay/bay.h>

struct both {
	const char *first;
	const char *second;
};

/* The default of NULL says that the ini must name them. */
static const struct bay_setting settings[] = {
	BAY_STRING(struct both, first, "first", NULL, "the service whose answer comes first"),
	BAY_STRING(struct both, second, "second", NULL, "the service whose answer comes second"),
	BAY_END
};

/*
 * init runs once before the first request; when it fails, the service does not start and
 * the text says why. Whether the two services exist is not asked here: they may be started
 * later than this one.
 */
static int
both_init(struct bay_instance *instance)
{
	const struct both *set = bay_instance_settings(instance);

	if (bay_service(set->first) == NULL)
		return bay_instance_fail(instance, BAY_INVALID, "first = %s: no name of a service", set->first);
	if (bay_service(set->second) == NULL)
		return bay_instance_fail(instance, BAY_INVALID, "second = %s: no name of a service", set->second);
	return BAY_OK;
}

static int
both_reply(struct bay_request *request, struct bay_task *const *calls)
{
	struct bay_message *first = bay_task_take_reply(calls[0]);
	struct bay_message *second = bay_task_take_reply(calls[1]);
	int status = bay_reply_printf(request, "%s\n%s\n", bay_message_text(first),
		bay_message_text(second));

	bay_message_free(first);
	bay_message_free(second);
	return status;
}

/*
 * bay_call_start() begins a call and goes on at once; bay_gather() waits for all of them,
 * and when one fails it cancels the others. BAY_INHERIT: no deadline of our own, that of
 * the request counts for the calls too. The handles need no bay_task_free(): what a
 * handler started and still has is given back when it returns.
 */
static int
both(struct bay_request *request)
{
	const struct both *set = bay_settings(request);
	const struct bay_message *message = bay_request_message(request);
	struct bay_task *calls[] = {
		bay_call_start(bay_service(set->first), message),
		bay_call_start(bay_service(set->second), message)
	};

	if (bay_gather(calls, 2, BAY_INHERIT) != BAY_OK)
		return bay_fail_from(request, calls, 2);
	return both_reply(request, calls);
}

BAY_PLUGIN(both, "1.0.0",
	.summary = "asks two services at once and replies with both answers",
	.settings = settings,
	.init = both_init,
	.handle = both);
