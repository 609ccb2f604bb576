/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that ask once and show the answer. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/openmetrics.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

/* {"service": NAME}, or NULL when no name was given. */
static json_t *
query_service(const struct ctl *ctl)
{
	const char *name = ctl->options.arguments[0];

	return name != NULL ? json_pack("{s:o}", "service", varlink_text(name)) : NULL;
}

/* Asks; prints the failure or, for --json, the reply. True: the reply is to be shown. */
static bool
query_ask(struct ctl *ctl, enum interface_method_id id, json_t *parameters,
	struct ctl_reply *reply_r, enum interface_exit *exit_r)
{
	*exit_r = INTERFACE_EXIT_DONE;
	if (!ctl_ask(ctl, id, parameters, reply_r)) {
		ctl_hint_nearest_service(ctl, ctl->options.arguments[0]);
		*exit_r = ctl_fail(ctl);
		return false;
	}
	if (!ctl->options.json)
		return true;
	ctl_print_json(ctl, NULL, json_object_get(reply_r->frame, "parameters"));
	ctl_reply_finish(reply_r);
	return false;
}

enum interface_exit
verb_ping(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;
	int64_t start = clock_monotonic_ns();
	char took[CLOCK_TEXT_SIZE];
	char uptime[CLOCK_TEXT_SIZE];

	if (!query_ask(ctl, INTERFACE_PING, NULL, &reply, &exit))
		return exit;
	clock_format_duration(took, sizeof(took), clock_monotonic_ns() - start);
	clock_format_duration(uptime, sizeof(uptime), view_int(reply.reply.parameters, "uptime_ns"));
	fprintf(ctl->out.file, "bayd with pid %lld answered in %s; it is up for %s\n",
		(long long)view_int(reply.reply.parameters, "pid"), took, uptime);
	ctl_reply_finish(&reply);
	return exit;
}

