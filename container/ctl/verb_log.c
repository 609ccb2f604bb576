/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: many replies to one call. */
#include "config.h"

#include "ctl/ctl.h"
#include "ctl/verbs.h"

static void
log_print_line(struct ctl *ctl, json_t *parameters)
{
	const json_t *line = json_object_get(parameters, "line");

	if (!json_is_string(line))
		return;
	if (ctl->options.json) {
		ctl_print_json(ctl, NULL, parameters);
	} else {
		print_text(&ctl->out, json_string_value(line));
		fputc('\n', ctl->out.file);
	}
}

/* Lines that are there are printed together; when none is left they are shown. Until:
 * when following ends. */
static bool
log_next(struct ctl *ctl, int64_t until, struct ctl_reply *reply_r)
{
	int64_t deadline = ctl->options.follow ? until :
		connection_deadline(ctl->options.timeout_ns);
	enum ctl_wait wait = connection_take(&ctl->connection, reply_r, &ctl->error);

	if (wait == CTL_WAIT_TIMEOUT) {
		fflush(ctl->out.file);
		if (ferror(ctl->out.file))
			return false;
		wait = connection_receive(&ctl->connection, reply_r, deadline, &ctl->error);
	}
	if (wait == CTL_WAIT_TIMEOUT)
		ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			ctl->options.follow ? "the time to follow the log is over"
			: "the daemon stopped sending lines");
	return wait == CTL_WAIT_DONE;
}

static enum interface_exit
log_receive(struct ctl *ctl)
{
	int64_t until = ctl->options.timeout_given ? connection_deadline(ctl->options.timeout_ns)
		: INT64_MAX;
	struct ctl_reply reply;
	bool goes_on = true;

	while (goes_on) {
		if (!log_next(ctl, until, &reply))
			return ctl->error.exit == INTERFACE_EXIT_DONE ? INTERFACE_EXIT_DONE : ctl_fail(ctl);
		if (reply.reply.error != NULL) {
			ctl_read_error(&reply.reply, &ctl->error);
			ctl_reply_finish(&reply);
			ctl_hint_nearest_service(ctl, ctl->options.arguments[0]);
			return ctl_fail(ctl);
		}
		goes_on = reply.reply.continues;
		log_print_line(ctl, json_object_get(reply.frame, "parameters"));
		ctl_reply_finish(&reply);
	}
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_log(struct ctl *ctl)
{
	const char *service = ctl->options.arguments[0];
	json_t *parameters = json_pack("{s:I, s:b}", "lines", (json_int_t)ctl->options.lines,
		"follow", (int)ctl->options.follow);
	struct varlink_call call = {.method = INTERFACE_NAME ".Log", .more = true,
		.parameters = parameters};
	enum ctl_wait wait = CTL_WAIT_FAILED;

	if (service != NULL)
		json_object_set_new(parameters, "service", varlink_text(service));
	if (ctl_connect(ctl))
		wait = connection_send(&ctl->connection, &call, -1,
			connection_deadline(ctl->options.timeout_ns), &ctl->error);
	json_decref(parameters);
	if (wait == CTL_WAIT_TIMEOUT)
		ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			"the daemon does not read");
	return wait == CTL_WAIT_DONE ? log_receive(ctl) : ctl_fail(ctl);
}
