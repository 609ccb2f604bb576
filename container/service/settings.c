/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/settings.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "service/setting_row.h"

/* An ini may hold a key of any length. */
enum { SETTINGS_KEY_SHOWN = 100 };

/* One piece of memory: this, the plugin's struct, the strings that it points to. */
struct settings {
	_Atomic unsigned refs;
	size_t size; /* of what follows */
	alignas(max_align_t) uint8_t bytes[];
};

size_t
settings_table_rows(const struct bay_setting *table)
{
	size_t rows = 0;

	while (table != NULL && table[rows].type != BAY_SETTING_END)
		rows++;
	return rows;
}

/* --- reports ------------------------------------------------------------------------ */

/* Takes the text out of the buffer. */
static void
settings_report_add(struct settings_report *report, size_t value, const char *key,
	struct buffer *text)
{
	const char *said = buffer_text(text);

	report->items = xrealloc(report->items, report->count + 1, sizeof(*report->items));
	report->items[report->count++] = (struct setting_complaint){
		.value = value,
		.key = xstrndup(key, SETTINGS_KEY_SHOWN),
		.text = xstrdup(said != NULL ? said : "no memory"),
	};
	buffer_finish(text);
}

void
settings_report_finish(struct settings_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->items[i].key);
		free(report->items[i].text);
	}
	free(report->items);
	*report = (struct settings_report){0};
}

/* --- values and rows ------------------------------------------------------------------ */

static const struct bay_setting *
settings_table_find(const struct bay_setting *table, size_t rows, const char *key)
{
	for (size_t i = 0; i < rows; i++)
		if (strcmp(table[i].name, key) == 0)
			return &table[i];
	return NULL;
}

static void
settings_complain_unknown(const struct bay_setting *table, size_t rows, const char *key,
	size_t value, struct settings_report *report)
{
	const char *names[SETTINGS_ROWS_MAX] = {0};
	struct buffer text = {0};
	const char *nearest;

	for (size_t i = 0; i < rows; i++)
		names[i] = table[i].name;
	nearest = text_nearest(key, names, rows);
	(void)buffer_fail(&text, "no such setting");
	if (nearest != NULL)
		(void)buffer_fail(&text, "; did you mean '%s'?", nearest);
	else if (rows == 0)
		(void)buffer_fail(&text, "; the plugin has none");
	for (size_t i = 0; nearest == NULL && i < rows && i < 8; i++)
		(void)buffer_fail(&text, "%s%s", i == 0 ? "; the plugin has " : ", ", names[i]);
	if (nearest == NULL && rows > 8)
		(void)buffer_fail(&text, " and %zu more", rows - 8);
	settings_report_add(report, value, key, &text);
}

/* Every value must be one that a row wants, and the first of its key. */
static void
settings_check_values(const struct bay_setting *table, size_t rows,
	const struct setting_value *values, size_t count, struct settings_report *report)
{
	for (size_t i = 0; i < count; i++) {
		const struct bay_setting *row = settings_table_find(table, rows, values[i].key);
		struct buffer text = {0};
		union setting_field field;
		size_t first = 0;

		while (first < i && strcmp(values[first].key, values[i].key) != 0)
			first++;
		if (row == NULL)
			settings_complain_unknown(table, rows, values[i].key, i, report);
		else if (first < i && !buffer_fail(&text, "given twice"))
			settings_report_add(report, i, values[i].key, &text);
		else if (!setting_row_read(row, values[i].value, &field, &text))
			settings_report_add(report, i, values[i].key, &text);
	}
}

/* The text that fills a row, or NULL: there is none. */
static const char *
settings_text_of(const struct bay_setting *row, const struct setting_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(values[i].key, row->name) == 0)
			return values[i].value;
	return row->default_text;
}

static void
settings_check_missing(const struct bay_setting *table, size_t rows,
	const struct setting_value *values, size_t count, struct settings_report *report)
{
	for (size_t i = 0; i < rows; i++) {
		struct buffer text = {0};

		if (settings_text_of(&table[i], values, count) != NULL)
			continue;
		(void)buffer_fail(&text, "must be given, it has no default");
		if (table[i].help != NULL)
			(void)buffer_fail(&text, " (%s)", table[i].help);
		settings_report_add(report, SIZE_MAX, table[i].name, &text);
	}
}

/* --- the block ------------------------------------------------------------------------ */

/* The bytes of the struct and of every string that it will point to. */
static bool
settings_measure(const struct bay_setting *table, size_t rows,
	const struct setting_value *values, size_t count, size_t *size_r)
{
	size_t size = table[0].struct_size;

	for (size_t i = 0; i < rows; i++)
		if (table[i].type == BAY_SETTING_STRING &&
		    __builtin_add_overflow(size,
			strlen(settings_text_of(&table[i], values, count)) + 1, &size))
			return false;
	*size_r = size;
	return size <= SIZE_MAX - sizeof(struct settings);
}

/* Copies a string behind what is in use of the block. */
static const char *
settings_keep_text(struct settings *settings, size_t *used, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(settings->bytes + *used, text, size);

	*used += size;
	return copy;
}

/* All values have been read before and are known to fit. */
static void
settings_fill(struct settings *settings, const struct bay_setting *table, size_t rows,
	const struct setting_value *values, size_t count)
{
	size_t used = table[0].struct_size;
	struct buffer ignored = {0};

	for (size_t i = 0; i < rows; i++) {
		const char *text = settings_text_of(&table[i], values, count);
		union setting_field field = {0};

		(void)!setting_row_read(&table[i], text, &field, &ignored);
		if (table[i].type == BAY_SETTING_STRING)
			field.text = settings_keep_text(settings, &used, text);
		/* The members of the union all begin where it does. */
		memcpy(settings->bytes + table[i].offset, &field, table[i].field_size);
	}
	buffer_finish(&ignored);
}

bool
settings_create(const struct bay_setting *table, const struct setting_value *values,
	size_t count, struct settings **settings_r, struct settings_report *report)
{
	size_t rows = settings_table_rows(table), complaints = report->count, size;
	struct settings *settings = NULL;
	struct buffer text = {0};

	*settings_r = NULL;
	settings_check_values(table, rows, values, count, report);
	settings_check_missing(table, rows, values, count, report);
	if (report->count > complaints)
		return false;
	if (rows == 0)
		return true;
	/* How much it is, the plugin and the ini choose. */
	if (settings_measure(table, rows, values, count, &size))
		settings = calloc(1, sizeof(*settings) + size);
	if (settings == NULL) {
		(void)buffer_fail(&text, "no memory for the settings");
		settings_report_add(report, SIZE_MAX, table[0].name, &text);
		return false;
	}
	settings->refs = 1;
	settings->size = size;
	settings_fill(settings, table, rows, values, count);
	*settings_r = settings;
	return true;
}

struct settings *
settings_ref(struct settings *settings)
{
	if (settings != NULL)
		atomic_fetch_add_explicit(&settings->refs, 1, memory_order_relaxed);
	return settings;
}

void
settings_unref(struct settings *settings)
{
	if (settings != NULL &&
	    atomic_fetch_sub_explicit(&settings->refs, 1, memory_order_acq_rel) == 1)
		free(settings);
}

const void *
settings_struct(const struct settings *settings)
{
	return settings != NULL ? settings->bytes : NULL;
}
