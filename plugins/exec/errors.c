/* SPDX-License-Identifier: BSD-2-Clause */
#include "errors.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bay/fd.h>
#include <bay/log.h>

enum {
	ERRORS_PIECE = 4096,
	ERRORS_TURN = 64 * 1024   /* what a pipe holds: then others have their turn */
};

/* Between the lines that are kept, and before the first. */
static const char separator[] = ": ";
enum { SEPARATOR = sizeof separator - 1 };

void
errors_open(struct errors *errors, int fd, pid_t pid, int level)
{
	errors->fd = fd;
	errors->pid = pid;
	errors->level = level;
	errors->length = 0;
	errors->last_length = 0;
	errors->last[0] = '\0';
}

/* Keeps a line and forgets the oldest ones that it leaves no room for. */
static void
errors_keep(struct errors *errors, const char *line, size_t length)
{
	size_t most = ERRORS_LAST - SEPARATOR - 1, drop = 0;

	if (length > most)
		length = most;
	if (errors->last_length + SEPARATOR + length >= ERRORS_LAST)
		drop = errors->last_length + SEPARATOR + length + 1 - ERRORS_LAST;
	/* A whole line more rather than the end of one. */
	while (drop > 0 && drop < errors->last_length &&
		memcmp(errors->last + drop, separator, SEPARATOR) != 0)
		drop++;
	memmove(errors->last, errors->last + drop, errors->last_length - drop);
	errors->last_length -= drop;
	memcpy(errors->last + errors->last_length, separator, SEPARATOR);
	memcpy(errors->last + errors->last_length + SEPARATOR, line, length);
	errors->last_length += SEPARATOR + length;
	errors->last[errors->last_length] = '\0';
}

static void
errors_end_line(struct errors *errors)
{
	int length = (int)errors->length;

	if (length > 0 && errors->line[length - 1] == '\r')
		length--;
	errors->length = 0;
	if (length == 0)
		return;
	if (errors->level != ERRORS_OFF && bay_log_enabled((enum bay_log_level)errors->level))
		bay_log((enum bay_log_level)errors->level, "%d: %.*s", (int)errors->pid, length, errors->line);
	errors_keep(errors, errors->line, (size_t)length);
}

static void
errors_add(struct errors *errors, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n' || errors->length == ERRORS_LINE)
			errors_end_line(errors);
		if (data[i] != '\n')
			errors->line[errors->length++] = data[i];
	}
}

bool
errors_take(struct errors *errors)
{
	char piece[ERRORS_PIECE];
	size_t taken = 0;
	ssize_t got;

	if (errors->fd < 0)
		return false;
	while (taken < ERRORS_TURN) {
		got = read(errors->fd, piece, sizeof piece);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (got <= 0) {
			errors_close(errors);
			return false;
		}
		errors_add(errors, piece, (size_t)got);
		taken += (size_t)got;
	}
	return true;
}

void
errors_close(struct errors *errors)
{
	errors_end_line(errors);
	if (errors->fd >= 0)
		(void)bay_fd_close(errors->fd);
	errors->fd = -1;
}

const char *
errors_last(const struct errors *errors)
{
	return errors->last;
}
