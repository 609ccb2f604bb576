/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

/* A few of the largest records; what is not a whole one yet stays at the front. */
enum { CELL_LOG_BUFFER = 8 * LOG_RECORD_MAX };

struct cell_log {
	int fd;
	char *process;
	struct event *event;
	size_t size; /* bytes in use of buffer */
	uint8_t buffer[CELL_LOG_BUFFER];
};

/* A pipe that holds something else than records says nothing any more. */
static void
cell_log_give_up(struct cell_log *log)
{
	event_del(log->event);
	log_warn(log->process, "its log cannot be read any further: it holds no record [cell-link]");
}

/* False: what comes next is no record. */
static bool
cell_log_write_records(struct cell_log *log)
{
	size_t start = 0;
	enum log_record_result result;

	do {
		struct log_record record;
		size_t used;

		result = log_record_decode(log->buffer + start, log->size - start, &record, &used);
		if (result == LOG_RECORD_OK) {
			record.process = log->process;
			log_write_record(&record);
			start += used;
		}
	} while (result == LOG_RECORD_OK);
	log->size -= start;
	memmove(log->buffer, log->buffer + start, log->size);
	return result == LOG_RECORD_MORE && log->size < sizeof(log->buffer);
}

/* Reads once; false: there is nothing more for now, or for ever. */
static bool
cell_log_read(struct cell_log *log)
{
	ssize_t got = read(log->fd, log->buffer + log->size, sizeof(log->buffer) - log->size);

	if (got < 0)
		return errno == EINTR;
	if (got == 0) {
		event_del(log->event);
		return false;
	}
	log->size += (size_t)got;
	if (cell_log_write_records(log))
		return true;
	cell_log_give_up(log);
	return false;
}

static void
cell_log_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	/* Once only: a cell that logs without end does not keep the master from its work. */
	(void)cell_log_read(arg);
}

struct cell_log *
cell_log_create(struct event_base *base, int fd, const char *process)
{
	struct cell_log *log = xcalloc(1, sizeof(*log));

	log->fd = fd;
	log->process = xstrdup(process);
	log->event = event_new(base, fd, EV_READ | EV_PERSIST, cell_log_on_readable, log);
	if (log->event == NULL || event_add(log->event, NULL) != 0) {
		cell_log_destroy(log);
		return NULL;
	}
	return log;
}

void
cell_log_drain(struct cell_log *log)
{
	while (event_pending(log->event, EV_READ, NULL) && cell_log_read(log))
		continue;
}

void
cell_log_destroy(struct cell_log *log)
{
	if (log == NULL)
		return;
	if (log->event != NULL)
		event_free(log->event);
	close(log->fd);
	free(log->process);
	free(log);
}
