/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a table of settings makes sense. */
#include "config.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "service/setting_row.h"
#include "service/settings.h"

/* --- one row ---------------------------------------------------------------------------- */

static bool
settings_table_is_text(const char *text, size_t max)
{
	return strnlen(text, max + 1) <= max;
}

static bool
settings_table_check_name(const struct bay_setting *row, size_t index, struct buffer *error)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (row->name == NULL || row->name[0] == '\0')
		return buffer_fail(error, "row %zu of its settings has no name", index);
	if (!settings_table_is_text(row->name, SETTINGS_NAME_MAX) ||
	    row->name[strspn(row->name, allowed)] != '\0')
		return buffer_fail(error, "row %zu of its settings has a name that is not made of "
			"letters, digits, '_', '.' and '-' (at most %d)", index, SETTINGS_NAME_MAX);
	return true;
}

static bool
settings_table_check_field(const struct bay_setting *row, uint32_t struct_size,
	struct buffer *error)
{
	size_t size = setting_type_size(row->type);

	if (size == 0)
		return buffer_fail(error, "its setting '%s' has the unknown type %u: upgrade the "
			"container, or compile the plugin with its headers", row->name, row->type);
	if (row->field_size != size)
		return buffer_fail(error, "its setting '%s' is of type %s, whose field has %zu "
			"bytes, not %u: use the C type that <bay/setting.h> names", row->name,
			setting_type_name(row->type), size, row->field_size);
	if (row->struct_size != struct_size)
		return buffer_fail(error, "its setting '%s' belongs to a struct of %u bytes, the "
			"first one to one of %u: all rows fill one struct", row->name,
			row->struct_size, struct_size);
	if (row->struct_size > SETTINGS_STRUCT_MAX || row->offset > row->struct_size ||
	    row->field_size > row->struct_size - row->offset)
		return buffer_fail(error, "its setting '%s' lies outside of its struct: use the "
			"macros of <bay/setting.h>", row->name);
	return true;
}

static bool
settings_table_check_choices(const struct bay_setting *row, struct buffer *error)
{
	const char *rest = row->choices, *word, *other, *others;
	size_t length, other_length;

	if (rest == NULL || !settings_table_is_text(rest, SETTINGS_TEXT_MAX) ||
	    !text_is_utf8(rest, strlen(rest)))
		return buffer_fail(error, "its setting '%s' has no list of choices", row->name);
	while (setting_next_choice(&rest, &word, &length)) {
		if (length == 0)
			return buffer_fail(error, "its setting '%s' has an empty choice in '%s'",
				row->name, row->choices);
		others = rest;
		while (setting_next_choice(&others, &other, &other_length))
			if (length == other_length && memcmp(word, other, length) == 0)
				return buffer_fail(error, "its setting '%s' has the choice "
					"'%.*s' twice", row->name, (int)length, word);
	}
	return true;
}

static bool
settings_table_check_bounds(const struct bay_setting *row, struct buffer *error)
{
	if (row->type == BAY_SETTING_CHOICE)
		return settings_table_check_choices(row, error);
	if (row->type != BAY_SETTING_INT64 && row->type != BAY_SETTING_SIZE)
		return true;
	if (row->minimum > row->maximum ||
	    (row->type == BAY_SETTING_SIZE && row->minimum < 0))
		return buffer_fail(error, "its setting '%s' allows no value: the smallest is "
			"above the largest, or negative", row->name);
	return true;
}

static bool
settings_table_check_flags(const struct bay_setting *row, struct buffer *error)
{
	if ((row->flags & ~(uint64_t)BAY_LIVE) == 0)
		return true;
	return buffer_fail(error, "its setting '%s' has flags that are not known: upgrade the "
		"container, or compile the plugin with its headers", row->name);
}

static bool
settings_table_check_texts(const struct bay_setting *row, struct buffer *error)
{
	union setting_field field;
	struct buffer why = {0};
	const char *text;

	if (row->help != NULL && !settings_table_is_text(row->help, SETTINGS_TEXT_MAX))
		return buffer_fail(error, "the help of its setting '%s' has more than %d bytes",
			row->name, SETTINGS_TEXT_MAX);
	if (row->default_text == NULL)
		return true;
	if (!settings_table_is_text(row->default_text, SETTINGS_TEXT_MAX))
		return buffer_fail(error, "the default of its setting '%s' has more than %d bytes",
			row->name, SETTINGS_TEXT_MAX);
	if (setting_row_read(row, row->default_text, &field, &why)) {
		buffer_finish(&why);
		return true;
	}
	text = buffer_text(&why);
	(void)buffer_fail(error, "the default of its setting '%s' is wrong: %s", row->name,
		text != NULL ? text : "no memory");
	buffer_finish(&why);
	return false;
}

/* --- rows beside each other ----------------------------------------------------------------- */

static bool
settings_table_check_others(const struct bay_setting *table, size_t index, struct buffer *error)
{
	const struct bay_setting *row = &table[index];

	for (const struct bay_setting *other = table; other < row; other++) {
		if (strcmp(other->name, row->name) == 0)
			return buffer_fail(error, "its setting '%s' is there twice", row->name);
		if (row->offset < other->offset + other->field_size &&
		    other->offset < row->offset + row->field_size)
			return buffer_fail(error, "its settings '%s' and '%s' fill the same "
				"field", other->name, row->name);
	}
	return true;
}

bool
settings_table_check(const struct bay_setting *table, struct buffer *error)
{
	if (table == NULL)
		return true;
	for (size_t i = 0; table[i].type != BAY_SETTING_END; i++) {
		if (i == SETTINGS_ROWS_MAX)
			return buffer_fail(error, "its settings have no BAY_END within %d rows",
				SETTINGS_ROWS_MAX);
		if (!settings_table_check_name(&table[i], i, error) ||
		    !settings_table_check_field(&table[i], table[0].struct_size, error) ||
		    !settings_table_check_bounds(&table[i], error) ||
		    !settings_table_check_flags(&table[i], error) ||
		    !settings_table_check_texts(&table[i], error) ||
		    !settings_table_check_others(table, i, error))
			return false;
	}
	return true;
}
