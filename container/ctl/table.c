/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

enum {
	TABLE_COLUMNS_WANTED = 80,
	TABLE_LAST_MIN = 12, /* of the last column stays, even if the row then wraps */
	TABLE_LAST_GOOD = 32, /* for so much of it other columns are left out */
	TABLE_COLUMNS_MAX = 16
};

struct table_cell {
	char *text; /* escaped */
	unsigned width;
	enum print_style style;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct table_cell *cells; /* row by row */
	size_t cell_count;
	size_t capacity;
	unsigned *widths; /* of each column */
};

struct table *
table_create(const struct table_column *columns, size_t count)
{
	struct table *table = xcalloc(1, sizeof(*table));

	assert(count <= TABLE_COLUMNS_MAX);
	table->columns = columns;
	table->column_count = count;
	table->widths = xcalloc(count, sizeof(*table->widths));
	return table;
}

void
table_destroy(struct table *table)
{
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table->widths);
	free(table);
}

static enum table_align
table_align(const struct table *table, size_t column)
{
	return (enum table_align)(table->columns[column].align & ~(unsigned)(TABLE_SPARE | TABLE_USEFUL));
}

/* --- cells ------------------------------------------------------------------- */

void
table_text(struct table *table, enum print_style style, const char *text)
{
	size_t column = table->cell_count % table->column_count;
	struct table_cell *cell;

	if (table->cell_count == table->capacity) {
		table->capacity = table->capacity > 0 ? table->capacity * 2 : 64;
		table->cells = xrealloc(table->cells, table->capacity, sizeof(*table->cells));
	}
	if (*text == '\0' && table_align(table, column) != TABLE_LAST)
		text = "-";
	cell = &table->cells[table->cell_count++];
	cell->text = print_escape(text);
	cell->width = print_width(cell->text);
	cell->style = style;
	if (cell->width > table->widths[column])
		table->widths[column] = cell->width;
}

void
table_int(struct table *table, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, number);
	table_text(table, PRINT_PLAIN, text);
}

void
table_duration(struct table *table, int64_t ns)
{
	char text[CLOCK_TEXT_SIZE];

	table_text(table, PRINT_PLAIN, clock_format_duration(text, sizeof(text), ns));
}

void
table_size(struct table *table, int64_t bytes)
{
	char text[32];

	table_text(table, PRINT_PLAIN,
		text_format_size(text, sizeof(text), bytes > 0 ? (uint64_t)bytes : 0));
}

/* --- printing ---------------------------------------------------------------- */

/* How one row is laid out. */
struct table_layout {
	unsigned gap;
	unsigned last_max;   /* columns that the last cell may take; 0: any number */
	size_t column_count; /* without a last column that is empty */
	bool heading;
	bool hidden[TABLE_COLUMNS_MAX];
};

static unsigned
table_column_width(const struct table *table, size_t column, bool heading)
{
	unsigned title = heading ? (unsigned)strlen(table->columns[column].title) : 0;

	return table->widths[column] > title ? table->widths[column] : title;
}

/* The columns of the terminal that all but the last column take, with the gaps. */
static unsigned
table_fixed_width(const struct table *table, const struct table_layout *layout)
{
	unsigned fixed = 0;

	for (size_t i = 0; i < layout->column_count; i++) {
		if (layout->hidden[i])
			continue;
		fixed += i > 0 ? layout->gap : 0;
		if (table_align(table, i) != TABLE_LAST)
			fixed += table_column_width(table, i, layout->heading);
	}
	return fixed;
}

/* Leaves columns of this kind out, the last one first, until the others take wanted columns. */
static void
table_hide(const struct table *table, struct table_layout *layout, unsigned kind, unsigned wanted)
{
	for (size_t i = layout->column_count; i-- > 0;)
		if ((table->columns[i].align & kind) != 0 && table_fixed_width(table, layout) > wanted)
			layout->hidden[i] = true;
}

static struct table_layout
table_lay_out(const struct table *table, const struct print *print, bool heading)
{
	struct table_layout layout = {.gap = 2, .heading = heading};
	unsigned wanted = print->columns > 0 ? print->columns : TABLE_COLUMNS_WANTED;
	size_t last = table->column_count - 1;
	unsigned note = table_align(table, last) == TABLE_LAST ? table->widths[last] : 0;
	unsigned fixed;

	layout.column_count = table->column_count;
	if (table_align(table, last) == TABLE_LAST && note == 0)
		layout.column_count--;
	if (table_fixed_width(table, &layout) + note > wanted)
		layout.gap = 1;
	/* Only a terminal has an edge: a file keeps all columns and the whole text. */
	if (print->columns == 0)
		return layout;
	if (note > TABLE_LAST_GOOD)
		note = TABLE_LAST_GOOD;
	table_hide(table, &layout, TABLE_SPARE, wanted > note ? wanted - note : 0);
	table_hide(table, &layout, TABLE_USEFUL, wanted > note ? wanted - note : 0);
	fixed = table_fixed_width(table, &layout);
	layout.last_max = wanted > fixed + TABLE_LAST_MIN ? wanted - fixed : TABLE_LAST_MIN;
	return layout;
}

static void
table_pad(struct print *print, unsigned count)
{
	fprintf(print->file, "%*s", (int)count, "");
}

/* As much of the text as fits into max columns; the last one says that there was more. */
static char *
table_cut(const char *text, unsigned max, bool utf8)
{
	return xasprintf("%.*s%s", (int)print_fit(text, max - 1), text, utf8 ? "\xe2\x80\xa6" : ">");
}

static void
table_print_cell(const struct table *table, const struct table_layout *layout,
	struct print *print, size_t column, const struct table_cell *cell)
{
	enum table_align align = table_align(table, column);
	unsigned pad = table_column_width(table, column, layout->heading) - cell->width;
	char *cut = NULL;

	if (align == TABLE_LAST && layout->last_max > 0 && cell->width > layout->last_max)
		cut = table_cut(cell->text, layout->last_max, print->utf8);
	if (column > 0)
		table_pad(print, layout->gap);
	if (align == TABLE_RIGHT)
		table_pad(print, pad);
	print_escaped(print, cell->style, cut != NULL ? cut : cell->text);
	if (align != TABLE_RIGHT && column + 1 < layout->column_count)
		table_pad(print, pad);
	free(cut);
}

/* A row ends with its last cell that is not empty: no blanks at the end of a line. */
static void
table_print_row(const struct table *table, const struct table_layout *layout,
	struct print *print, const struct table_cell *cells)
{
	struct table_layout row = *layout;

	while (row.column_count > 1 && cells[row.column_count - 1].width == 0)
		row.column_count--;
	for (size_t i = 0; i < row.column_count; i++)
		if (!row.hidden[i])
			table_print_cell(table, &row, print, i, &cells[i]);
	fputc('\n', print->file);
}

static void
table_print_heading(const struct table *table, const struct table_layout *layout,
	struct print *print)
{
	struct table_cell *cells = xcalloc(table->column_count, sizeof(*cells));

	for (size_t i = 0; i < table->column_count; i++) {
		cells[i].text = (char *)(uintptr_t)table->columns[i].title;
		cells[i].width = (unsigned)strlen(table->columns[i].title);
	}
	table_print_row(table, layout, print, cells);
	free(cells);
}

void
table_print(const struct table *table, struct print *print, bool heading)
{
	struct table_layout layout = table_lay_out(table, print, heading);

	if (heading)
		table_print_heading(table, &layout, print);
	for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count)
		table_print_row(table, &layout, print, &table->cells[i]);
}