enum interface_exit
verb_version(struct ctl *ctl)
{
	struct ctl_reply reply = {0};
	bool reached = ctl_ask(ctl, INTERFACE_INFO, NULL, &reply);
	json_t *info = json_object_get(reply.frame, "parameters");

	if (ctl->options.json) {
		json_t *data = json_pack("{s:s, s:O?, s:O?}", "bayctl", PACKAGE_VERSION,
			"bayd", json_object_get(info, "version"), "abi", json_object_get(info, "abi"));

		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else {
		fprintf(ctl->out.file, "bayctl %s\n", PACKAGE_VERSION);
		fputs(reached ? "bayd   " : "bayd   unknown: ", ctl->out.file);
		print_text(&ctl->out, reached ? view_text(info, "version") : ctl->error.message);
		if (reached) {
			fputs(" (plugin ABI ", ctl->out.file);
			print_text(&ctl->out, view_text(info, "abi"));
			fputs(")", ctl->out.file);
		}
		fputs("\n", ctl->out.file);
	}
	ctl_reply_finish(&reply);
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_info(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!query_ask(ctl, INTERFACE_INFO, NULL, &reply, &exit))
		return exit;
	show_info(&ctl->out, reply.reply.parameters);
	ctl_reply_finish(&reply);
	return exit;
}

enum interface_exit
verb_list(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!query_ask(ctl, INTERFACE_LIST, NULL, &reply, &exit))
		return exit;
	show_services(&ctl->out, json_object_get(reply.reply.parameters, "services"),
		!ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}

/* Asks for all services; what --json prints is the caller's. False: the failure, also that there is
 * none of the name in the arguments, has been printed. */
static bool
query_services(struct ctl *ctl, struct ctl_reply *reply_r, enum interface_exit *exit_r)
{
	struct ctl_reply status;

	*exit_r = INTERFACE_EXIT_DONE;
	if (ctl->options.argument_count > 0) {
		if (!ctl_ask(ctl, INTERFACE_STATUS, query_service(ctl), &status)) {
			ctl_hint_nearest_service(ctl, ctl->options.arguments[0]);
			*exit_r = ctl_fail(ctl);
			return false;
		}
		ctl_reply_finish(&status);
	}
	if (ctl_ask(ctl, INTERFACE_LIST, NULL, reply_r))
		return true;
	*exit_r = ctl_fail(ctl);
	return false;
}

enum interface_exit
verb_blame(struct ctl *ctl)
{
	const char *name = ctl->options.arguments[0];
	enum interface_exit exit;
	struct ctl_reply reply;
	json_t *services;

	if (!query_services(ctl, &reply, &exit))
		return exit;
	services = json_object_get(reply.reply.parameters, "services");
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, json_object_get(reply.frame, "parameters"));
	else if (ctl->options.argument_count > 0)
		show_blame_chain(&ctl->out, services, name);
	else
		show_blame(&ctl->out, services, !ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}

enum interface_exit
verb_deps(struct ctl *ctl)
{
	const char *name = ctl->options.argument_count > 0 ? ctl->options.arguments[0] : NULL;
	enum interface_exit exit;
	struct ctl_reply reply;
	json_t *services;
	json_t *data;

	if (!query_services(ctl, &reply, &exit))
		return exit;
	services = json_object_get(reply.reply.parameters, "services");
	if (ctl->options.json) {
		data = show_deps_json(services, name);
		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else {
		show_deps(&ctl->out, services, name);
	}
	ctl_reply_finish(&reply);
	return exit;
}

/* Without a service: what Info and List say together. */
static enum interface_exit
query_summary(struct ctl *ctl)
{
	struct ctl_reply info;
	struct ctl_reply list;
	json_t *services;

	if (!ctl_ask(ctl, INTERFACE_INFO, NULL, &info))
		return ctl_fail(ctl);
	if (!ctl_ask(ctl, INTERFACE_LIST, NULL, &list)) {
		ctl_reply_finish(&info);
		return ctl_fail(ctl);
	}
	services = json_object_get(list.reply.parameters, "services");
	if (ctl->options.json) {
		json_t *data = json_pack("{s:O?, s:O?}", "info",
			json_object_get(info.frame, "parameters"), "services", services);

		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else {
		show_summary(&ctl->out, info.reply.parameters, services);
	}
	ctl_reply_finish(&info);
	ctl_reply_finish(&list);
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_status(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (ctl->options.argument_count == 0)
		return query_summary(ctl);
	if (!query_ask(ctl, INTERFACE_STATUS, query_service(ctl), &reply, &exit))
		return exit;
	show_service(&ctl->out, json_object_get(reply.reply.parameters, "service"),
		json_object_get(reply.reply.parameters, "log"));
	show_silent_loops(&ctl->out, json_object_get(reply.reply.parameters, "silent_loops"));
	ctl_reply_finish(&reply);
	return exit;
}

/* --- is-ready, is-active, is-failed -------------------------------------------------- */

static const char *const ready_states[] = {"ready", NULL};
/* It has requests in work, or may have. */
static const char *const active_states[] = {"ready", "paused", "draining", "stopping", NULL};
static const char *const failed_states[] = {"failed", NULL};

static bool
query_is_one_of(const char *state, const char *const *states)
{
	for (; *states != NULL; states++)
		if (strcmp(state, *states) == 0)
			return true;
	return false;
}

static const json_t *
query_find(const json_t *services, const char *name)
{
	for (size_t i = 0; i < json_array_size(services); i++)
		if (strcmp(view_text(json_array_get(services, i), "name"), name) == 0)
			return json_array_get(services, i);
	return NULL;
}

/* Those that were named, or those that are to run; NULL: one of the names is unknown. */
static json_t *
query_named(struct ctl *ctl, const json_t *services)
{
	json_t *named = json_array();

	for (size_t i = 0; i < json_array_size(services) && ctl->options.argument_count == 0; i++)
		if (json_is_true(json_object_get(json_array_get(services, i), "enabled")))
			json_array_append(named, json_array_get(services, i));
	for (size_t i = 0; i < ctl->options.argument_count; i++) {
		const char *name = ctl->options.arguments[i];
		const json_t *service = query_find(services, name);

		if (service == NULL) {
			ctl_error_set(&ctl->error, INTERFACE_EXIT_NOT_FOUND, CTL_CODE_NOT_FOUND,
				"there is no service \"%s\"", name);
			ctl_hint_nearest_service(ctl, name);
			json_decref(named);
			return NULL;
		}
		json_array_append(named, (json_t *)service);
	}
	return named;
}

/* What is said of it: one that is ready and not well is not ready. */
static const char *
query_state_of(const json_t *service, const char *const *states)
{
	const char *state = view_text(service, "state");

	if (states == ready_states && strcmp(state, "ready") == 0 &&
	    strcmp(view_text(service, "health"), "unhealthy") == 0)
		return "unhealthy";
	return state;
}

static void
query_print_answer(struct ctl *ctl, const json_t *named, const char *const *states, bool yes)
{
	if (ctl->options.json) {
		json_t *data = json_pack("{s:b, s:[]}", "answer", yes, "services");

		for (size_t i = 0; i < json_array_size(named); i++)
			json_array_append_new(json_object_get(data, "services"), json_pack("{s:O, s:o}",
				"name", json_object_get(json_array_get(named, i), "name"),
				"state", json_string(query_state_of(json_array_get(named, i), states))));
		ctl_print_json(ctl, NULL, data);
		json_decref(data);
		return;
	}
	for (size_t i = 0; i < json_array_size(named) && !ctl->options.quiet; i++) {
		print_text(&ctl->out, query_state_of(json_array_get(named, i), states));
		fputc('\n', ctl->out.file);
	}
}

/* Yes, if all are in one of these states; or, with any, if one is. */
static enum interface_exit
query_state(struct ctl *ctl, const char *const *states, bool any)
{
	struct ctl_reply reply;
	size_t in_state = 0;
	json_t *named;
	bool yes;

	if (!ctl_ask(ctl, INTERFACE_LIST, NULL, &reply))
		return ctl_fail(ctl);
	named = query_named(ctl, json_object_get(reply.reply.parameters, "services"));
	ctl_reply_finish(&reply);
	if (named == NULL)
		return ctl_fail(ctl);
	for (size_t i = 0; i < json_array_size(named); i++)
		in_state += query_is_one_of(query_state_of(json_array_get(named, i), states), states);
	yes = any ? in_state > 0 : in_state == json_array_size(named);
	query_print_answer(ctl, named, states, yes);
	json_decref(named);
	return yes ? INTERFACE_EXIT_DONE : INTERFACE_EXIT_NO;
}

enum interface_exit
verb_is_ready(struct ctl *ctl)
{
	return query_state(ctl, ready_states, false);
}

enum interface_exit
verb_is_active(struct ctl *ctl)
{
	return query_state(ctl, active_states, false);
}

enum interface_exit
verb_is_failed(struct ctl *ctl)
{
	return query_state(ctl, failed_states, true);
}

/* ------------------------------------------------------------------------------------- */

enum interface_exit
verb_tasks(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!query_ask(ctl, INTERFACE_TASKS, query_service(ctl), &reply, &exit))
		return exit;
	if (ctl->options.tree)
		show_task_tree(&ctl->out, reply.reply.parameters);
	else
		show_tasks(&ctl->out, reply.reply.parameters, !ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}

enum interface_exit
verb_queues(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!query_ask(ctl, INTERFACE_QUEUES, NULL, &reply, &exit))
		return exit;
	show_queues(&ctl->out, reply.reply.parameters, !ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}

enum interface_exit
verb_stats(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!query_ask(ctl, INTERFACE_STATS, query_service(ctl), &reply, &exit))
		return exit;
	if (ctl->options.openmetrics)
		openmetrics_print(ctl->out.file, reply.reply.parameters, METRICS_OPENMETRICS);
	else if (ctl->options.prometheus)
		openmetrics_print(ctl->out.file, reply.reply.parameters, METRICS_PROMETHEUS);
	else if (ctl->options.argument_count > 0)
		show_service_stats(&ctl->out, reply.reply.parameters);
	else
		show_stats(&ctl->out, reply.reply.parameters, !ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}
