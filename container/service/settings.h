/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a plugin's table of settings and the texts of an ini to the plugin's own struct.
 *
 *	table + {"delay", "1s"} ...   ->   | struct sleeper | "text" NUL ... |
 *
 * The table comes from the plugin, so settings_table_check looks at it before anything else
 * here does. It can only tell wrong numbers and texts: a wild pointer is a crash, which is
 * why an examiner checks it first.
 *
 * Any thread; never suspends.
 */
#ifndef BAY_SERVICE_SETTINGS_H
#define BAY_SERVICE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/setting.h>

struct buffer;

enum {
	SETTINGS_ROWS_MAX = 256,
	SETTINGS_STRUCT_MAX = 1024 * 1024, /* bytes of the plugin's struct */
	SETTINGS_NAME_MAX = 63,
	SETTINGS_TEXT_MAX = 1024           /* bytes of a default, the choices, the help */
};

/* One line of the ini. Borrowed. */
struct setting_value {
	const char *key;
	const char *value;
};

/* What is wrong with one value, or with a value that is not there. */
struct setting_complaint {
	size_t value; /* its index, or SIZE_MAX: it is missing */
	char *key;  /* its beginning, if it is absurdly long */
	char *text; /* to be read behind the key and a colon */
};

/* All that is wrong, in the order of the values. A zeroed struct is an empty report. */
struct settings_report {
	struct setting_complaint *items;
	size_t count;
};

/* A filled struct with its strings; never changes. Shared by who uses it, and counted. */
struct settings;

/* Whether the table makes sense. False: the reason is appended to error. NULL is fine. */
bool settings_table_check(const struct bay_setting *table, struct buffer *error)
	__attribute__((warn_unused_result));

/*
 * Fills the struct: every value must belong to a row and every row without a default must
 * have a value. table is checked and stays as long as the plugin; NULL: no settings are
 * known, and *settings_r becomes NULL. The caller has the only reference. False: see what was
 * added to report.
 */
bool settings_create(const struct bay_setting *table, const struct setting_value *values,
	size_t count, struct settings **settings_r, struct settings_report *report)
	__attribute__((warn_unused_result));

/* NULL is fine for both. */
struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);

/* The plugin's struct, borrowed; NULL for NULL. */
const void *settings_struct(const struct settings *settings);

/* The rows of a table without the one that ends it; 0 for NULL. */
size_t settings_table_rows(const struct bay_setting *table);

void settings_report_finish(struct settings_report *report);

#endif
