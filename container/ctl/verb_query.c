/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that ask once and show the answer. */
#include "config.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/ctl.h"
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

enum interface_exit
verb_blame(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!query_ask(ctl, INTERFACE_LIST, NULL, &reply, &exit))
		return exit;
	show_blame(&ctl->out, json_object_get(reply.reply.parameters, "services"),
		!ctl->options.quiet);
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
	if (ctl->options.argument_count > 0)
		show_service_stats(&ctl->out, reply.reply.parameters);
	else
		show_stats(&ctl->out, reply.reply.parameters, !ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}
