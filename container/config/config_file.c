/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the bytes of a file and inih stands a reader that looks at each line first. inih
 * then only sees headers, keys and continuations that are sound; a line that is not becomes
 * an empty one. What inih makes of a line arrives in the handler while that line is still
 * the reader's current one, so its number and kind are known.
 *
 * A value may go on in the lines below it, so a key is handed over when the next key or
 * section begins, or the file ends.
 */
#include "config.h"

#include "config/config_file.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "config/config_report.h"

enum config_line {
	CONFIG_LINE_NOTHING = 0, /* empty, a comment, or a fault that has been told */
	CONFIG_LINE_SECTION,
	CONFIG_LINE_KEY,
	CONFIG_LINE_CONTINUATION
};

/* A stretch of the file, not terminated. */
struct config_span {
	const char *text;
	size_t length;
};

struct config_file {
	const char *name;
	struct config_span rest; /* what has not been read yet */
	unsigned line;           /* number of the current line, from 1 */
	enum config_line kind;   /* of the current line */
	bool withheld;           /* behind a bad header: keys are not looked at */
	char *key;               /* whose value may still go on, or NULL */
	unsigned key_line;
	bool key_is_bad;         /* complained of already: not handed over */
	bool has_nul;            /* which was complained of */
	struct buffer value;
	const struct config_file_events *events;
	struct config_report *report;
};

