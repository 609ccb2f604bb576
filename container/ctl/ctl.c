/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "ctl/complete.h"
#include "ctl/help.h"
#include "ctl/verbs.h"

enum { CTL_SCHEMA = 1 };

/* After this long without a reply, somebody at a terminal is told what is waited for. */
#define CTL_PATIENCE_NS INT64_C(1000000000)

const char *
ctl_socket(const struct ctl *ctl)
{
	return connection_socket(ctl->options.socket);
}

bool
ctl_connect(struct ctl *ctl)
{
	if (ctl->connection.fd >= 0)
		return true;
	return connection_open(&ctl->connection, ctl_socket(ctl),
		connection_deadline(ctl->options.timeout_ns), &ctl->error);
}

/* --- asking ------------------------------------------------------------------ */

void
ctl_read_error(const struct varlink_reply *reply, struct ctl_error *error)
{
	const char *message = json_string_value(json_object_get(reply->parameters, "message"));
	const char *status = json_string_value(json_object_get(reply->parameters, "status"));
	const char *code = json_string_value(json_object_get(reply->parameters, "code"));

	ctl_error_set(error, interface_error_exit(reply->error, reply->parameters),
		code != NULL ? code : bay_status_name((int)interface_error_status(reply->error, reply->parameters)),
		"%s", message != NULL ? message : reply->error);
	snprintf(error->name, sizeof(error->name), "%s", reply->error);
	if (status != NULL)
		snprintf(error->status, sizeof(error->status), "%s", status);
	if (strcmp(reply->error, INTERFACE_METHOD_NOT_FOUND) == 0)
		ctl_error_hint(error, "the daemon is older than this bayctl");
}

static void
ctl_timed_out(struct ctl *ctl, const char *method)
{
	char within[CLOCK_TEXT_SIZE];

	clock_format_duration(within, sizeof(within), ctl->options.timeout_ns);
	ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
		"no reply to %s within %s", method, within);
	ctl_error_hint(&ctl->error, "the daemon may still be at it; --timeout D waits longer");
}

/* Whether somebody sits before it, and has not sent it to the background. */
static bool
ctl_is_watched(const struct ctl *ctl)
{
	return ctl->err.is_tty && !ctl->options.quiet && !ctl->options.json &&
		tcgetpgrp(STDERR_FILENO) == getpgrp();
}

/* Receives; says so once when it takes long. */
static enum ctl_wait
ctl_receive(struct ctl *ctl, int64_t deadline, struct ctl_reply *reply_r)
{
	int64_t patience = connection_deadline(CTL_PATIENCE_NS);
	enum ctl_wait wait;

	if (!ctl_is_watched(ctl) || patience >= deadline)
		return connection_receive(&ctl->connection, reply_r, deadline, &ctl->error);
	wait = connection_receive(&ctl->connection, reply_r, patience, &ctl->error);
	if (wait != CTL_WAIT_TIMEOUT)
		return wait;
	fprintf(ctl->err.file, "bayctl: %s: still waiting for the answer; ^C ends the waiting, not "
		"what was asked for\n", ctl->options.verb->name);
	return connection_receive(&ctl->connection, reply_r, deadline, &ctl->error);
}

static bool
ctl_judge(struct ctl *ctl, const struct interface_method *method, struct ctl_reply *reply)
{
	if (reply->reply.error != NULL) {
		ctl_read_error(&reply->reply, &ctl->error);
	} else if (interface_is_reply(method, reply->reply.parameters)) {
		return true;
	} else {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_UNREACHABLE, CTL_CODE_BAD_REPLY,
			"the reply cannot be read: it is none to %s", method->name);
		ctl_error_hint(&ctl->error, "is this the socket of bayd?");
	}
	ctl_reply_finish(reply);
	return false;
}

/* Receives the reply, after those that tell a stage, if fn is not NULL. */
static enum ctl_wait
ctl_receive_last(struct ctl *ctl, int64_t deadline, ctl_stage_fn *fn, void *arg, struct ctl_reply *reply_r)
{
	enum ctl_wait wait;
	const char *stage;

	while ((wait = ctl_receive(ctl, deadline, reply_r)) == CTL_WAIT_DONE && fn != NULL &&
		reply_r->reply.continues) {
		stage = json_string_value(json_object_get(reply_r->reply.parameters, "stage"));
		if (stage != NULL)
			fn(ctl, stage, arg);
		ctl_reply_finish(reply_r);
	}
	return wait;
}

static bool
ctl_ask_for(struct ctl *ctl, enum interface_method_id id, json_t *parameters, int fd, int64_t deadline,
	ctl_stage_fn *fn, void *arg, struct ctl_reply *reply_r)
{
	const struct interface_method *method = interface_method(id);
	char name[128];
	struct varlink_call call = {.method = name, .parameters = parameters, .more = fn != NULL};
	enum ctl_wait wait;

	*reply_r = (struct ctl_reply){0};
	snprintf(name, sizeof(name), "%s.%s", method->interface, method->name);
	if (!ctl_connect(ctl)) {
		json_decref(parameters);
		fd_close(&fd);
		return false;
	}
	wait = connection_send(&ctl->connection, &call, fd, deadline, &ctl->error);
	json_decref(parameters);
	if (wait == CTL_WAIT_DONE)
		wait = ctl_receive_last(ctl, deadline, fn, arg, reply_r);
	if (wait == CTL_WAIT_DONE)
		return ctl_judge(ctl, method, reply_r);
	/* A late reply must not be taken for that of the next call. */
	connection_close(&ctl->connection);
	if (wait == CTL_WAIT_TIMEOUT)
		ctl_timed_out(ctl, method->name);
	return false;
}

