/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that change what runs. Each waits for the outcome and tells it. */
#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

/* --- services, one after the other -------------------------------------------- */

/* How the services fared, one after the other. */
struct control {
	struct ctl *ctl;
	enum interface_method_id method;
	bool swaps;      /* it tells what serves in the end */
	bool stages;     /* it tells its stages */
	json_t *results; /* for --json: one object a service */
	size_t done;
	size_t failed;
	enum interface_exit exit; /* of the first that failed */
	struct ctl_error error;   /* of it */
};

/* The last lines of a service's log; the caller's, NULL when they cannot be had. */
static json_t *
control_log(struct ctl *ctl, const char *service)
{
	struct ctl_error error = ctl->error;
	struct ctl_reply reply;
	json_t *log = NULL;

	/* A daemon that did not reply is not asked again. */
	if (error.exit == INTERFACE_EXIT_UNREACHABLE || error.exit == INTERFACE_EXIT_TIMEOUT ||
		error.exit == INTERFACE_EXIT_NOT_FOUND)
		return NULL;
	if (ctl_ask(ctl, INTERFACE_STATUS, json_pack("{s:o}", "service", varlink_text(service)),
		&reply)) {
		log = json_incref(json_object_get(reply.reply.parameters, "log"));
		ctl_reply_finish(&reply);
	}
	ctl->error = error;
	return log;
}

static void
control_failed(struct control *control, const char *service)
{
	struct ctl *ctl = control->ctl;
	json_t *log;

	ctl_hint_nearest_service(ctl, service);
	if (control->method == INTERFACE_DRAIN && ctl->error.exit == INTERFACE_EXIT_TIMEOUT)
		ctl_error_hint(&ctl->error, "it goes on: bayctl status %s shows what is left, bayctl resume %s "
			"ends it, and --timeout D waits longer", service, service);
	log = control_log(ctl, service);
	if (control->failed++ == 0)
		control->error = ctl->error;
	if (ctl->options.json) {
		json_array_append_new(control->results, json_pack("{s:o, s:b, s:o, s:O*}",
			"service", varlink_text(service), "ok", 0,
			"error", ctl_error_to_json(&ctl->error), "log", log));
	} else {
		print_error(&ctl->err, &ctl->error, ctl->options.quiet);
		if (!ctl->options.quiet)
			show_log(&ctl->err, "last lines of its log:", log);
	}
	json_decref(log);
}

/* What is said of a service whose code was to be replaced: "generation 4 (2.0.0) serves". The
 * caller's. */
static char *
control_swap_text(const json_t *reply)
{
	static const struct {
		const char *outcome;
		const char *text;
	} rows[] = {
		{"swapped", "generation %lld (%s) serves"},
		{"same", "is running that already: generation %lld (%s)"},
		{"started", "was started: generation %lld (%s)"},
		{"canary", "generation %lld (%s) has its share"},
		{"aborted", "its canary is aborted; generation %lld (%s) serves on"},
		{"asked", "has been asked; now generation %lld (%s) serves"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(view_text(reply, "outcome"), rows[i].outcome) == 0)
			return xasprintf(rows[i].text, (long long)view_int(reply, "generation"),
				view_text(reply, "version"));
	}
	return xstrdup(view_text(reply, "outcome"));
}

/* Those to whom it happened too. */
static void
control_print_also(struct print *out, const json_t *reply)
{
	const json_t *also = json_object_get(reply, "also");

	for (size_t i = 0; i < json_array_size(also); i++) {
		const char *name = json_string_value(json_array_get(also, i));

		fputs(i == 0 ? "  with it: " : ", ", out->file);
		print_text(out, name != NULL ? name : "");
	}
	if (json_array_size(also) > 0)
		fputc('\n', out->file);
}

