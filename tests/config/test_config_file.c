/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "config/config_report.h"
#include "support/check_main.h"
#include "support/codes.h"

/* Events as lines "line [header]" and "line name=value"; headers that begin with '!' are bad. */
static bool
note_section(void *arg, const char *header, unsigned line)
{
	ck_assert(buffer_printf(arg, "%u [%s]\n", line, header));
	return *header != '!';
}

static void
note_key(void *arg, const char *name, const char *value, unsigned line)
{
	ck_assert(buffer_printf(arg, "%u %s=", line, name));
	ck_assert(text_escape(arg, value, strlen(value)));
	ck_assert(buffer_append_text(arg, "\n"));
}

/* Parsing data gives exactly these events and complaints. */
static void
parses_bytes(const void *data, size_t size, const char *events_expected, const char *complaints)
{
	struct buffer seen = {0};
	struct buffer said = {0};
	struct config_report report = {0};
	const struct config_file_events events = {note_section, note_key, &seen};

	config_file_parse("x", data, size, &events, &report);
	ck_assert(config_report_print(&report, &said));
	take_codes_off(buffer_text(&said));
	ck_assert_str_eq((const char *)said.data, complaints);
	ck_assert_str_eq(buffer_text(&seen), events_expected);
	buffer_finish(&seen);
	buffer_finish(&said);
	config_report_finish(&report);
}

static void
parses(const char *text, const char *events, const char *complaints)
{
	parses_bytes(text, strlen(text), events, complaints);
}

START_TEST(sections_and_keys_come_with_their_lines)
{
	parses("[a]\nk = v\n\n; comment\n# another\n[b]\nl=w\n",
		"1 [a]\n2 k=v\n6 [b]\n7 l=w\n", "");
	parses("top = 1\n[a]\nk = v", "1 top=1\n2 [a]\n3 k=v\n", "");
	parses("", "", "");
	parses("\n\n", "", "");
}
END_TEST

START_TEST(a_section_without_keys_is_a_section)
{
	parses("[a]\n[b]\n[c]", "1 [a]\n2 [b]\n3 [c]\n", "");
}
END_TEST

START_TEST(windows_line_ends_and_a_byte_order_mark_do_no_harm)
{
	parses("\xef\xbb\xbf[a]\r\nk = v\r\nq = \"v \"\r\n", "1 [a]\n2 k=v\n3 q=v \n", "");
	parses("\xef\xbb\xbfk = v\n", "1 k=v\n", "");
}
END_TEST

START_TEST(comments_behind_values_and_headers_are_no_part_of_them)
{
	parses("[a] ; first\n[b];second\n[c] # third\nk = v ; comment\nl = a;b\nm = ; nothing\n"
		"n = v # kept\n",
		"1 [a]\n2 [b]\n3 [c]\n4 k=v\n5 l=a;b\n6 m=\n7 n=v # kept\n", "");
}
END_TEST

START_TEST(quotes_keep_semicolons_and_blanks)
{
	parses("a = \"x ; y\" ; comment\nb = \"  edge  \"\nc = \"\"\nd = \"q \\\"in\\\" \\\\ it\"\n"
		"e = say \"hi\"\nf = \"#\"\n",
		"1 a=x ; y\n2 b=  edge  \n3 c=\n4 d=q \"in\" \\\\ it\n5 e=say \"hi\"\n6 f=#\n", "");
}
END_TEST

START_TEST(quotes_that_are_not_right_are_complained_of)
{
	parses("a = \"open\nb = \"x\" y\nc = \"bad \\n\"\nd = \"end\\\ne = 1\n", "5 e=1\n",
		"x:1: the closing double quote is missing\n"
		"x:2: there is something behind the closing double quote\n"
		"x:3: in quotes, a backslash is followed by \" or another backslash\n"
		"x:4: in quotes, a backslash is followed by \" or another backslash\n");
	parses("a = say \"x ; y\"\nb = 1\n", "2 b=1\n",
		"x:1: the ';' begins a comment inside quotes: put the whole value in double quotes, with"
		" \\\" for the ones in it\n");
	parses("a = 'x ; y'\nb = it's ; b\nc = 'd' ; e\n", "2 b=it's\n3 c='d'\n",
		"x:1: the ';' begins a comment inside quotes: put the whole value in double quotes, with"
		" \\\" for the ones in it\n");
}
END_TEST

START_TEST(an_indented_line_goes_on_with_the_value)
{
	parses("k = one\n  two ; comment\n\t\" three = 3\"\n; comment\n\n  four\nl = x\n",
		"1 k=one\\ntwo\\n three = 3\\nfour\n7 l=x\n", "");
	parses("k =\n  a\n  b", "1 k=\\na\\nb\n", "");
}
END_TEST

START_TEST(a_continued_key_of_any_length_keeps_its_name)
{
	parses("a123456789_123456789_123456789_123456789_123456789_123456789 = x\n y\n",
		"1 a123456789_123456789_123456789_123456789_123456789_123456789=x\\ny\n", "");
}
END_TEST

