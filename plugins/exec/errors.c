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

/* Before the first line that is kept, and between two. */
static const char before[] = ": ", between[] = " | ";
enum {
	BEFORE = sizeof before - 1,
	BETWEEN = sizeof between - 1
};

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

static void
errors_forget_first(struct errors *errors)
{
	const char *end = errors->last + errors->last_length;
	const char *next = memmem(errors->last, errors->last_length, between, BETWEEN);

	errors->last_length = 0;
	if (next == NULL)
		return;
	next += BETWEEN;
	memmove(errors->last + BEFORE, next, (size_t)(end - next));
	errors->last_length = BEFORE + (size_t)(end - next);
}

/* Keeps a line, and forgets the oldest ones that it leaves no room for. */
static void
errors_keep(struct errors *errors, const char *line, size_t length)
{
	if (length > ERRORS_LAST - BEFORE - 1)
		length = ERRORS_LAST - BEFORE - 1;
	while (errors->last_length > 0 && errors->last_length + BETWEEN + length >= ERRORS_LAST)
		errors_forget_first(errors);
	if (errors->last_length == 0) {
		memcpy(errors->last, before, BEFORE);
		errors->last_length = BEFORE;
	} else {
		memcpy(errors->last + errors->last_length, between, BETWEEN);
		errors->last_length += BETWEEN;
	}
	memcpy(errors->last + errors->last_length, line, length);
	errors->last_length += length;
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
