/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/request.h> and <bay/instance.h> */
#include <stdlib.h>
#include <string.h>

#include "toolbox.h"

/* What a request says of itself; the argument only makes it longer. */
static void
see_request(struct bay_request *request, const char *argument, struct seen *seen)
{
	const struct bay_message *message = bay_request_message(request);
	int64_t left_ns = bay_request_deadline(request) - bay_now();
	char id[BAY_TRACE_ID_SIZE];

	(void)argument;
	saw(seen, "%zu bytes", bay_request_size(request));
	saw(seen, bay_request_data(request) == bay_message_data(message) ? "same-data" : "other-data");
	saw(seen, strcmp(bay_request_text(request), bay_message_text(message)) == 0 ? "same-text" :
		"other-text");
	saw(seen, left_ns > 0 && left_ns <= 60 * BAY_SECOND ? "deadline-near" : "deadline-odd");
	saw(seen, bay_trace_id(id, sizeof(id)) == BAY_OK && strlen(id) == 32 ? "traced" : "no-trace");
	saw(seen, bay_request_wants_reply(request) ? "wants-reply" : "one-way");
}

static void
see_number(struct bay_request *request, const char *argument, struct seen *seen)
{
	int64_t number = 77;
	int status = bay_request_int64(request, &number);

	(void)argument;
	saw(seen, "%s %" PRId64, bay_status_name(status), number);
}

static void
see_instance(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_instance *instance = bay_request_instance(request);
	const struct toolbox_settings *set = bay_settings(request);
	const struct toolbox_state *state = bay_state(request);

	(void)argument;
	saw(seen, "%s %u %s", bay_instance_name(instance), bay_instance_index(instance), set->greeting);
	saw(seen, set == bay_instance_settings(instance) ? "same-settings" : "other-settings");
	saw(seen, state == bay_instance_state(instance) ? "same-state" : "other-state");
	saw(seen, bay_instance_current() == instance ? "current" : "other-current");
	saw(seen, state->running ? "running" : "not-running");
}

/* --- answers -------------------------------------------------------------------------- */

static int
reply_bytes(struct bay_request *request, const char *argument)
{
	(void)argument;
	return bay_reply(request, "a\0b", 3);
}

static int
reply_text(struct bay_request *request, const char *argument)
{
	return bay_reply_text(request, argument);
}

static int
reply_printf(struct bay_request *request, const char *argument)
{
	return bay_reply_printf(request, "<%s>", argument);
}

static int
reply_int64(struct bay_request *request, const char *argument)
{
	(void)argument;
	return bay_reply_int64(request, INT64_MIN);
}

static int
reply_message(struct bay_request *request, const char *argument)
{
	struct bay_message *message = bay_message(argument, strlen(argument));
	int status = bay_reply_message(request, &message);

	toolbox_note(bay_request_instance(request), "%s", message == NULL ? "taken" : "still mine");
	bay_message_free(message);
	return status;
}

static int
reply_twice(struct bay_request *request, const char *argument)
{
	int first = bay_reply_text(request, "first");
	int second = bay_reply_text(request, "second");

	(void)argument;
	toolbox_note(bay_request_instance(request), "%s then %s", bay_status_name(first),
		bay_status_name(second));
	return BAY_OK;
}

static int
reply_never(struct bay_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	return BAY_OK;
}

static int
return_busy(struct bay_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	return BAY_BUSY;
}

static int
fail(struct bay_request *request, const char *argument)
{
	return bay_fail(request, BAY_IO, "told to fail: %s", argument);
}

/* BAY_OK is no failure: the container makes BAY_FAILED of it. */
static int
fail_with_ok(struct bay_request *request, const char *argument)
{
	int status = bay_fail(request, BAY_OK, "a failure without a status");

	(void)argument;
	toolbox_note(bay_request_instance(request), "%s", bay_status_name(status));
	return status;
}

/* --- notes ---------------------------------------------------------------------------- */

/* The oldest note; waits for one. */
static int
tell_note(struct bay_request *request, const char *argument)
{
	struct toolbox_state *state = bay_state(request);
	void *text;
	int status = bay_channel_get(state->notes, &text, BAY_INHERIT);

	(void)argument;
	if (status != BAY_OK)
		return bay_fail(request, status, "there came no note");
	status = bay_reply_text(request, text);
	free(text);
	return status;
}

static int
leave_note(struct bay_request *request, const char *argument)
{
	toolbox_note(bay_request_instance(request), "%s %s", argument,
		bay_request_wants_reply(request) ? "wants-reply" : "one-way");
	return bay_reply_text(request, "left");
}

const struct operation request_operations[] = {
	{"request", see_request, NULL},
	{"12", see_number, NULL},
	{"number", see_number, NULL},
	{"instance", see_instance, NULL},
	{"reply-bytes", NULL, reply_bytes},
	{"reply-text", NULL, reply_text},
	{"reply-printf", NULL, reply_printf},
	{"reply-int64", NULL, reply_int64},
	{"reply-message", NULL, reply_message},
	{"reply-twice", NULL, reply_twice},
	{"reply-never", NULL, reply_never},
	{"return-busy", NULL, return_busy},
	{"fail", NULL, fail},
	{"fail-with-ok", NULL, fail_with_ok},
	{"note", NULL, tell_note},
	{"leave-note", NULL, leave_note},
	{NULL, NULL, NULL}
};
