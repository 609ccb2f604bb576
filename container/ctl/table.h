/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table for people: columns as wide as their widest cell, which may hold any characters.
 *
 *	static const struct table_column columns[] = {
 *		{"SERVICE", TABLE_LEFT}, {"QUEUED", TABLE_RIGHT}, {"NOTE", TABLE_LAST}};
 *	struct table *table = table_create(columns, 3);
 *
 *	table_text(table, PRINT_PLAIN, "square");
 *	table_int(table, 5);
 *	table_text(table, PRINT_PLAIN, "");
 *	table_print(table, &out, true);
 *	table_destroy(table);
 *
 * Cells are filled row by row. Columns that are empty in every row are left out when they
 * are TABLE_LAST. Has one owner.
 */
#ifndef BAY_CTL_TABLE_H
#define BAY_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/print.h"

enum table_align {
	TABLE_LEFT = 0,
	TABLE_RIGHT,
	TABLE_LAST, /* free text at the end: cut at the edge of a terminal */
	/* Or'ed to them, but not in the first or the last column: */
	TABLE_SPARE = 4, /* left out when the rows do not fit on a terminal, the last one first */
	TABLE_USEFUL = 8 /* the same, after all that are spare */
};

struct table_column {
	const char *title;
	unsigned align; /* enum table_align */
};

struct table;

/* columns is borrowed for the table's life. */
struct table *table_create(const struct table_column *columns, size_t count);
void table_destroy(struct table *table);

/* The next cell: text is escaped and copied; "" shows as "-" unless the column is the last. */
void table_text(struct table *table, enum print_style style, const char *text);
void table_int(struct table *table, int64_t number);
void table_duration(struct table *table, int64_t ns);
void table_size(struct table *table, int64_t bytes);

/* Columns stand two blanks apart, or one where that makes the rows fit. A file gets all of
 * them. */
void table_print(const struct table *table, struct print *print, bool heading);

#endif
