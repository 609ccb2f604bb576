/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that show and change the configuration while the daemon runs. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

/* Asks; prints the failure or, for --json, the reply. True: the reply is to be shown. */
static bool
config_ask(struct ctl *ctl, enum interface_method_id id, json_t *parameters,
	struct ctl_reply *reply_r, enum interface_exit *exit_r)
{
	*exit_r = INTERFACE_EXIT_DONE;
	if (!ctl_ask(ctl, id, parameters, reply_r)) {
		*exit_r = ctl_fail(ctl);
		return false;
	}
	if (!ctl->options.json)
		return true;
	ctl_print_json(ctl, NULL, json_object_get(reply_r->frame, "parameters"));
	ctl_reply_finish(reply_r);
	return false;
}

/* What has been done, and what is in force now. */
static enum interface_exit
config_change(struct ctl *ctl, enum interface_method_id id, json_t *parameters)
{
	int64_t start = clock_monotonic_ns();
	enum interface_exit exit;
	struct ctl_reply reply;
	char took[CLOCK_TEXT_SIZE];

	if (!config_ask(ctl, id, parameters, &reply, &exit))
		return exit;
	show_changes(&ctl->out, json_object_get(reply.reply.parameters, "changes"));
	if (!ctl->options.quiet)
		fprintf(ctl->out.file, "%sconfiguration %lld is %sin force (%s)\n",
			json_array_size(json_object_get(reply.reply.parameters, "changes")) > 0 ? "" :
			"nothing is different: ", (long long)view_int(reply.reply.parameters, "number"),
			json_is_true(json_object_get(reply.reply.parameters, "changed")) ? "" : "still ",
			clock_format_duration(took, sizeof(took), clock_monotonic_ns() - start));
	ctl_reply_finish(&reply);
	return exit;
}

/* What is different, and what would happen; what bayctl diff and --dry-run show. */
static enum interface_exit
config_compare(struct ctl *ctl, enum interface_method_id id, json_t *parameters)
{
	enum interface_exit exit;
	struct ctl_reply reply;
	const json_t *changes;

	if (!config_ask(ctl, id, parameters, &reply, &exit))
		return exit;
	changes = json_object_get(reply.reply.parameters, "changes");
	show_changes(&ctl->out, changes);
	if (json_array_size(changes) == 0 && !ctl->options.quiet)
		fprintf(ctl->out.file, "nothing is different from configuration %lld, which is in force\n",
			(long long)view_int(reply.reply.parameters, "number"));
	ctl_reply_finish(&reply);
	return exit;
}

static enum interface_exit
config_show_history(struct ctl *ctl)
{
	enum interface_exit exit;
	struct ctl_reply reply;

	if (!config_ask(ctl, INTERFACE_CONFIG_HISTORY, NULL, &reply, &exit))
		return exit;
	show_configurations(&ctl->out, json_object_get(reply.reply.parameters, "configurations"),
		!ctl->options.quiet);
	ctl_reply_finish(&reply);
	return exit;
}

enum interface_exit
verb_reload_config(struct ctl *ctl)
{
	if (ctl->options.history)
		return config_show_history(ctl);
	if (ctl->options.dry_run)
		return config_compare(ctl, INTERFACE_RELOAD_CONFIG, json_pack("{s:b}", "dry_run", 1));
	return config_change(ctl, INTERFACE_RELOAD_CONFIG, NULL);
}

enum interface_exit
verb_diff(struct ctl *ctl)
{
	return config_compare(ctl, INTERFACE_DIFF_CONFIG, NULL);
}

enum interface_exit
verb_show(struct ctl *ctl)
{
	const char *service = ctl->options.arguments[0];
	const char *key = ctl->options.arguments[1];
	json_t *parameters = json_pack("{s:o}", "service", varlink_text(service));
	struct ctl_reply reply;

	if (key != NULL)
		json_object_set_new(parameters, "key", varlink_text(key));
	if (!ctl_ask(ctl, INTERFACE_SHOW_CONFIG, parameters, &reply)) {
		ctl_hint_nearest_service(ctl, service);
		return ctl_fail(ctl);
	}
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, json_object_get(reply.frame, "parameters"));
	else
		show_keys(&ctl->out, json_object_get(reply.reply.parameters, "keys"),
			!ctl->options.quiet);
	ctl_reply_finish(&reply);
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_set(struct ctl *ctl)
{
	return config_change(ctl, INTERFACE_SET_CONFIG, json_pack("{s:o, s:o, s:b}",
		"key", varlink_text(ctl->options.arguments[0]),
		"value", varlink_text(ctl->options.arguments[1]),
		"save", ctl->options.save));
}

/* The key enabled, saved: it is to be so after a reload and a restart too. */
static enum interface_exit
config_enable(struct ctl *ctl, const char *value)
{
	char *key = xasprintf("%s.enabled", ctl->options.arguments[0]);
	json_t *parameters = json_pack("{s:o, s:s, s:b}", "key", varlink_text(key), "value", value,
		"save", 1);

	free(key);
	return config_change(ctl, INTERFACE_SET_CONFIG, parameters);
}

enum interface_exit
verb_enable(struct ctl *ctl)
{
	return config_enable(ctl, "yes");
}

enum interface_exit
verb_disable(struct ctl *ctl)
{
	return config_enable(ctl, "no");
}

enum interface_exit
verb_rollback_config(struct ctl *ctl)
{
	if ((ctl->options.seen & OPTION_BIT(OPTION_CONFIG)) == 0) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE,
			"rollback wants SERVICE, or --config N: bayctl reload --history lists those");
		return ctl_fail(ctl);
	}
	return config_change(ctl, INTERFACE_ROLLBACK_CONFIG, json_pack("{s:I}", "number",
		(json_int_t)ctl->options.config));
}
