/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_edit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/remedy.h"
#include "config/config_file.h"

/* A line without its end, and that. */
struct config_edit_line {
	const char *text;
	size_t length;
	size_t whole; /* with the end */
};

/* --- lines --------------------------------------------------------------------- */

/* False: there is no line any more. */
static bool
config_edit_next(const char **text, const char *end, struct config_edit_line *line_r)
{
	size_t left = (size_t)(end - *text);
	const char *newline = memchr(*text, '\n', left);

	if (left == 0)
		return false;
	line_r->text = *text;
	line_r->whole = newline != NULL ? (size_t)(newline - *text) + 1 : left;
	line_r->length = line_r->whole - (newline != NULL);
	if (line_r->length > 0 && line_r->text[line_r->length - 1] == '\r')
		line_r->length--;
	*text += line_r->whole;
	return true;
}

static bool
config_edit_is_blank(char c)
{
	return isspace((unsigned char)c);
}

/* Where something begins in the line, or its length. */
static size_t
config_edit_skip(const struct config_edit_line *line, size_t from)
{
	while (from < line->length && config_edit_is_blank(line->text[from]))
		from++;
	return from;
}

static bool
config_edit_says_nothing(const struct config_edit_line *line)
{
	size_t at = config_edit_skip(line, 0);

	return at == line->length || line->text[at] == ';' || line->text[at] == '#';
}

static bool
config_edit_goes_on(const struct config_edit_line *line)
{
	return !config_edit_says_nothing(line) && config_edit_is_blank(*line->text);
}

/* The place of the '=' or ':', or the length. */
static size_t
config_edit_find_sign(const struct config_edit_line *line)
{
	size_t at = 0;

	while (at < line->length && line->text[at] != '=' && line->text[at] != ':')
		at++;
	return at;
}

/* The first byte behind a value that begins at from: what follows is blanks and a comment. */
static size_t
config_edit_value_end(const struct config_edit_line *line, size_t from)
{
	size_t at = from, end = from;

	if (at < line->length && line->text[at] == '"') {
		for (at++; at < line->length && line->text[at] != '"'; at++)
			at += line->text[at] == '\\';
		return at < line->length ? at + 1 : line->length;
	}
	for (; at < line->length; at++) {
		if (line->text[at] == ';' && (at == from || config_edit_is_blank(line->text[at - 1])))
			break;
		if (!config_edit_is_blank(line->text[at]))
			end = at + 1;
	}
	return end;
}

/* --- values -------------------------------------------------------------------- */

static bool
config_edit_wants_quotes(const char *value)
{
	size_t length = strlen(value);

	if (length == 0)
		return false;
	return strpbrk(value, ";\"'\\") != NULL || config_edit_is_blank(value[0]) ||
		config_edit_is_blank(value[length - 1]);
}

static bool
config_edit_append_value(struct buffer *out, const char *value)
{
	bool done;

	if (!config_edit_wants_quotes(value))
		return buffer_append_text(out, value);
	done = buffer_append_text(out, "\"");
	for (; done && *value != '\0'; value++)
		done = ((*value != '"' && *value != '\\') || buffer_append_text(out, "\\")) &&
			buffer_append(out, value, 1);
	return done && buffer_append_text(out, "\"");
}

/* The line with another value; what stands behind that stays. */
static bool
config_edit_replace(struct buffer *out, const struct config_edit_line *line, const char *value)
{
	size_t sign = config_edit_find_sign(line);
	size_t from = config_edit_skip(line, sign + 1);
	size_t end = config_edit_value_end(line, from);

	return buffer_append(out, line->text, from) &&
		(from > sign + 1 || buffer_append_text(out, " ")) &&
		config_edit_append_value(out, value) &&
		(end > from || end == line->length || buffer_append_text(out, " ")) &&
		buffer_append(out, line->text + end, line->whole - end);
}

/* A line of its own, with its '=' below that of the line like, if that has one. */
static bool
config_edit_insert(struct buffer *out, const struct config_edit_line *like, const char *key,
	const char *value)
{
	size_t sign = config_edit_find_sign(like);
	int width = sign < like->length && sign > 0 && sign <= 40 &&
		config_edit_is_blank(like->text[sign - 1]) ? (int)sign - 1 : 0;
	bool crlf = like->whole - like->length == 2;

	/* The last line of a file may have no end. */
	if (like->whole == like->length && !buffer_append_text(out, "\n"))
		return false;
	return buffer_printf(out, "%-*s = ", width, key) &&
		config_edit_append_value(out, value) && buffer_append_text(out, crlf ? "\r\n" : "\n");
}

