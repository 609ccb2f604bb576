/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/child_output.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

enum {
	PRINTER_LINE_MAX = 1024, /* a line that is longer becomes several */
	PIPES = 2
};

/* One of the pipes. */
struct printer {
	int fd;
	char *process;
	enum log_level level;
	struct event *event;
	size_t size; /* bytes in use of buffer */
	char buffer[8 * PRINTER_LINE_MAX];
};

struct child_output {
	int ends[PIPES]; /* the child's; -1: closed */
	struct printer *printers[PIPES];
};

static const enum log_level child_output_levels[PIPES] = {LOG_LEVEL_INFO, LOG_LEVEL_WARN};

/* --- lines --------------------------------------------------------------------------- */

static void
printer_write_line(const struct printer *printer, const char *line, size_t size)
{
	char text[sizeof("prints: ") + PRINTER_LINE_MAX] = "prints: ";
	const struct log_record record = {.wall_ns = clock_wall_ns(), .level = printer->level,
		.process = printer->process, .text = text};
	char *at = text + strlen(text);

	memcpy(at, line, size);
	at[size] = '\0';
	/* The text would end there. */
	for (char *nul = at; (nul = memchr(nul, '\0', size - (size_t)(nul - at))) != NULL; nul++)
		*nul = '?';
	if (log_wants(printer->level))
		log_write_record(&record);
}

/* Writes the lines that are whole; with rest also what follows them. */
static void
printer_write_lines(struct printer *printer, bool rest)
{
	char *at = printer->buffer;
	char *end = printer->buffer + printer->size;

	while (at < end) {
		size_t left = (size_t)(end - at);
		size_t longest = left < PRINTER_LINE_MAX ? left : PRINTER_LINE_MAX;
		char *newline = memchr(at, '\n', longest);
		size_t size = newline != NULL ? (size_t)(newline - at) : longest;

		if (newline == NULL && longest < PRINTER_LINE_MAX && !rest)
			break;
		if (size > 0)
			printer_write_line(printer, at, size);
		at += size + (newline != NULL);
	}
	printer->size = (size_t)(end - at);
	memmove(printer->buffer, at, printer->size);
}

/* --- the pipe ------------------------------------------------------------------------ */

/* Reads once; false: there is nothing more for now, or for ever. */
static bool
printer_read(struct printer *printer)
{
	ssize_t got = read(printer->fd, printer->buffer + printer->size,
		sizeof(printer->buffer) - printer->size);

	if (got < 0)
		return errno == EINTR;
	if (got == 0) {
		event_del(printer->event);
		return false;
	}
	printer->size += (size_t)got;
	printer_write_lines(printer, false);
	return true;
}

static void
printer_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	/* Once only: a plugin that prints without end does not keep the master from its work. */
	(void)printer_read(arg);
}

static void
printer_destroy(struct printer *printer)
{
	if (printer == NULL)
		return;
	if (printer->event != NULL)
		event_free(printer->event);
	close(printer->fd);
	free(printer->process);
	free(printer);
}

/* Takes fd. */
static struct printer *
printer_create(struct event_base *base, int fd, const char *process, enum log_level level)
{
	struct printer *printer = xcalloc(1, sizeof(*printer));

	printer->fd = fd;
	printer->process = xstrdup(process);
	printer->level = level;
	printer->event = event_new(base, fd, EV_READ | EV_PERSIST, printer_on_readable, printer);
	if (printer->event != NULL && event_add(printer->event, NULL) == 0)
		return printer;
	printer_destroy(printer);
	errno = ENOMEM;
	return NULL;
}

static void
printer_drain(struct printer *printer)
{
	while (event_pending(printer->event, EV_READ, NULL) && printer_read(printer))
		continue;
	printer_write_lines(printer, true);
}

/* --- both ---------------------------------------------------------------------------- */

static bool
child_output_open(struct child_output *output, int i, struct event_base *base, const char *process)
{
	int fds[2];

	/* Only our end does not wait: a printf() that finds no room would lose its text. */
	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	output->ends[i] = fds[1];
	output->printers[i] = printer_create(base, fds[0], process, child_output_levels[i]);
	return output->printers[i] != NULL;
}

struct child_output *
child_output_create(struct event_base *base, const char *process)
{
	struct child_output *output = xcalloc(1, sizeof(*output));
	int error;

	output->ends[0] = output->ends[1] = -1;
	if (child_output_open(output, 0, base, process) && child_output_open(output, 1, base, process))
		return output;
	error = errno;
	child_output_destroy(output);
	errno = error;
	return NULL;
}

const int *
child_output_ends(const struct child_output *output)
{
	return output->ends;
}

void
child_output_close_ends(struct child_output *output)
{
	for (int i = 0; i < PIPES; i++)
		fd_close(&output->ends[i]);
}

void
child_output_drain(struct child_output *output)
{
	for (int i = 0; i < PIPES; i++)
		printer_drain(output->printers[i]);
}

void
child_output_destroy(struct child_output *output)
{
	if (output == NULL)
		return;
	child_output_close_ends(output);
	for (int i = 0; i < PIPES; i++)
		printer_destroy(output->printers[i]);
	free(output);
}
