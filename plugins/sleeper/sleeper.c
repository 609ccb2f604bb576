/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings and waiting: sleeps, then replies with a text. Both come from the ini.
 *
 *	[service nap]
 *	plugin = sleeper
 *	delay  = 1s
 *	text   = good morning
 *
 *	$ bayctl call nap
 *	good morning
 */
#include <bay/bay.h>

struct sleeper {
	int64_t delay_ns;
	const char *text;
};

/*
 * One row per setting: where it goes, its key in the ini, its default and its help. The
 * container checks the ini against this table before any of our code runs, and fills the
 * struct.
 */
static const struct bay_setting settings[] = {
	BAY_DURATION(struct sleeper, delay_ns, "delay", "1s", "how long to sleep"),
	BAY_STRING(struct sleeper, text, "text", "done", "the reply"),
	BAY_END
};

/*
 * Each request is handled by a task with a stack of its own, so waiting is a plain call:
 * bay_sleep() lets the loop do other work and returns when the time has come. It ends
 * early when whoever asked stops waiting, or when the service is stopped.
 */
static int
sleeper(struct bay_request *request)
{
	const struct sleeper *set = bay_settings(request);
	int status;

	bay_log_debug("sleeping for %" PRId64 " ms", set->delay_ns / BAY_MS);
	status = bay_sleep(set->delay_ns);
	if (status != BAY_OK)
		return bay_fail(request, status, "woken before the time: %s",
			status == BAY_CANCELED ? bay_cancel_reason() : "the deadline has passed");
	return bay_reply_text(request, set->text);
}

BAY_PLUGIN(sleeper, "1.0.0",
	.summary = "sleeps, then replies with a text",
	.settings = settings,
	.handle = sleeper);
