/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/table.h"

enum { SHOW_CHANGE_COLUMN = 44 };

/* --- differences ------------------------------------------------------------- */

/* What is done about it, for people. */
static const char *
show_effect(const char *effect)
{
	static const struct {
		const char *name;
		const char *text;
	} effects[] = {
		{"live", "live"},
		{"start", "is started"},
		{"stop", "is stopped"},
		{"generation", "a new generation"},
		{"cell", "the cell is replaced"},
		{"restart", "waits for bayd's next start"},
	};

	for (size_t i = 0; i < sizeof(effects) / sizeof(*effects); i++)
		if (strcmp(effects[i].name, effect) == 0)
			return effects[i].text;
	return effect;
}

static enum print_style
show_sign_style(const char *sign)
{
	switch (*sign) {
	case '+':
		return PRINT_GOOD;
	case '-':
		return PRINT_BAD;
	case '!':
		return PRINT_BUSY;
	default:
		return PRINT_PLAIN;
	}
}

/* The value, escaped; one that is not set shows as a dash. Returns its columns. */
static unsigned
show_change_value(struct print *print, const json_t *change, const char *name)
{
	const char *text = json_is_string(json_object_get(change, name)) ?
		view_text(change, name) : "-";
	char *escaped = print_escape(*text != '\0' ? text : "\"\"");
	unsigned width = print_width(escaped);

	print_escaped(print, PRINT_PLAIN, escaped);
	free(escaped);
	return width;
}

static void
show_change(struct print *print, const json_t *change)
{
	const char *sign = view_text(change, "sign");
	const char *service = view_text(change, "service");
	const char *cell = view_text(change, "cell");
	const char *group = view_text(change, "group");
	const char *key = view_text(change, "key");
	unsigned width = 0;

	print_styled(print, show_sign_style(sign), sign);
	if (*key == '\0') {
		width += (unsigned)fprintf(print->file, " service ");
		print_text(print, service);
		width += (unsigned)strlen(service);
	} else {
		width += (unsigned)fprintf(print->file, " %s%s.", *cell != '\0' ? "cell " : *group != '\0' ? "group " : "",
			*cell != '\0' ? cell : *group != '\0' ? group : *service != '\0' ? service : "container");
		print_text(print, key);
		fputs(": ", print->file);
		width += (unsigned)strlen(key) + 2 + show_change_value(print, change, "old");
		width += (unsigned)fprintf(print->file, " -> ");
		width += show_change_value(print, change, "new");
	}
	fprintf(print->file, "%*s  ", width < SHOW_CHANGE_COLUMN ? (int)(SHOW_CHANGE_COLUMN - width) : 0,
		"");
	print_text(print, show_effect(view_text(change, "effect")));
	fputs("  (", print->file);
	print_text(print, view_text(change, "file"));
	if (view_int(change, "line") > 0)
		fprintf(print->file, ":%lld", (long long)view_int(change, "line"));
	fputs(")\n", print->file);
}

void
show_changes(struct print *print, const json_t *changes)
{
	for (size_t i = 0; i < json_array_size(changes); i++)
		show_change(print, json_array_get(changes, i));
}

/* --- values ------------------------------------------------------------------ */

static void
show_key_origin(struct table *table, const json_t *key)
{
	const char *origin = view_text(key, "origin");
	char place[1024];

	if (strcmp(origin, "file") == 0) {
		snprintf(place, sizeof(place), "%s:%lld", view_text(key, "file"),
			(long long)view_int(key, "line"));
		table_text(table, PRINT_PLAIN, place);
	} else if (strcmp(origin, "set") == 0) {
		table_text(table, PRINT_BUSY, view_text(key, "by"));
	} else {
		table_text(table, PRINT_FAINT, origin);
	}
}

void
show_keys(struct print *print, const json_t *keys, bool heading)
{
	static const struct table_column columns[] = {
		{"KEY", TABLE_LEFT}, {"VALUE", TABLE_LEFT}, {"LIVE", TABLE_LEFT},
		{"FROM", TABLE_LAST}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);

		table_text(table, PRINT_PLAIN, view_text(key, "key"));
		table_text(table, PRINT_PLAIN, view_text(key, "value"));
		table_text(table, PRINT_PLAIN, json_is_true(json_object_get(key, "live")) ? "yes" : "no");
		show_key_origin(table, key);
	}
	table_print(table, print, heading);
	table_destroy(table);
}

/* --- history ----------------------------------------------------------------- */

void
show_configurations(struct print *print, const json_t *configurations, bool heading)
{
	static const struct table_column columns[] = {
		{"NUMBER", TABLE_RIGHT}, {"SINCE", TABLE_LEFT}, {"SERVICES", TABLE_RIGHT},
		{"WHY", TABLE_LAST}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(configurations); i++) {
		const json_t *one = json_array_get(configurations, i);
		char since[CLOCK_TEXT_SIZE];

		clock_format_wall(since, sizeof(since), view_int(one, "since_wall_ns"));
		table_int(table, view_int(one, "number"));
		table_text(table, PRINT_PLAIN, since);
		table_int(table, view_int(one, "services"));
		table_text(table, PRINT_PLAIN, view_text(one, "why"));
	}
	table_print(table, print, heading);
	table_destroy(table);
}
