/* SPDX-License-Identifier: BSD-2-Clause */
/* What the codes of errors mean; see base/code.h. */
#include "config.h"

#include <string.h>

#include "base/code.h"
#include "ctl/ctl.h"
#include "ctl/help.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static json_t *
explain_to_json(const struct code *code)
{
	return json_pack("{s:s, s:s, s:s}", "code", code->slug, "meaning", code->meaning, "remedy",
		code->remedy);
}

static enum interface_exit
explain_all(struct ctl *ctl)
{
	static const struct table_column columns[] = {{"CODE", TABLE_LEFT}, {"MEANING", TABLE_LAST}};
	struct table *table;
	json_t *list;

	if (ctl->options.json) {
		list = json_array();
		for (const struct code *code = codes; code->slug != NULL; code++)
			json_array_append_new(list, explain_to_json(code));
		list = json_pack("{s:o}", "codes", list);
		ctl_print_json(ctl, NULL, list);
		json_decref(list);
		return INTERFACE_EXIT_DONE;
	}
	table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (const struct code *code = codes; code->slug != NULL; code++) {
		table_text(table, PRINT_PLAIN, code->slug);
		table_text(table, PRINT_PLAIN, code->meaning);
	}
	table_print(table, &ctl->out, !ctl->options.quiet);
	table_destroy(table);
	return INTERFACE_EXIT_DONE;
}

static enum interface_exit
explain_unknown(struct ctl *ctl, const char *slug)
{
	const char *nearest = code_nearest(slug);

	ctl_error_set(&ctl->error, INTERFACE_EXIT_NOT_FOUND, CTL_CODE_NOT_FOUND,
		"there is no code \"%s\"", slug);
	if (nearest != NULL)
		ctl_error_hint(&ctl->error, "did you mean \"%s\"?", nearest);
	else
		ctl_error_hint(&ctl->error, "bayctl explain lists them");
	return ctl_fail(ctl);
}

/* People copy it with its brackets. */
static void
explain_read_slug(const char *word, char *slug, size_t size)
{
	size_t length = strlen(word);

	if (length >= 2 && word[0] == '[' && word[length - 1] == ']')
		snprintf(slug, size, "%.*s", (int)length - 2, word + 1);
	else
		snprintf(slug, size, "%s", word);
}

enum interface_exit
verb_explain(struct ctl *ctl)
{
	const struct code *code;
	char slug[64];
	json_t *json;

	if (ctl->options.argument_count == 0)
		return explain_all(ctl);
	explain_read_slug(ctl->options.arguments[0], slug, sizeof(slug));
	code = code_find(slug);
	if (code == NULL)
		return explain_unknown(ctl, slug);
	if (ctl->options.json) {
		json = explain_to_json(code);
		ctl_print_json(ctl, NULL, json);
		json_decref(json);
		return INTERFACE_EXIT_DONE;
	}
	fprintf(ctl->out.file, "%s: ", code->slug);
	help_wrap(&ctl->out, 0, code->meaning);
	fputs("\n", ctl->out.file);
	help_wrap(&ctl->out, 0, code->remedy);
	return INTERFACE_EXIT_DONE;
}