static void
control_print_outcome(struct control *control, const char *service, const json_t *reply, int64_t took_ns)
{
	struct ctl *ctl = control->ctl;
	const char *state = view_text(reply, "state");
	char *text = control->swaps ? control_swap_text(reply) : xstrdup(state);
	char took[CLOCK_TEXT_SIZE];

	print_text(&ctl->out, service);
	fputs(": ", ctl->out.file);
	print_styled(&ctl->out, print_state_style(state), text);
	clock_format_duration(took, sizeof(took), took_ns);
	fprintf(ctl->out.file, " (%s)\n", took);
	control_print_also(&ctl->out, reply);
	fflush(ctl->out.file);
	free(text);
}

static void
control_succeeded(struct control *control, const char *service, const json_t *reply, int64_t took_ns)
{
	struct ctl *ctl = control->ctl;
	json_t *result;

	control->done++;
	if (ctl->options.json) {
		result = json_pack("{s:o, s:b}", "service", varlink_text(service), "ok", 1);
		json_object_update_missing(result, (json_t *)reply);
		json_array_append_new(control->results, result);
	} else if (!ctl->options.quiet) {
		control_print_outcome(control, service, reply, took_ns);
	}
}

static void
control_on_stage(struct ctl *ctl, const char *stage, void *arg)
{
	if (ctl->options.quiet || ctl->options.json)
		return;
	print_text(&ctl->err, arg);
	fputs(": ", ctl->err.file);
	print_text(&ctl->err, stage);
	fputc('\n', ctl->err.file);
	fflush(ctl->err.file);
}

static bool
control_ask(struct control *control, const char *service, struct ctl_reply *reply_r)
{
	struct ctl *ctl = control->ctl;
	json_t *parameters = json_pack("{s:o}", "service", varlink_text(service));

	if (ctl->options.now)
		json_object_set_new(parameters, "now", json_true());
	if (ctl->options.no_wait)
		json_object_set_new(parameters, "wait", json_string("none"));
	else if (ctl->options.probation)
		json_object_set_new(parameters, "wait", json_string("probation"));
	if (ctl->options.canary != 0)
		json_object_set_new(parameters, "canary", json_integer(ctl->options.canary));
	if (control->stages)
		return ctl_ask_in_stages(ctl, control->method, parameters, control_on_stage, (void *)service,
			reply_r);
	return ctl_ask(ctl, control->method, parameters, reply_r);
}

static void
control_one(struct control *control, const char *service)
{
	int64_t start = clock_monotonic_ns();
	struct ctl_reply reply;

	if (!control_ask(control, service, &reply)) {
		control_failed(control, service);
		return;
	}
	control_succeeded(control, service, reply.reply.parameters, clock_monotonic_ns() - start);
	ctl_reply_finish(&reply);
}

/* Nothing worked: what the first said. Some did: 9. */
static enum interface_exit
control_finish(struct control *control)
{
	struct ctl *ctl = control->ctl;
	json_t *data;

	if (control->failed > 0 && control->done > 0)
		ctl_error_set(&control->error, INTERFACE_EXIT_PARTLY, CTL_CODE_PARTLY,
			"%zu of %zu services failed", control->failed, control->failed + control->done);
	if (ctl->options.json) {
		data = json_pack("{s:O}", "results", control->results);
		ctl_print_json(ctl, &control->error, data);
		json_decref(data);
	}
	json_decref(control->results);
	return control->error.exit;
}

static enum interface_exit
control_all(struct ctl *ctl, enum interface_method_id method, bool swaps)
{
	/* An abort has no stages. */
	struct control control = {.ctl = ctl, .method = method, .swaps = swaps,
		.stages = (swaps && method != INTERFACE_ABORT) || method == INTERFACE_DRAIN,
		.results = json_array()};

	for (size_t i = 0; i < ctl->options.argument_count; i++) {
		control_one(&control, ctl->options.arguments[i]);
		/* The others would meet the same closed door. */
		if (ctl->error.exit == INTERFACE_EXIT_UNREACHABLE)
			break;
	}
	return control_finish(&control);
}

enum interface_exit
verb_start(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_START, false);
}

enum interface_exit
verb_stop(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_STOP, false);
}

enum interface_exit
verb_restart(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_RESTART, false);
}

