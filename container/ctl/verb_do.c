/* SPDX-License-Identifier: BSD-2-Clause */
/* What plugins add to the verbs of bayctl: which there are, and doing one. */
#include "config.h"

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/message.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

/* Shows the verbs of one service, or of all. */
static enum interface_exit
do_list(struct ctl *ctl)
{
	const char *service = ctl->options.arguments[0];
	json_t *parameters = service != NULL ? json_pack("{s:o}", "service", varlink_text(service)) : NULL;
	struct ctl_reply reply;
	const json_t *list;

	if (!ctl_ask(ctl, INTERFACE_VERBS, parameters, &reply))
		return ctl_fail(ctl);
	list = json_object_get(reply.reply.parameters, "verbs");
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, json_object_get(reply.frame, "parameters"));
	else if (json_array_size(list) > 0)
		show_verbs(&ctl->out, list, service == NULL);
	else if (!ctl->options.quiet)
		fputs("no verbs\n", ctl->out.file);
	ctl_reply_finish(&reply);
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_do(struct ctl *ctl)
{
	char **words = ctl->options.arguments;
	json_t *arguments, *parameters;

	if (ctl->options.argument_count < 2)
		return do_list(ctl);
	arguments = json_array();
	for (size_t i = 2; i < ctl->options.argument_count; i++)
		json_array_append_new(arguments, varlink_text(words[i]));
	parameters = json_pack("{s:o, s:o, s:o}", "service", varlink_text(words[0]),
		"verb", varlink_text(words[1]), "arguments", arguments);
	if (message_was_timed(ctl))
		json_object_set_new(parameters, "timeout_ns", json_integer(ctl->options.timeout_ns));
	return message_once(ctl, INTERFACE_DO, parameters, -1);
}
