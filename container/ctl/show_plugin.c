/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plugin takes: its settings and its verbs. */
#include "config.h"

#include "ctl/show.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "ctl/table.h"

/* The type and what it allows: "integer 1..10", "fast|safe". */
static void
show_type_cell(struct table *table, const json_t *row)
{
	struct buffer text = {0};
	const char *range = view_text(row, "range");

	if (strcmp(view_text(row, "type"), "choice") == 0)
		(void)buffer_fail(&text, "%s", range);
	else
		(void)buffer_fail(&text, "%s%s%s", view_text(row, "type"), *range != '\0' ? " " : "", range);
	table_text(table, PRINT_PLAIN, buffer_text(&text));
	buffer_finish(&text);
}

/* Settings or arguments; only of settings there are those that are live. */
static void
show_rows(struct print *print, const json_t *rows, bool settings)
{
	static const struct table_column of_settings[] = {{"SETTING", TABLE_LEFT}, {"TYPE", TABLE_LEFT},
		{"DEFAULT", TABLE_LEFT}, {"LIVE", TABLE_LEFT}, {"", TABLE_LAST}};
	static const struct table_column of_arguments[] = {{"ARGUMENT", TABLE_LEFT},
		{"TYPE", TABLE_LEFT}, {"DEFAULT", TABLE_LEFT}, {"", TABLE_LAST}};
	struct table *table;

	if (json_array_size(rows) == 0)
		return;
	table = settings ? table_create(of_settings, sizeof(of_settings) / sizeof(*of_settings))
		: table_create(of_arguments, sizeof(of_arguments) / sizeof(*of_arguments));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *value = json_object_get(row, "default");

		table_text(table, PRINT_PLAIN, view_text(row, "name"));
		show_type_cell(table, row);
		if (!json_is_string(value))
			table_text(table, PRINT_BUSY, "(must be given)");
		else
			table_text(table, PRINT_PLAIN, *json_string_value(value) != '\0' ?
				json_string_value(value) : "\"\"");
		if (settings)
			table_text(table, PRINT_PLAIN, json_is_true(json_object_get(row, "live")) ? "yes" : "no");
		table_text(table, PRINT_PLAIN, view_text(row, "help"));
	}
	table_print(table, print, true);
	table_destroy(table);
}

/* "forget WORD [ALL]", the arguments by their own names. */
static void
show_verb_usage(struct print *print, const json_t *verb)
{
	const json_t *arguments = json_object_get(verb, "arguments");

	print_text(print, view_text(verb, "name"));
	for (size_t i = 0; i < json_array_size(arguments); i++) {
		const json_t *argument = json_array_get(arguments, i);
		bool optional = json_is_string(json_object_get(argument, "default"));

		fputs(optional ? " [" : " ", print->file);
		print_text(print, view_text(argument, "name"));
		fputs(optional ? "]" : "", print->file);
	}
}

static void
show_verb(struct print *print, const json_t *verb, bool named)
{
	if (named) {
		print_text(print, view_text(verb, "service"));
		fputc(' ', print->file);
	}
	show_verb_usage(print, verb);
	fputs("\n    ", print->file);
	print_text(print, view_text(verb, "help"));
	fprintf(print->file, " (for the role ");
	print_text(print, view_text(verb, "role"));
	fputs(")\n", print->file);
	show_rows(print, json_object_get(verb, "arguments"), false);
}

void
show_verbs(struct print *print, const json_t *verbs, bool named)
{
	for (size_t i = 0; i < json_array_size(verbs); i++) {
		if (i > 0)
			fputc('\n', print->file);
		show_verb(print, json_array_get(verbs, i), named);
	}
}

void
show_plugin(struct print *print, const json_t *plugin)
{
	const json_t *settings = json_object_get(plugin, "settings");
	const json_t *verbs = json_object_get(plugin, "verbs");

	print_text(print, view_text(plugin, "name"));
	fputc(' ', print->file);
	print_text(print, view_text(plugin, "version"));
	if (*view_text(plugin, "summary") != '\0') {
		fputs(": ", print->file);
		print_text(print, view_text(plugin, "summary"));
	}
	fputs("\n\n", print->file);
	if (json_array_size(settings) == 0)
		fputs("It has no settings.\n", print->file);
	else
		fputs("Settings, for its section of the ini. A change of one that is live counts from the next "
			"request on, of another by a new generation.\n",
			print->file);
	show_rows(print, settings, true);
	fputs(json_array_size(verbs) == 0 ? "\nIt has no verbs.\n" : "\nVerbs, for bayctl do SERVICE.\n\n",
		print->file);
	show_verbs(print, verbs, false);
}