/* --- the text ------------------------------------------------------------------ */

/* The line behind which a new key of the section belongs: its last one that says something. */
static unsigned
config_edit_last_line(const char *text, const char *end, unsigned section)
{
	struct config_edit_line line;
	unsigned last = section;

	for (unsigned number = 1; config_edit_next(&text, end, &line); number++) {
		if (number <= section || config_edit_says_nothing(&line))
			continue;
		if (*line.text == '[')
			break;
		last = number;
	}
	return last;
}

bool
config_edit_set(const char *text, size_t size, const struct config_place *place, const char *key,
	const char *value, struct buffer *out, unsigned *line_r)
{
	const char *end = text + size;
	unsigned behind = place->key == 0 ? config_edit_last_line(text, end, place->section) : 0;
	struct config_edit_line line;
	bool done = strchr(value, '\n') == NULL;
	bool within = false; /* the value that is replaced goes on here */

	*line_r = place->key != 0 ? place->key : behind + 1;
	for (unsigned number = 1; done && config_edit_next(&text, end, &line); number++) {
		within = within && (config_edit_says_nothing(&line) || config_edit_goes_on(&line));
		if (number == place->key) {
			done = config_edit_replace(out, &line, value);
			within = true;
		} else if (!within || config_edit_says_nothing(&line)) {
			done = buffer_append(out, line.text, line.whole);
		}
		if (done && number == behind)
			done = config_edit_insert(out, &line, key, value);
	}
	return done;
}

/* --- the file ------------------------------------------------------------------ */

static bool
config_edit_fail(struct buffer *error, const char *path, const char *what)
{
	return buffer_fail(error, "%s %s: %s%s", what, path, strerror(errno), remedy_of(errno));
}

static bool
config_edit_write(int fd, const struct buffer *text)
{
	for (size_t done = 0; done < text->size;) {
		ssize_t n = write(fd, text->data + done, text->size - done);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return fsync(fd) == 0;
}

/* Its owner can be kept by root only; who else may write here owns it himself. */
static bool
config_edit_adorn(int fd, const struct stat *status)
{
	if (fchown(fd, status->st_uid, status->st_gid) != 0 && errno != EPERM)
		return false;
	return fchmod(fd, status->st_mode & 07777) == 0;
}

/* So that the new name is on the disk as well. Where that cannot be done it is late, not lost. */
static void
config_edit_sync_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = xstrndup(path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
	int fd = open(*dir != '\0' ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)!fsync(fd);
	fd_close(&fd);
	free(dir);
}

static bool
config_edit_store(const char *path, const struct buffer *text, struct buffer *error)
{
	/* Begins with a dot and ends with no known ending: no pattern includes it by chance. */
	const char *slash = strrchr(path, '/');
	int dir = slash != NULL ? (int)(slash - path) + 1 : 0;
	char *beside = xasprintf("%.*s.%s.XXXXXX", dir, path, path + dir);
	int fd = mkostemp(beside, O_CLOEXEC);
	struct stat status;
	bool stored = fd >= 0;

	if (!stored)
		(void)config_edit_fail(error, beside, "make");
	else if (stat(path, &status) != 0 || !config_edit_adorn(fd, &status) ||
			!config_edit_write(fd, text) || rename(beside, path) != 0) {
		stored = config_edit_fail(error, path, "write");
		unlink(beside);
	}
	fd_close(&fd);
	if (stored)
		config_edit_sync_dir(path);
	free(beside);
	return stored;
}

bool
config_edit_file(const char *path, const struct config_place *place, const char *key,
	const char *value, unsigned *line_r, struct buffer *error)
{
	char *real = realpath(path, NULL);
	struct buffer data = {0};
	struct buffer text = {0};
	bool done = false;

	if (real == NULL || !fd_read_file(AT_FDCWD, real, 0, CONFIG_FILE_MAX, &data))
		(void)config_edit_fail(error, path, "read");
	else if (!config_edit_set((const char *)data.data, data.size, place, key, value, &text, line_r))
		(void)buffer_fail(error, "write %s: %s", path, strchr(value, '\n') != NULL ?
			"the value has several lines: write it by hand" : "no memory");
	else if (text.size > CONFIG_FILE_MAX)
		(void)buffer_fail(error, "write %s: it would be larger than 1M", path);
	else
		done = config_edit_store(real, &text, error);
	buffer_finish(&data);
	buffer_finish(&text);
	free(real);
	return done;
}
