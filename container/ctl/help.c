/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/help.h"

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/print.h"
#include "ctl/verbs.h"

enum {
	HELP_WIDTH = 78,
	HELP_VERB_COLUMN = 14,
	HELP_OPTION_COLUMN = 27
};

void
help_wrap(struct print *print, size_t at, const char *text)
{
	size_t column = at;

	while (*text != '\0') {
		size_t length = strcspn(text, " \n");

		if (column > at && column + 1 + length > HELP_WIDTH) {
			fprintf(print->file, "\n%*s", (int)at, "");
			column = at;
		}
		if (column > at) {
			fputc(' ', print->file);
			column++;
		}
		fprintf(print->file, "%.*s", (int)length, text);
		column += length;
		text += length;
		if (*text == '\n') {
			fprintf(print->file, "\n%*s", (int)at, "");
			column = at;
		}
		text += *text != '\0';
	}
	fputc('\n', print->file);
}

static void
help_print_option(struct print *print, const struct option_row *row)
{
	char words[64];
	int length;

	length = snprintf(words, sizeof(words), "  %c%c%s--%s%s%s", row->letter != 0 ? '-' : ' ',
		row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "  ", row->name,
		row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
	fputs(words, print->file);
	if (length + 2 > HELP_OPTION_COLUMN)
		fprintf(print->file, "\n%*s", HELP_OPTION_COLUMN, "");
	else
		fprintf(print->file, "%*s", HELP_OPTION_COLUMN - length, "");
	help_wrap(print, HELP_OPTION_COLUMN, row->help);
}

static void
help_print_options(struct print *print, uint64_t options)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if ((options & OPTION_BIT(i)) != 0)
			help_print_option(print, &option_rows[i]);
}

/* What each verb asks of bayd first; the others ask for nothing. */
static const struct help_method {
	const char *verb;
	enum interface_method_id method;
} help_methods[] = {
	{"ping", INTERFACE_PING},
	{"info", INTERFACE_INFO},
	{"list", INTERFACE_LIST},
	{"status", INTERFACE_STATUS},
	{"call", INTERFACE_CALL},
	{"send", INTERFACE_SEND},
	{"is-ready", INTERFACE_STATUS},
	{"is-active", INTERFACE_STATUS},
	{"is-failed", INTERFACE_STATUS},
	{"start", INTERFACE_START},
	{"stop", INTERFACE_STOP},
	{"restart", INTERFACE_RESTART},
	{"pause", INTERFACE_PAUSE},
	{"resume", INTERFACE_RESUME},
	{"drain", INTERFACE_DRAIN},
	{"reset", INTERFACE_RESET},
	{"reload", INTERFACE_RELOAD},
	{"rollback", INTERFACE_ROLLBACK},
	{"promote", INTERFACE_PROMOTE},
	{"abort", INTERFACE_ABORT},
	{"load", INTERFACE_LOAD},
	{"unload", INTERFACE_UNLOAD},
	{"diff", INTERFACE_DIFF_CONFIG},
	{"show", INTERFACE_SHOW_CONFIG},
	{"set", INTERFACE_SET_CONFIG},
	/* They set and save. */
	{"enable", INTERFACE_ROLLBACK_CONFIG},
	{"disable", INTERFACE_ROLLBACK_CONFIG},
	{"tasks", INTERFACE_TASKS},
	{"queues", INTERFACE_QUEUES},
	{"stats", INTERFACE_STATS},
	{"log", INTERFACE_LOG},
	{"blame", INTERFACE_LIST},
	{"deps", INTERFACE_LIST},
	{"events", INTERFACE_EVENTS},
	{"trace", INTERFACE_TRACE},
	{"shutdown", INTERFACE_SHUTDOWN},
};

/* The role that a verb takes, or "": none, or that of what it is about. */
static const char *
help_role(const struct verb *verb)
{
	for (size_t i = 0; i < sizeof(help_methods) / sizeof(*help_methods); i++)
		if (strcmp(help_methods[i].verb, verb->name) == 0)
			return interface_role_name(interface_method(help_methods[i].method)->role);
	return "";
}

