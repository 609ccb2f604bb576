/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/stream.h"

struct stream {
	struct ctl *ctl;
	stream_print_fn *print;
	const char *what;
	const char *subject;
	int64_t until; /* when following ends */
};

/* Replies that are there are printed together; when none is left they are shown. */
static bool
stream_next(struct stream *stream, struct ctl_reply *reply_r)
{
	struct ctl *ctl = stream->ctl;
	int64_t deadline = ctl->options.follow ? stream->until :
		connection_deadline(ctl->options.timeout_ns);
	enum ctl_wait wait = connection_take(&ctl->connection, reply_r, &ctl->error);

	if (wait == CTL_WAIT_TIMEOUT) {
		fflush(ctl->out.file);
		if (ferror(ctl->out.file))
			return false;
		wait = connection_receive(&ctl->connection, reply_r, deadline, &ctl->error);
	}
	if (wait != CTL_WAIT_TIMEOUT)
		return wait == CTL_WAIT_DONE;
	if (ctl->options.follow)
		ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			"the time to follow %s is over", stream->subject);
	else
		ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			"the daemon stopped sending %s", stream->what);
	return false;
}

static void
stream_print(struct stream *stream, json_t *parameters)
{
	struct ctl *ctl = stream->ctl;

	if (json_object_size(parameters) == 0)
		return;
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, parameters);
	else
		stream->print(ctl, parameters);
}

static enum interface_exit
stream_receive(struct stream *stream)
{
	struct ctl *ctl = stream->ctl;
	struct ctl_reply reply;
	bool goes_on = true;

	while (goes_on) {
		if (!stream_next(stream, &reply))
			return ctl->error.exit == INTERFACE_EXIT_DONE ? INTERFACE_EXIT_DONE : ctl_fail(ctl);
		if (reply.reply.error != NULL) {
			ctl_read_error(&reply.reply, &ctl->error);
			ctl_reply_finish(&reply);
			ctl_hint_nearest_service(ctl, ctl->options.arguments[0]);
			return ctl_fail(ctl);
		}
		goes_on = reply.reply.continues;
		stream_print(stream, json_object_get(reply.frame, "parameters"));
		ctl_reply_finish(&reply);
	}
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
stream_run(struct ctl *ctl, const char *method, json_t *parameters, stream_print_fn *print,
	const char *what, const char *subject)
{
	struct stream stream = {.ctl = ctl, .print = print, .what = what, .subject = subject,
		.until = ctl->options.timeout_given ? connection_deadline(ctl->options.timeout_ns) :
			INT64_MAX};
	struct varlink_call call = {.method = method, .more = true, .parameters = parameters};
	enum ctl_wait wait = CTL_WAIT_FAILED;

	if (ctl_connect(ctl))
		wait = connection_send(&ctl->connection, &call, -1,
			connection_deadline(ctl->options.timeout_ns), &ctl->error);
	json_decref(parameters);
	if (wait == CTL_WAIT_TIMEOUT)
		ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			"the daemon does not read");
	return wait == CTL_WAIT_DONE ? stream_receive(&stream) : ctl_fail(ctl);
}
