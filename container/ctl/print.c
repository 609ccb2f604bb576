/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/print.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "ctl/error.h"

enum { PRINT_COLUMNS = 80 };

static const char *const print_codes[] = {
	[PRINT_PLAIN] = "",
	[PRINT_GOOD] = "32",
	[PRINT_BUSY] = "33",
	[PRINT_BAD] = "31;1",
	[PRINT_FAINT] = "2",
};

static unsigned
print_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return PRINT_COLUMNS;
	return size.ws_col;
}

void
print_init(struct print *print, FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	int fd = fileno(file);

	*print = (struct print){.file = file};
	print->is_tty = fd >= 0 && isatty(fd) == 1;
	print->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	print->colour = print->is_tty && (no_color == NULL || *no_color == '\0') &&
		(term == NULL || strcmp(term, "dumb") != 0);
	if (print->is_tty)
		print->columns = print_columns(fd);
}

char *
print_escape(const char *text)
{
	struct buffer escaped = {0};
	char *copy;

	if (!text_make_printable(&escaped, text, strlen(text)))
		return xstrdup("");
	copy = buffer_text(&escaped);
	return copy != NULL ? copy : xstrdup("");
}

void
print_text(struct print *print, const char *text)
{
	print_styled(print, PRINT_PLAIN, text);
}

void
print_styled(struct print *print, enum print_style style, const char *text)
{
	char *escaped;

	if (text == NULL)
		return;
	escaped = print_escape(text);
	print_escaped(print, style, escaped);
	free(escaped);
}

void
print_escaped(struct print *print, enum print_style style, const char *escaped)
{
	if (print->colour && style != PRINT_PLAIN)
		fprintf(print->file, "\033[%sm%s\033[0m", print_codes[style], escaped);
	else
		fputs(escaped, print->file);
}

/* JSON leaves U+0080 to U+009F as they are, which steer a terminal: there all is ASCII. */
void
print_json(struct print *print, const json_t *json)
{
	json_dumpf(json, print->file, JSON_COMPACT | (print->is_tty ? JSON_ENSURE_ASCII : 0));
	fputc('\n', print->file);
}

/* A message of several lines stays one, each escaped by itself. */
static void
print_lines(struct print *print, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "\n");
		char *line = xstrndup(text, length);

		print_text(print, line);
		fputc('\n', print->file);
		free(line);
		text += length;
		if (*text == '\0' || *++text == '\0')
			return;
		fputs("        ", print->file);
	}
}

void
print_error(struct print *print, const struct ctl_error *error, bool quiet)
{
	size_t length = strlen(error->message);
	char *text;

	while (length > 0 && error->message[length - 1] == '\n')
		length--;
	text = xasprintf("%.*s%s%s%s", (int)length, error->message, error->code[0] != '\0' ? " [" : "",
		error->code, error->code[0] != '\0' ? "]" : "");
	fputs("bayctl: ", print->file);
	print_lines(print, text);
	free(text);
	if (quiet || error->hint[0] == '\0')
		return;
	fputs("        ", print->file);
	print_lines(print, error->hint);
}

/* The bytes of the first character, and the columns that it takes. */
static size_t
print_character(const char *text, size_t size, unsigned *columns_r)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t length = mbrtowc(&c, text, size, &state);
	int columns;

	/* Not of this locale: a terminal shows each byte somehow. */
	if (length == (size_t)-1 || length == (size_t)-2 || length == 0) {
		*columns_r = 1;
		return 1;
	}
	columns = wcwidth(c);
	*columns_r = columns > 0 ? (unsigned)columns : 0;
	return length;
}

size_t
print_fit(const char *escaped, unsigned columns)
{
	size_t size = strlen(escaped);
	size_t fit = 0;

	while (fit < size) {
		unsigned width;
		size_t length = print_character(escaped + fit, size - fit, &width);

		if (width > columns)
			break;
		columns -= width;
		fit += length;
	}
	return fit;
}

unsigned
print_width(const char *escaped)
{
	size_t size = strlen(escaped);
	unsigned total = 0;

	while (size > 0) {
		unsigned width;
		size_t length = print_character(escaped, size, &width);

		total += width;
		escaped += length;
		size -= length;
	}
	return total;
}

enum print_style
print_state_style(const char *state)
{
	if (strcmp(state, "ready") == 0)
		return PRINT_GOOD;
	if (strcmp(state, "failed") == 0)
		return PRINT_BAD;
	if (strcmp(state, "stopped") == 0)
		return PRINT_FAINT;
	if (strcmp(state, "starting") == 0 || strcmp(state, "stopping") == 0 ||
		strcmp(state, "draining") == 0 || strcmp(state, "paused") == 0 || strcmp(state, "drained") == 0)
		return PRINT_BUSY;
	return PRINT_PLAIN;
}

const char *
view_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

int64_t
view_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}
