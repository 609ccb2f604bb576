/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs for operators: arguments of every type, every role, and every way to end. */
#include "toolbox.h"

struct everything {
	int64_t number;
	const char *text;
	bool yes;
	int64_t time_ns;
	uint64_t size;
	int64_t choice;
};

static const struct bay_setting everything_arguments[] = {
	BAY_INT64(struct everything, number, "number", NULL, -10, 10, "a small number"),
	BAY_STRING(struct everything, text, "text", NULL, "any text"),
	BAY_BOOL(struct everything, yes, "yes", "no", "whether"),
	BAY_DURATION(struct everything, time_ns, "time", "1s", "how long"),
	BAY_SIZE(struct everything, size, "size", "4k", 1, 1048576, "how much"),
	BAY_CHOICE(struct everything, choice, "choice", "fast", "fast|safe", "how"),
	BAY_END
};

/* A verb sees its arguments and what every handler sees. */
static int
everything(struct bay_request *request)
{
	const struct everything *with = bay_arguments(request);
	const struct toolbox_settings *set = bay_settings(request);

	return bay_reply_printf(request, "%" PRId64 " %s %d %" PRId64 "ms %" PRIu64 " %" PRId64
		" %s %zu %s", with->number, with->text, with->yes, with->time_ns / BAY_MS, with->size,
		with->choice, set->greeting, bay_request_size(request), bay_task_name(bay_task_current()));
}

static int
nothing(struct bay_request *request)
{
	return bay_reply_text(request, bay_arguments(request) == NULL ? "none" : "some");
}

/* Waits, until its deadline or the service's end if need be. */
static int
linger(struct bay_request *request)
{
	int status = bay_sleep(3600 * BAY_SECOND);

	toolbox_note(bay_request_instance(request), "linger ended");
	return bay_fail(request, status, "cut short");
}

/* Comes to its end if it is let. */
static int
nap(struct bay_request *request)
{
	int status = bay_sleep(BAY_SECOND);

	return status == BAY_OK ? bay_reply_text(request, "rested") : bay_fail(request, status, "woken");
}

static int
refuse(struct bay_request *request)
{
	return bay_fail(request, BAY_BUSY, "not now");
}

static int
forget_to_reply(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

const struct bay_verb toolbox_verbs[] = {
	BAY_VERB("everything", BAY_ROLE_OPERATOR, everything_arguments, everything,
		"says what it was given"),
	BAY_VERB("nothing", BAY_ROLE_VIEWER, NULL, nothing, "takes nothing"),
	BAY_VERB("linger", BAY_ROLE_OPERATOR, NULL, linger, "does not end by itself"),
	BAY_VERB("nap", BAY_ROLE_OPERATOR, NULL, nap, "takes a moment"),
	BAY_VERB("refuse", BAY_ROLE_ADMIN, NULL, refuse, "fails"),
	BAY_VERB("silent", BAY_ROLE_ADMIN, NULL, forget_to_reply, "ends without a reply"),
	BAY_VERBS_END
};