bool
ctl_ask_with_fd(struct ctl *ctl, enum interface_method_id id, json_t *parameters, int fd,
	int64_t deadline, struct ctl_reply *reply_r)
{
	return ctl_ask_for(ctl, id, parameters, fd, deadline, NULL, NULL, reply_r);
}

bool
ctl_ask_in_stages(struct ctl *ctl, enum interface_method_id id, json_t *parameters,
	ctl_stage_fn *fn, void *arg, struct ctl_reply *reply_r)
{
	return ctl_ask_for(ctl, id, parameters, -1, connection_deadline(ctl->options.timeout_ns), fn, arg,
		reply_r);
}

bool
ctl_ask(struct ctl *ctl, enum interface_method_id id, json_t *parameters,
	struct ctl_reply *reply_r)
{
	return ctl_ask_with_fd(ctl, id, parameters, -1,
		connection_deadline(ctl->options.timeout_ns), reply_r);
}

/* --- hints ------------------------------------------------------------------- */

static void
ctl_hint_from_list(struct ctl_error *error, const char *service, const json_t *services)
{
	size_t count = json_array_size(services);
	const char **names = calloc(count + 1, sizeof(*names));
	const char *nearest;
	size_t named = 0;

	if (names == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const json_t *name = json_object_get(json_array_get(services, i), "name");

		if (json_is_string(name))
			names[named++] = json_string_value(name);
	}
	nearest = text_nearest(service, names, named);
	if (nearest != NULL)
		ctl_error_hint(error, "did you mean \"%s\"?", nearest);
	else
		ctl_error_hint(error, "bayctl list shows the services");
	free(names);
}

void
ctl_hint_nearest_service(struct ctl *ctl, const char *service)
{
	struct ctl_error error = ctl->error;
	struct ctl_reply reply;

	if (service == NULL || error.exit != INTERFACE_EXIT_NOT_FOUND)
		return;
	/* The daemon may have found it already. */
	if (strstr(error.message, "did you mean") != NULL ||
		strstr(error.message, "bayctl list") != NULL)
		return;
	if (ctl_ask(ctl, INTERFACE_LIST, NULL, &reply)) {
		ctl_hint_from_list(&error, service,
			json_object_get(reply.reply.parameters, "services"));
		ctl_reply_finish(&reply);
	}
	ctl->error = error;
}

/* --- ending ------------------------------------------------------------------ */

void
ctl_print_json(struct ctl *ctl, const struct ctl_error *error, json_t *data)
{
	bool ok = error == NULL || error->exit == INTERFACE_EXIT_DONE;
	json_t *object = json_pack("{s:i, s:b}", "schema", CTL_SCHEMA, "ok", ok);

	if (!ok)
		json_object_set_new(object, "error", ctl_error_to_json(error));
	if (data != NULL)
		json_object_set(object, "data", data);
	else if (ok)
		json_object_set_new(object, "data", json_object());
	print_json(&ctl->out, object);
	json_decref(object);
}

enum interface_exit
ctl_fail(struct ctl *ctl)
{
	if (ctl->options.json)
		ctl_print_json(ctl, &ctl->error, NULL);
	else
		print_error(&ctl->err, &ctl->error, ctl->options.quiet);
	return ctl->error.exit;
}

static enum interface_exit
ctl_run(struct ctl *ctl, int argc, char **argv)
{
	/* What is still being typed is no command line yet. */
	if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0)
		return complete_words(ctl, argv + 2);
	if (!options_parse(&ctl->options, argc, argv, &ctl->error))
		return ctl_fail(ctl);
	if (ctl->options.version) {
		fprintf(ctl->out.file, "bayctl %s\n", PACKAGE_VERSION);
		return INTERFACE_EXIT_DONE;
	}
	if (ctl->options.help) {
		help_show(ctl, ctl->options.verb);
		return INTERFACE_EXIT_DONE;
	}
	return ctl->options.verb->run(ctl);
}

/* An answer that could not be written is none. A reader that went away wanted no more. */
static int
ctl_flush(struct ctl *ctl, int exit)
{
	if (fflush(ctl->out.file) == 0 && !ferror(ctl->out.file))
		return exit;
	if (errno != EPIPE)
		fprintf(ctl->err.file, "bayctl: writing the answer: %s\n", strerror(errno));
	return exit != INTERFACE_EXIT_DONE ? exit : INTERFACE_EXIT_FAILED;
}

int
ctl_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct ctl ctl = {.connection = {.fd = -1}};
	int exit;

	print_init(&ctl.out, out);
	print_init(&ctl.err, err);
	exit = ctl_run(&ctl, argc, argv);
	connection_close(&ctl.connection);
	options_finish(&ctl.options);
	return ctl_flush(&ctl, exit);
}