enum interface_exit
verb_pause(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_PAUSE, false);
}

enum interface_exit
verb_resume(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_RESUME, false);
}

enum interface_exit
verb_drain(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_DRAIN, false);
}

enum interface_exit
verb_reset(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_RESET, false);
}

/* Options of the configuration make no sense with a service, nor those of a service without. */
static bool
control_fits(struct ctl *ctl, enum option_id wrong)
{
	if ((ctl->options.seen & OPTION_BIT(wrong)) == 0)
		return true;
	ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "--%s does not go with%s SERVICE",
		option_rows[wrong].name, ctl->options.argument_count > 0 ? "" : "out");
	return false;
}

enum interface_exit
verb_reload(struct ctl *ctl)
{
	if (ctl->options.argument_count == 0)
		return control_fits(ctl, OPTION_NO_WAIT) && control_fits(ctl, OPTION_PROBATION) &&
			control_fits(ctl, OPTION_CANARY) ? verb_reload_config(ctl) : ctl_fail(ctl);
	if (!control_fits(ctl, OPTION_DRY_RUN) || !control_fits(ctl, OPTION_HISTORY))
		return ctl_fail(ctl);
	return control_all(ctl, INTERFACE_RELOAD, true);
}

enum interface_exit
verb_rollback(struct ctl *ctl)
{
	if (ctl->options.argument_count == 0)
		return control_fits(ctl, OPTION_NO_WAIT) ? verb_rollback_config(ctl) : ctl_fail(ctl);
	if (!control_fits(ctl, OPTION_CONFIG))
		return ctl_fail(ctl);
	return control_all(ctl, INTERFACE_ROLLBACK, true);
}

enum interface_exit
verb_promote(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_PROMOTE, true);
}

enum interface_exit
verb_abort(struct ctl *ctl)
{
	return control_all(ctl, INTERFACE_ABORT, true);
}

/* --- shutdown ---------------------------------------------------------------- */

enum { CONTROL_RETRY_MS = 20 };

/* Waits for the end of the connection, then tries to connect: refused means gone. */
static bool
control_is_gone(struct ctl *ctl, int64_t deadline)
{
	struct ctl_error error = {0};
	struct ctl_reply reply;

	for (;;) {
		while (ctl->connection.fd >= 0 &&
			connection_receive(&ctl->connection, &reply, deadline, &error) == CTL_WAIT_DONE)
			ctl_reply_finish(&reply);
		connection_close(&ctl->connection);
		if (!connection_open(&ctl->connection, ctl_socket(ctl), deadline, &error))
			return error.exit == INTERFACE_EXIT_UNREACHABLE;
		if (clock_monotonic_ns() >= deadline)
			return false;
		/* It still accepts and closes at once: not so fast. */
		poll(NULL, 0, CONTROL_RETRY_MS);
	}
}

enum interface_exit
verb_shutdown(struct ctl *ctl)
{
	int64_t deadline = connection_deadline(ctl->options.timeout_ns);
	int64_t start = clock_monotonic_ns();
	json_t *parameters = ctl->options.now ? json_pack("{s:b}", "now", 1) : NULL;
	char took[CLOCK_TEXT_SIZE];
	struct ctl_reply reply;

	if (!ctl_ask_with_fd(ctl, INTERFACE_SHUTDOWN, parameters, -1, deadline, &reply))
		return ctl_fail(ctl);
	ctl_reply_finish(&reply);
	clock_format_duration(took, sizeof(took), clock_monotonic_ns() - start);
	if (!control_is_gone(ctl, deadline)) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT,
			"the daemon is still stopping");
		ctl_error_hint(&ctl->error, "--timeout D waits longer, --now cancels what runs");
		return ctl_fail(ctl);
	}
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, NULL);
	else if (!ctl->options.quiet)
		fprintf(ctl->out.file, "bayd has stopped (%s)\n", clock_format_duration(took,
			sizeof(took), clock_monotonic_ns() - start));
	return INTERFACE_EXIT_DONE;
}