static void
help_print_verb(struct print *print, const struct verb *verb)
{
	fprintf(print->file, "usage: bayctl [OPTION...] %s%s%s\n", verb->name,
		*verb->arguments != '\0' ? " " : "", verb->arguments);
	if (verb->alias != NULL)
		fprintf(print->file, "       (or: %s)\n", verb->alias);
	fputs("\n  ", print->file);
	help_wrap(print, 2, verb->summary);
	if (verb->help != NULL) {
		fputs("\n  ", print->file);
		help_wrap(print, 2, verb->help);
	}
	if (*help_role(verb) != '\0')
		fprintf(print->file, "\nfor the role %s (bayd(8), Users)\n", help_role(verb));
	if (verb->options != 0) {
		fputs("\noptions of this verb:\n", print->file);
		help_print_options(print, verb->options);
	}
	fputs("\noptions:\n", print->file);
	help_print_options(print, OPTIONS_OF_ALL_VERBS);
}

static void
help_print_all(struct print *print)
{
	fputs("usage: bayctl [OPTION...] VERB [ARGUMENT...]\n\n"
		"Looks into a running bayd and steers it.\n\nverbs:\n", print->file);
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		fprintf(print->file, "  %-*s", HELP_VERB_COLUMN - 2, verb->name);
		help_wrap(print, HELP_VERB_COLUMN, verb->summary);
	}
	fputs("\noptions:\n", print->file);
	help_print_options(print, OPTIONS_OF_ALL_VERBS);
	fputs("\nexit codes:\n", print->file);
	for (int i = 0; interface_exit_text(i) != NULL; i++) {
		fprintf(print->file, "  %2d  ", i);
		help_wrap(print, 6, interface_exit_text(i));
	}
	fputs("\nbayctl help VERB tells more about a verb.\n", print->file);
}

static json_t *
help_options_to_json(uint64_t options)
{
	json_t *array = json_array();

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if ((options & OPTION_BIT(i)) != 0)
			json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name", row->name,
				"value", row->value != NULL ? row->value : "", "help", row->help));
	}
	return array;
}

static json_t *
help_verb_to_json(const struct verb *verb)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", verb->name,
		"alias", verb->alias != NULL ? verb->alias : "", "arguments", verb->arguments,
		"summary", verb->summary, "help", verb->help != NULL ? verb->help : "",
		"role", help_role(verb), "options", help_options_to_json(verb->options));
}

static void
help_print_json(struct ctl *ctl, const struct verb *only)
{
	json_t *array = json_array();
	json_t *data;

	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		if (only == NULL || verb == only)
			json_array_append_new(array, help_verb_to_json(verb));
	data = json_pack("{s:o, s:o}", "verbs", array, "options",
		help_options_to_json(OPTIONS_OF_ALL_VERBS));
	ctl_print_json(ctl, NULL, data);
	json_decref(data);
}

void
help_show(struct ctl *ctl, const struct verb *verb)
{
	if (ctl->options.json)
		help_print_json(ctl, verb);
	else if (verb != NULL)
		help_print_verb(&ctl->out, verb);
	else
		help_print_all(&ctl->out);
}

enum interface_exit
verb_help(struct ctl *ctl)
{
	const char *name = ctl->options.arguments[0];
	const struct verb *verb = name != NULL ? verb_find(name) : NULL;
	const char *nearest;

	if (name == NULL || verb != NULL) {
		help_show(ctl, verb);
		return INTERFACE_EXIT_DONE;
	}
	ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "there is no verb \"%s\"",
		name);
	nearest = verb_nearest(name);
	if (nearest != NULL)
		ctl_error_hint(&ctl->error, "did you mean \"%s\"?", nearest);
	else
		ctl_error_hint(&ctl->error, "bayctl help lists them");
	return ctl_fail(ctl);
}