#define complain(file, format, ...) \
	config_report_add((file)->report, (file)->name, (file)->line, format " [config-syntax]", \
		##__VA_ARGS__)

/* --- spans ------------------------------------------------------------------ */

static bool
config_is_blank(char c)
{
	return isspace((unsigned char)c);
}

static struct config_span
config_trim(struct config_span span)
{
	while (span.length > 0 && config_is_blank(*span.text)) {
		span.text++;
		span.length--;
	}
	while (span.length > 0 && config_is_blank(span.text[span.length - 1]))
		span.length--;
	return span;
}

static struct config_span
config_span_from(struct config_span span, size_t start)
{
	return (struct config_span){span.text + start, span.length - start};
}

static bool
config_is_comment(struct config_span trimmed)
{
	return trimmed.length > 0 && (*trimmed.text == ';' || *trimmed.text == '#');
}

/* The place of c in the span, or its length. */
static size_t
config_find(struct config_span span, char c)
{
	const char *at = memchr(span.text, c, span.length);

	return at != NULL ? (size_t)(at - span.text) : span.length;
}

/* Takes the next line, with its newline, off the rest of the file. */
static struct config_span
config_take_line(struct config_file *file)
{
	struct config_span line = {file->rest.text, config_find(file->rest, '\n')};

	if (line.length < file->rest.length)
		line.length++;
	file->rest = config_span_from(file->rest, line.length);
	file->line++;
	return line;
}

/* --- values ----------------------------------------------------------------- */

/* Between double quotes: \" and \\ are escapes, everything else is itself. */
static bool
config_unquote(struct config_file *file, struct config_span value, struct buffer *out)
{
	size_t at = 1;

	for (; at < value.length && value.text[at] != '"'; at++) {
		if (value.text[at] == '\\') {
			at++;
			if (at == value.length || (value.text[at] != '"' && value.text[at] != '\\')) {
				complain(file, "in quotes, a backslash is followed by \" or another backslash");
				return false;
			}
		}
		if (!buffer_append(out, &value.text[at], 1)) {
			complain(file, "no memory for this value");
			return false;
		}
	}
	if (at == value.length) {
		complain(file, "the closing double quote is missing");
		return false;
	}
	value = config_trim(config_span_from(value, at + 1));
	if (value.length > 0 && *value.text != ';') {
		complain(file, "there is something behind the closing double quote");
		return false;
	}
	return true;
}

/* Without quotes, a ';' at the start or behind a blank begins a comment. */
static bool
config_strip_comment(struct config_file *file, struct config_span value, struct buffer *out)
{
	/* Single quotes mean nothing here, but who begins with one means to quote. */
	const char quote = value.length > 0 && *value.text == '\'' ? '\'' : '"';
	unsigned quotes = 0;
	size_t at = 0;

	for (; at < value.length; at++) {
		if (value.text[at] == ';' && (at == 0 || config_is_blank(value.text[at - 1])))
			break;
		quotes += value.text[at] == quote;
	}
	if (at < value.length && quotes % 2 == 1) {
		complain(file, "the ';' begins a comment inside quotes: put the whole value in double"
			" quotes, with \\\" for the ones in it");
		return false;
	}
	value = config_trim((struct config_span){value.text, at});
	if (!buffer_append(out, value.text, value.length)) {
		complain(file, "no memory for this value");
		return false;
	}
	return true;
}

/* Appends what a line says of the value, without quotes or comment. */
static bool
config_append_value(struct config_file *file, const char *raw)
{
	struct config_span value = config_trim((struct config_span){raw, strlen(raw)});

	if (value.length > 0 && *value.text == '"')
		return config_unquote(file, value, &file->value);
	return config_strip_comment(file, value, &file->value);
}

/* --- keys ------------------------------------------------------------------- */

/* Hands over the key whose value is now complete. */
static void
config_end_key(struct config_file *file)
{
	if (file->key == NULL)
		return;
	if (!file->key_is_bad) {
		const char *value = buffer_text(&file->value);

		if (value != NULL)
			file->events->key(file->events->arg, file->key, value, file->key_line);
		else
			complain(file, "no memory for this value");
	}
	free(file->key);
	file->key = NULL;
}

static void
config_begin_key(struct config_file *file, const char *name, const char *value)
{
	config_end_key(file);
	file->key = xstrdup(name);
	file->key_line = file->line;
	buffer_clear(&file->value);
	file->key_is_bad = !config_append_value(file, value);
}

static void
config_continue_key(struct config_file *file, const char *value)
{
	if (file->key_is_bad)
		return;
	if (!buffer_append(&file->value, "\n", 1) || !config_append_value(file, value))
		file->key_is_bad = true;
}

/* inih's handler. The section it names may be cut, and the name of a continued key too. */
static int
config_on_value(void *arg, const char *section, const char *name, const char *value)
{
	struct config_file *file = arg;

	(void)section;
	if (file->kind == CONFIG_LINE_KEY)
		config_begin_key(file, name, value);
	else if (file->kind == CONFIG_LINE_CONTINUATION)
		config_continue_key(file, value);
	return 1;
}

/* A line that should have been a key is no good: what goes on with it belongs to the fault. */
static void
config_bad_key(struct config_file *file)
{
	config_end_key(file);
	file->key = xstrdup("");
	file->key_is_bad = true;
}

static bool
config_is_key_name(struct config_span name)
{
	for (size_t i = 0; i < name.length; i++) {
		unsigned char c = (unsigned char)name.text[i];

		if (!(c < 0x80 && (isalnum(c) || c == '_' || c == '-' || c == '.')))
			return false;
	}
	return name.length > 0;
}

/* What stands before the first '=' or ':'; false: there is neither. */
static bool
config_split_name(struct config_span line, struct config_span *name_r)
{
	size_t equals = config_find(line, '=');
	size_t colon = config_find(line, ':');
	size_t end = equals < colon ? equals : colon;

	*name_r = config_trim((struct config_span){line.text, end});
	return end < line.length;
}

/* --- lines ------------------------------------------------------------------ */

/* Whether there is something other than a comment from here on. */
static bool
config_goes_on(struct config_span line, size_t from)
{
	struct config_span behind = config_trim(config_span_from(line, from));

	return behind.length > 0 && !config_is_comment(behind);
}

/* "[header]", with nothing but a comment behind it. Anything else withholds the keys. */
static enum config_line
config_look_at_header(struct config_file *file, struct config_span line)
{
	size_t end = config_find(line, ']');
	char *header;

	config_end_key(file);
	file->withheld = true;
	if (end == line.length) {
		complain(file, "the section header has no ']'");
		return CONFIG_LINE_NOTHING;
	}
	if (config_goes_on(line, end + 1)) {
		complain(file, "there is something behind the ']' of the section header");
		return CONFIG_LINE_NOTHING;
	}
	header = xstrndup(line.text + 1, end - 1);
	file->withheld = !file->events->section(file->events->arg, header, file->line);
	free(header);
	return CONFIG_LINE_SECTION;
}

static enum config_line
config_look_at_key(struct config_file *file, struct config_span line)
{
	struct config_span name;
	bool split = config_split_name(line, &name);

	config_end_key(file);
	if (file->withheld)
		return CONFIG_LINE_NOTHING;
	if (split && config_is_key_name(name))
		return CONFIG_LINE_KEY;
	if (!split)
		complain(file, "this is no [section], no KEY = VALUE and no comment");
	else if (name.length == 0)
		complain(file, "the name of the key is missing");
	else
		complain(file, "the name of a key has letters, digits, '_', '-' and '.' only");
	config_bad_key(file);
	return CONFIG_LINE_NOTHING;
}

/*
 * An indented line goes on with the value above. One that looks like a key or a header of
 * its own most likely was meant as one, so it has to be quoted if it was not.
 */
static enum config_line
config_look_at_indented(struct config_file *file, struct config_span line)
{
	struct config_span name;
	size_t bracket = config_find(line, ']');

	if (file->withheld)
		return CONFIG_LINE_NOTHING;
	if (*line.text == '[' && bracket < line.length && !config_goes_on(line, bracket + 1)) {
		complain(file, "an indented line goes on with the value above it: begin a section header"
			" in the first column, or put the line in double quotes");
		config_end_key(file);
		file->withheld = true;
		return CONFIG_LINE_NOTHING;
	}
	if (*line.text != '"' && config_split_name(line, &name) && config_is_key_name(name)) {
		complain(file, "an indented line goes on with the value above it: begin the key '%.*s' in"
			" the first column, or put the line in double quotes", (int)name.length, name.text);
		return CONFIG_LINE_NOTHING;
	}
	if (file->key == NULL) {
		complain(file, "an indented line goes on with the value above it, and there is none");
		return CONFIG_LINE_NOTHING;
	}
	return file->key_is_bad ? CONFIG_LINE_NOTHING : CONFIG_LINE_CONTINUATION;
}

/* The bytes of a line must be text before anything else. */
static bool
config_is_text(struct config_file *file, struct config_span line)
{
	size_t end = line.length;

	if (end > 0 && line.text[end - 1] == '\n')
		end--;
	if (end > 0 && line.text[end - 1] == '\r')
		end--;
	if (memchr(line.text, '\0', line.length) != NULL) {
		/* Once says it all. */
		if (!file->has_nul)
			complain(file, "there is a NUL byte in the line: this is no text file");
		file->has_nul = true;
	} else if (memchr(line.text, '\r', end) != NULL)
		complain(file, "there is a carriage return in the middle of the line");
	else if (!text_is_utf8(line.text, line.length))
		complain(file, "the line is not in UTF-8");
	else
		return true;
	return false;
}

static enum config_line
config_look_at(struct config_file *file, struct config_span line)
{
	struct config_span trimmed;
	bool indented;

	if (!config_is_text(file, line)) {
		config_bad_key(file);
		return CONFIG_LINE_NOTHING;
	}
	if (file->line == 1 && line.length >= 3 && memcmp(line.text, "\xef\xbb\xbf", 3) == 0)
		line = config_span_from(line, 3);
	trimmed = config_trim(line);
	indented = trimmed.text > line.text;
	if (trimmed.length == 0 || config_is_comment(trimmed))
		return CONFIG_LINE_NOTHING;
	if (indented)
		return config_look_at_indented(file, trimmed);
	if (*trimmed.text == '[')
		return config_look_at_header(file, trimmed);
	return config_look_at_key(file, trimmed);
}

/* inih's reader: as fgets. The room is always enough, see config_file_parse. */
static char *
config_on_read(char *room, int size, void *stream)
{
	struct config_file *file = stream;
	struct config_span line;

	if (file->rest.length == 0)
		return NULL;
	line = config_take_line(file);
	file->kind = config_look_at(file, line);
	if (line.length >= (size_t)size) {
		complain(file, "the line is longer than the %d bytes that this inih takes", size - 1);
		file->kind = CONFIG_LINE_NOTHING;
	}
	if (file->kind == CONFIG_LINE_NOTHING)
		line = (struct config_span){"\n", 1};
	memcpy(room, line.text, line.length);
	room[line.length] = '\0';
	return room;
}

/* --- the whole ---------------------------------------------------------------- */

/*
 * Debian's inih takes these at run time, for the process. By default it splits lines at 199
 * bytes and cuts values at every " ;", quoted or not.
 */
static void
config_set_up_inih(size_t longest_line)
{
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_max_line = (int)longest_line;
	ini_initial_alloc = (int)longest_line;
	ini_allow_multiline = true;
	ini_allow_bom = true;
	ini_allow_inline_comments = false;
	ini_allow_no_value = false;
	ini_stop_on_first_error = false;
}

void
config_file_parse(const char *name, const void *data, size_t size,
	const struct config_file_events *events, struct config_report *report)
{
	struct config_file file = {
		.name = name,
		.rest = {data, size},
		.events = events,
		.report = report,
	};

	config_report_file(report, name);
	config_set_up_inih(size + 3);
	/* Lines that inih could complain of do not reach it: -2 is no memory. */
	if (ini_parse_stream(config_on_read, &file, config_on_value, &file) == -2)
		config_report_add(report, name, 0, "no memory to read it [no-memory]");
	config_end_key(&file);
	free(file.key);
	buffer_finish(&file.value);
}
