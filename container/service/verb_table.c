/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/verb_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "service/setting_row.h"
#include "service/settings.h"

static const char *const verb_roles[] = {
	[BAY_ROLE_ADMIN] = "admin",
	[BAY_ROLE_OPERATOR] = "operator",
	[BAY_ROLE_VIEWER] = "viewer",
};

enum { VERB_ROLES = sizeof(verb_roles) / sizeof(*verb_roles) };

size_t
verb_table_rows(const struct bay_verb *table)
{
	size_t rows = 0;

	while (table != NULL && table[rows].name != NULL)
		rows++;
	return rows;
}

const struct bay_verb *
verb_table_find(const struct bay_verb *table, const char *name)
{
	for (; table != NULL && table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *
verb_role_name(uint32_t role)
{
	return role < VERB_ROLES ? verb_roles[role] : "nobody";
}

/* --- whether it makes sense ------------------------------------------------------- */

static bool
verb_table_check_row(const struct bay_verb *row, size_t index, struct buffer *error)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t length = strnlen(row->name, VERB_NAME_MAX + 1);

	if (length == 0 || length > VERB_NAME_MAX || strspn(row->name, allowed) < length ||
	    row->name[0] == '-')
		return buffer_fail(error, "row %zu of its verbs has a name that is not made of small "
			"letters, digits, '-' and '_' (at most %d)", index, VERB_NAME_MAX);
	if (row->handle == NULL)
		return buffer_fail(error, "its verb '%s' has no handler", row->name);
	if (row->role >= VERB_ROLES)
		return buffer_fail(error, "its verb '%s' is for the unknown role %u: use one of "
			"enum bay_role", row->name, row->role);
	if (row->flags != 0)
		return buffer_fail(error, "its verb '%s' has flags that this container does not know "
			"(0x%x): upgrade the container, or compile the plugin with its headers", row->name,
			row->flags);
	if (row->help == NULL || row->help[0] == '\0' ||
	    strnlen(row->help, VERB_HELP_MAX + 1) > VERB_HELP_MAX)
		return buffer_fail(error, "its verb '%s' has no help, or one of more than %d bytes",
			row->name, VERB_HELP_MAX);
	return true;
}

static bool
verb_table_check_arguments(const struct bay_verb *row, struct buffer *error)
{
	size_t rows;
	struct buffer why = {0};

	if (!settings_table_check(row->arguments, &why)) {
		const char *text = buffer_text(&why);

		(void)buffer_fail(error, "the arguments of its verb '%s': %s", row->name,
			text != NULL ? text : "no memory");
		buffer_finish(&why);
		return false;
	}
	rows = settings_table_rows(row->arguments);
	if (rows > VERB_ARGUMENTS_MAX)
		return buffer_fail(error, "its verb '%s' has %zu arguments, more than %d", row->name,
			rows, VERB_ARGUMENTS_MAX);
	for (size_t i = 1; i < rows; i++)
		if (row->arguments[i].default_text == NULL && row->arguments[i - 1].default_text != NULL)
			return buffer_fail(error, "the argument '%s' of its verb '%s' must be given, but "
				"stands behind '%s', which need not: put those without a default first",
				row->arguments[i].name, row->name, row->arguments[i - 1].name);
	return true;
}

bool
verb_table_check(const struct bay_verb *table, struct buffer *error)
{
	for (size_t i = 0; table != NULL && table[i].name != NULL; i++) {
		if (i == VERB_TABLE_ROWS_MAX)
			return buffer_fail(error, "its verbs have no BAY_VERBS_END within %d rows",
				VERB_TABLE_ROWS_MAX);
		if (!verb_table_check_row(&table[i], i, error) ||
		    !verb_table_check_arguments(&table[i], error))
			return false;
		for (size_t other = 0; other < i; other++)
			if (strcmp(table[other].name, table[i].name) == 0)
				return buffer_fail(error, "its verb '%s' is there twice", table[i].name);
	}
	return true;
}

/* --- arguments -------------------------------------------------------------------- */

/* Which argument a word names, "all=yes": its value is behind the '='. NULL: none. */
static const struct bay_setting *
verb_named_argument(const struct bay_verb *verb, size_t rows, const char *word, const char **value_r)
{
	size_t length = strcspn(word, "=");

	if (word[length] == '\0')
		return NULL;
	*value_r = word + length + 1;
	for (size_t i = 0; i < rows; i++)
		if (strlen(verb->arguments[i].name) == length &&
		    memcmp(verb->arguments[i].name, word, length) == 0)
			return &verb->arguments[i];
	return NULL;
}

static bool
verb_is_given(const char *name, const struct setting_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(values[i].key, name) == 0)
			return true;
	return false;
}

/* What it takes: "WORD [ALL]" in the order of the table, by the arguments' own names. */
static void
verb_append_usage(const struct bay_verb *verb, size_t rows, struct buffer *text)
{
	(void)buffer_fail(text, "usage: %s", verb->name);
	for (size_t i = 0; i < rows; i++)
		(void)buffer_fail(text, verb->arguments[i].default_text != NULL ? " [%s]" : " %s",
			verb->arguments[i].name);
}

/* Which word is for which argument. False: there are more words than arguments. */
static bool
verb_share_out(const struct bay_verb *verb, size_t rows, const char *const *words, size_t count,
	struct setting_value *values, struct buffer *error)
{
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		const char *value;
		const struct bay_setting *row = verb_named_argument(verb, rows, words[i], &value);

		if (row != NULL) {
			values[i] = (struct setting_value){row->name, value};
			continue;
		}
		while (next < rows && verb_is_given(verb->arguments[next].name, values, i))
			next++;
		if (next == rows) {
			(void)buffer_fail(error, "'%.100s' is one argument too many; ", words[i]);
			verb_append_usage(verb, rows, error);
			return false;
		}
		values[i] = (struct setting_value){verb->arguments[next].name, words[i]};
	}
	return true;
}

static void
verb_append_complaints(const struct bay_verb *verb, size_t rows, const struct settings_report *report,
	struct buffer *error)
{
	for (size_t i = 0; i < report->count; i++)
		(void)buffer_fail(error, "%sargument %s: %s", i > 0 ? "; " : "", report->items[i].key,
			report->items[i].text);
	(void)buffer_fail(error, "; ");
	verb_append_usage(verb, rows, error);
}

bool
verb_read_arguments(const struct bay_verb *verb, const char *const *words, size_t count,
	struct settings **arguments_r, struct buffer *error)
{
	size_t rows = settings_table_rows(verb->arguments);
	struct setting_value *values = xcalloc(count + 1, sizeof(*values));
	struct settings_report report = {0};
	bool done;

	*arguments_r = NULL;
	done = verb_share_out(verb, rows, words, count, values, error);
	if (done && !settings_create(verb->arguments, values, count, arguments_r, &report)) {
		verb_append_complaints(verb, rows, &report, error);
		done = false;
	}
	settings_report_finish(&report);
	free(values);
	return done;
}
