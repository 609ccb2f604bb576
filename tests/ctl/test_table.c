/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static const struct table_column columns[] = {
	{"NAME", TABLE_LEFT}, {"N", TABLE_RIGHT}, {"NOTE", TABLE_LAST}};

static char *text;
static size_t size;
static struct print print;
static struct table *table;

static void
start(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	print_init(&print, open_memstream(&text, &size));
	table = table_create(columns, 3);
}

static void
row(const char *name, int64_t number, const char *note)
{
	table_text(table, PRINT_PLAIN, name);
	table_int(table, number);
	table_text(table, PRINT_PLAIN, note);
}

static const char *
printed(bool heading)
{
	table_print(table, &print, heading);
	fflush(print.file);
	return text;
}

static void
finish(void)
{
	table_destroy(table);
	fclose(print.file);
	free(text);
}

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	start();
	row("a", 5, "why");
	row("longer", 1234, "");
	ck_assert_str_eq(printed(true),
		"NAME       N  NOTE\n"
		"a          5  why\n"
		"longer  1234\n");
	finish();
}
END_TEST

START_TEST(a_last_column_without_text_is_left_out)
{
	start();
	row("a", 5, "");
	ck_assert_str_eq(printed(true), "NAME  N\na     5\n");
	finish();
}
END_TEST

START_TEST(without_heading_titles_take_no_room)
{
	start();
	row("a", 5, "");
	ck_assert_str_eq(printed(false), "a  5\n");
	finish();
}
END_TEST

START_TEST(no_rows_are_a_heading_or_nothing)
{
	start();
	ck_assert_str_eq(printed(true), "NAME  N\n");
	finish();
	start();
	ck_assert_str_eq(printed(false), "");
	finish();
}
END_TEST

START_TEST(an_empty_cell_inside_is_a_dash)
{
	start();
	row("", 5, "");
	ck_assert_str_eq(printed(false), "-  5\n");
	finish();
}
END_TEST

START_TEST(wide_and_combining_characters_keep_the_columns_straight)
{
	start();
	row("\xe6\xbc\xa2\xe5\xad\x97", 1, "x");
	row("abcd", 2, "x");
	row("e\xcc\x81", 3, "x");
	ck_assert_str_eq(printed(false),
		"\xe6\xbc\xa2\xe5\xad\x97  1  x\n"
		"abcd  2  x\n"
		"e\xcc\x81     3  x\n");
	finish();
}
END_TEST

START_TEST(cells_are_escaped)
{
	start();
	row("a\033[2J", 1, "b\nc");
	ck_assert_str_eq(printed(false), "a\\x1b[2J  1  b\\nc\n");
	finish();
}
END_TEST

START_TEST(colour_does_not_disturb_the_columns)
{
	start();
	print.colour = true;
	table_text(table, PRINT_BAD, "ab");
	table_int(table, 1);
	table_text(table, PRINT_PLAIN, "");
	row("abcd", 2, "");
	ck_assert_str_eq(printed(false), "\033[31;1mab\033[0m    1\nabcd  2\n");
	finish();
}
END_TEST

START_TEST(columns_move_together_when_80_are_not_enough)
{
	char name[78];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	start();
	row(name, 1, "");
	table_print(table, &print, false);
	fflush(print.file);
	ck_assert_uint_eq(size, 77 + 2 + 1 + 1);
	name[0] = '\0';
	finish();
	memset(name, 'x', sizeof(name) - 1);
	start();
	row(name, 12, "");
	table_print(table, &print, false);
	fflush(print.file);
	ck_assert_uint_eq(size, 77 + 1 + 2 + 1);
	finish();
}
END_TEST

START_TEST(a_long_note_is_cut_at_the_edge_of_a_terminal_only)
{
	char note[300];

	memset(note, 'n', sizeof(note));
	note[sizeof(note) - 1] = '\0';
	start();
	row("a", 1, note);
	table_print(table, &print, false);
	fflush(print.file);
	ck_assert_uint_eq(size, 4 + 299 + 1);
	finish();
	start();
	print.columns = 40;
	row("a", 1, note);
	table_print(table, &print, false);
	fflush(print.file);
	/* The mark takes three bytes and one column. */
	ck_assert_uint_eq(size, 40 + 2 + 1);
	ck_assert_ptr_nonnull(strstr(text, "n\xe2\x80\xa6\n"));
	finish();
}
END_TEST

START_TEST(on_a_narrow_terminal_something_of_the_note_remains)
{
	start();
	print.columns = 5;
	print.utf8 = false;
	row("a_long_name", 1, "a note that does not fit at all");
	ck_assert_str_eq(printed(false), "a_long_name 1 a note that>\n");
	finish();
}
END_TEST

START_TEST(on_a_narrow_terminal_spare_columns_make_room)
{
	static const struct table_column wide[] = {{"NAME", TABLE_LEFT},
		{"ONE", TABLE_RIGHT | TABLE_SPARE}, {"TWO", TABLE_RIGHT | TABLE_USEFUL},
		{"THREE", TABLE_RIGHT | TABLE_SPARE}, {"NOTE", TABLE_LAST}};
	static const struct {
		unsigned columns;
		const char *printed;
	} rows[] = {
		{0, "NAME  ONE  TWO  THREE  NOTE\na       1    2      3  why it is\n"},
		{32, "NAME  ONE  TWO  THREE  NOTE\na       1    2      3  why it is\n"},
		{28, "NAME ONE TWO THREE NOTE\na      1   2     3 why it is\n"},
		{27, "NAME ONE TWO NOTE\na      1   2 why it is\n"},
		{20, "NAME TWO NOTE\na      2 why it is\n"},
		{15, "NAME NOTE\na    why it is\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		start();
		print.columns = rows[i].columns;
		table_destroy(table);
		table = table_create(wide, sizeof(wide) / sizeof(*wide));
		table_text(table, PRINT_PLAIN, "a");
		for (int n = 1; n <= 3; n++)
			table_int(table, n);
		table_text(table, PRINT_PLAIN, "why it is");
		ck_assert_str_eq(printed(true), rows[i].printed);
		finish();
	}
}
END_TEST

START_TEST(numbers_times_and_sizes_are_printed)
{
	start();
	table_duration(table, 1500000);
	table_size(table, 65536);
	table_text(table, PRINT_PLAIN, "");
	table_duration(table, 0);
	table_size(table, -5);
	table_text(table, PRINT_PLAIN, "");
	ck_assert_str_eq(printed(false), "1.5ms  64k\n0        0\n");
	finish();
}
END_TEST

CHECK_MAIN("ctl/table",
	columns_are_as_wide_as_their_widest_cell,
	a_last_column_without_text_is_left_out,
	without_heading_titles_take_no_room,
	no_rows_are_a_heading_or_nothing,
	an_empty_cell_inside_is_a_dash,
	wide_and_combining_characters_keep_the_columns_straight,
	cells_are_escaped,
	colour_does_not_disturb_the_columns,
	columns_move_together_when_80_are_not_enough,
	a_long_note_is_cut_at_the_edge_of_a_terminal_only,
	on_a_narrow_terminal_something_of_the_note_remains,
	on_a_narrow_terminal_spare_columns_make_room,
	numbers_times_and_sizes_are_printed)