START_TEST(an_indented_key_or_header_is_not_taken_for_a_value)
{
	parses("[a]\nk = v\n  l = w\n  m: u\nn = 1\n", "1 [a]\n2 k=v\n5 n=1\n",
		"x:3: an indented line goes on with the value above it: begin the key 'l' in the first"
		" column, or put the line in double quotes\n"
		"x:4: an indented line goes on with the value above it: begin the key 'm' in the first"
		" column, or put the line in double quotes\n");
	parses("k = v\n  [b] ; comment\nl = w\n[c]\n", "1 k=v\n4 [c]\n",
		"x:2: an indented line goes on with the value above it: begin a section header in the"
		" first column, or put the line in double quotes\n");
	parses("[a]\n  word\n", "1 [a]\n",
		"x:2: an indented line goes on with the value above it, and there is none\n");
	parses("k = v\n  [1, 2], [3]\n", "1 k=v\\n[1, 2], [3]\n", "");
	parses("k =\n  [1,\n  2]", "1 k=\\n[1,\\n2]\n", "");
}
END_TEST

START_TEST(keys_behind_a_bad_header_are_withheld_until_the_next)
{
	parses("[a]\nk = 1\n[b\nk = 2\n  more\nnonsense\n[c]\nk = 3\n", "1 [a]\n2 k=1\n7 [c]\n8 k=3\n",
		"x:3: the section header has no ']'\n");
	parses("[a] junk\nk = 1\n[b] [c]\nk = 2\n[d]\n", "5 [d]\n",
		"x:1: there is something behind the ']' of the section header\n"
		"x:3: there is something behind the ']' of the section header\n");
	parses("[!bad]\nk = 1\n  more\n[a]\nk = 2\n", "1 [!bad]\n4 [a]\n5 k=2\n", "");
	parses("[]\nk = 1\n", "1 []\n2 k=1\n", "");
}
END_TEST

START_TEST(what_is_neither_section_nor_key_is_complained_of_each_time)
{
	parses("word\nk = 1\nword two\n= v\na b = 1\n  more of it\nl = 2\n", "2 k=1\n7 l=2\n",
		"x:1: this is no [section], no KEY = VALUE and no comment\n"
		"x:3: this is no [section], no KEY = VALUE and no comment\n"
		"x:4: the name of the key is missing\n"
		"x:5: the name of a key has letters, digits, '_', '-' and '.' only\n");
}
END_TEST

START_TEST(section_names_and_keys_of_any_length_are_whole)
{
	struct buffer text = {0};
	struct buffer expected = {0};
	char name[301];

	memset(name, 'n', 300);
	name[300] = '\0';
	ck_assert(buffer_printf(&text, "[service %s]\n%s = v\n", name, name));
	ck_assert(buffer_printf(&expected, "1 [service %s]\n2 %s=v\n", name, name));
	parses(buffer_text(&text), buffer_text(&expected), "");
	buffer_finish(&text);
	buffer_finish(&expected);
}
END_TEST

START_TEST(long_lines_are_not_split)
{
	struct buffer text = {0};
	struct buffer expected = {0};
	size_t length = 200000;
	char *value = malloc(length + 1);

	memset(value, 'v', length);
	value[length] = '\0';
	ck_assert(buffer_printf(&text, "a = 1\nk = %s\nb = 2\nl = %s", value, value));
	ck_assert(buffer_printf(&expected, "1 a=1\n2 k=%s\n3 b=2\n4 l=%s\n", value, value));
	parses(buffer_text(&text), buffer_text(&expected), "");
	buffer_finish(&text);
	buffer_finish(&expected);
	free(value);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_complained_of_line_by_line)
{
	parses_bytes("a = 1\nb = \0\n  more\nc = 2\n", 24, "1 a=1\n4 c=2\n",
		"x:2: there is a NUL byte in the line: this is no text file\n");
	/* Of a file full of them, once is enough. */
	parses_bytes("a = 1\nb = \0\n\0\n", 14, "1 a=1\n",
		"x:2: there is a NUL byte in the line: this is no text file\n");
	parses("a = 1\rb = 2\nc = 3\r\r\n", "",
		"x:1: there is a carriage return in the middle of the line\n"
		"x:2: there is a carriage return in the middle of the line\n");
	parses("a = 1\nb = \xff\xfe\nc = 3\n", "1 a=1\n3 c=3\n", "x:2: the line is not in UTF-8\n");
	parses("a = \xc3\xa4\n\xef\xbb\xbf" "b = 1\n", "1 a=\xc3\xa4\n",
		"x:2: the name of a key has letters, digits, '_', '-' and '.' only\n");
}
END_TEST

START_TEST(a_colon_separates_as_an_equals_sign_does)
{
	parses("a: 1\nb = c:d\ne:f = g\n", "1 a=1\n2 b=c:d\n3 e=f = g\n", "");
}
END_TEST

CHECK_MAIN("config/config_file",
	sections_and_keys_come_with_their_lines,
	a_section_without_keys_is_a_section,
	windows_line_ends_and_a_byte_order_mark_do_no_harm,
	comments_behind_values_and_headers_are_no_part_of_them,
	quotes_keep_semicolons_and_blanks,
	quotes_that_are_not_right_are_complained_of,
	an_indented_line_goes_on_with_the_value,
	a_continued_key_of_any_length_keeps_its_name,
	an_indented_key_or_header_is_not_taken_for_a_value,
	keys_behind_a_bad_header_are_withheld_until_the_next,
	what_is_neither_section_nor_key_is_complained_of_each_time,
	section_names_and_keys_of_any_length_are_whole,
	long_lines_are_not_split,
	bytes_that_are_no_text_are_complained_of_line_by_line,
	a_colon_separates_as_an_equals_sign_does)
