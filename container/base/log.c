/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a process's log and its sinks. One mutex covers the sink, the hook and the
 * line that is being made; a pipe sink without a hook needs none, since records are written
 * in one piece.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log_line.h"

enum {
	LOG_FILE_MODE = 0640,
	LOG_TEXT_ROOM = 1024, /* longer texts are formatted on the heap */
	LOG_LINE_KEEP = 65536 /* a line buffer grown beyond this is given back */
};

enum log_sink {
	LOG_SINK_STDERR = 0,
	LOG_SINK_SYSLOG,
	LOG_SINK_FILE,
	LOG_SINK_PIPE
};

_Atomic int log_current_level = LOG_LEVEL_INFO;

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
	enum log_sink sink;
	enum log_format format;
	char *process;     /* NULL: the program's name */
	char *path;        /* of the file sink */
	char *ident;       /* syslog keeps the pointer */
	int fd;            /* of the file or pipe sink */
	struct buffer line; /* reused from line to line */
	log_hook_fn *hook;
	void *hook_arg;
	atomic_uint_fast64_t dropped;    /* since the start */
	atomic_uint_fast64_t unreported; /* of these, not yet told of */
} log_state = {.fd = -1};

/* --- names ------------------------------------------------------------------ */

static const char *const log_level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

const char *
log_level_name(enum log_level level)
{
	return log_level_names[level];
}

bool
log_level_parse(const char *name, enum log_level *level_r)
{
	for (size_t i = 0; i < sizeof(log_level_names) / sizeof(*log_level_names); i++) {
		if (strcmp(log_level_names[i], name) == 0) {
			*level_r = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* --- setting up -------------------------------------------------------------- */

void
log_set_process(const char *process)
{
	pthread_mutex_lock(&log_mutex);
	free(log_state.process);
	log_state.process = xstrdup(process);
	pthread_mutex_unlock(&log_mutex);
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_current_level, (int)level, memory_order_relaxed);
}

void
log_set_format(enum log_format format)
{
	pthread_mutex_lock(&log_mutex);
	log_state.format = format;
	pthread_mutex_unlock(&log_mutex);
}

void
log_set_hook(log_hook_fn *hook, void *arg)
{
	pthread_mutex_lock(&log_mutex);
	log_state.hook = hook;
	log_state.hook_arg = arg;
	pthread_mutex_unlock(&log_mutex);
}

/* Leaves the old sink and takes the new one; path and ident become the log's. */
static void
log_switch(enum log_sink sink, int fd, char *path, char *ident)
{
	pthread_mutex_lock(&log_mutex);
	if (log_state.sink == LOG_SINK_SYSLOG)
		closelog();
	if (log_state.sink == LOG_SINK_FILE)
		fd_close(&log_state.fd);
	free(log_state.path);
	free(log_state.ident);
	log_state.sink = sink;
	log_state.fd = fd;
	log_state.path = path;
	log_state.ident = ident;
	if (sink == LOG_SINK_SYSLOG)
		openlog(ident, LOG_NDELAY | LOG_PID, LOG_DAEMON);
	pthread_mutex_unlock(&log_mutex);
}

void
log_to_stderr(void)
{
	log_switch(LOG_SINK_STDERR, -1, NULL, NULL);
}

void
log_to_syslog(const char *ident)
{
	log_switch(LOG_SINK_SYSLOG, -1, NULL, xstrdup(ident));
}

void
log_to_pipe(int fd)
{
	log_switch(LOG_SINK_PIPE, fd, NULL, NULL);
}

static int
log_open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, LOG_FILE_MODE);
}

bool
log_to_file(const char *path)
{
	int fd = log_open_file(path);

	if (fd < 0)
		return false;
	log_switch(LOG_SINK_FILE, fd, xstrdup(path), NULL);
	return true;
}

bool
log_reopen(void)
{
	int fd;

	if (log_state.sink != LOG_SINK_FILE)
		return true;
	fd = log_open_file(log_state.path);
	if (fd < 0)
		return false;
	pthread_mutex_lock(&log_mutex);
	fd_close(&log_state.fd);
	log_state.fd = fd;
	pthread_mutex_unlock(&log_mutex);
	return true;
}

/* --- sinks ------------------------------------------------------------------ */

/* Counts the dropped ones that nobody has been told of yet, and tells. */
static void
log_pipe_report(const struct log_record *last)
{
	uint64_t count = atomic_exchange(&log_state.unreported, 0);
	char text[96];
	struct log_record record = {
		.wall_ns = last->wall_ns,
		.level = LOG_LEVEL_WARN,
		.process = last->process,
		.subject = "log",
		.text = text,
	};
	uint8_t bytes[LOG_RECORD_MAX];
	size_t size;

	if (count == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " records were dropped: they came faster than the"
		" master read them", count);
	size = log_record_encode(&record, bytes);
	if (write(log_state.fd, bytes, size) != (ssize_t)size)
		atomic_fetch_add(&log_state.unreported, count);
}

static void
log_pipe_write(const struct log_record *record)
{
	uint8_t bytes[LOG_RECORD_MAX];
	size_t size;

	if (atomic_load_explicit(&log_state.unreported, memory_order_relaxed) > 0)
		log_pipe_report(record);
	size = log_record_encode(record, bytes);
	if (write(log_state.fd, bytes, size) != (ssize_t)size) {
		atomic_fetch_add(&log_state.dropped, 1);
		atomic_fetch_add(&log_state.unreported, 1);
	}
}

uint64_t
log_dropped(void)
{
	return atomic_load(&log_state.dropped);
}

static void
log_syslog_write(const struct log_record *record)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	const char *text = NULL;

	if (log_line_append_short(&log_state.line, record))
		text = buffer_text(&log_state.line);
	syslog(priorities[record->level], "%s", text != NULL ? text : record->text);
}

/* A line that cannot be written has nowhere to go. */
static void
log_fd_write(int fd, const struct log_record *record)
{
	static const char lost[] = "bay: out of memory: a log line is lost\n";
	bool made = log_line_append(&log_state.line, record, log_state.format);
	bool written = made ? fd_write_all(fd, log_state.line.data, log_state.line.size) :
		fd_write_all(fd, lost, sizeof(lost) - 1);

	(void)written;
}

static void
log_emit_locked(const struct log_record *record)
{
	switch (log_state.sink) {
	case LOG_SINK_STDERR:
		log_fd_write(STDERR_FILENO, record);
		break;
	case LOG_SINK_FILE:
		log_fd_write(log_state.fd, record);
		break;
	case LOG_SINK_SYSLOG:
		log_syslog_write(record);
		break;
	case LOG_SINK_PIPE:
		log_pipe_write(record);
		break;
	}
	buffer_clear(&log_state.line);
	if (log_state.line.capacity > LOG_LINE_KEEP)
		buffer_finish(&log_state.line);
	if (log_state.hook != NULL)
		log_state.hook(record, log_state.hook_arg);
}

/* --- writing ---------------------------------------------------------------- */

void
log_write_record(const struct log_record *record)
{
	int saved = errno;

	if (log_state.sink == LOG_SINK_PIPE && log_state.hook == NULL) {
		log_pipe_write(record);
	} else {
		pthread_mutex_lock(&log_mutex);
		log_emit_locked(record);
		pthread_mutex_unlock(&log_mutex);
	}
	errno = saved;
}

static void
log_write_text(enum log_level level, const char *subject, const char *text)
{
	struct log_record record = {
		.wall_ns = clock_wall_ns(),
		.level = level,
		.process = log_state.process != NULL ? log_state.process :
			program_invocation_short_name,
		.subject = subject,
		.text = text,
	};

	log_write_record(&record);
}

void
log_vwrite(enum log_level level, const char *subject, const char *format, va_list args)
{
	int saved = errno;
	char room[LOG_TEXT_ROOM];
	char *text = room;
	char *longer = NULL;
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(room, sizeof(room), format, args);
	/* Without memory the text stays cut. */
	if (length >= (int)sizeof(room) && vasprintf(&longer, format, again) >= 0)
		text = longer;
	va_end(again);
	log_write_text(level, subject, length >= 0 ? text : format);
	free(longer);
	errno = saved;
}

void
log_write(enum log_level level, const char *subject, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vwrite(level, subject, format, args);
	va_end(args);
}

void
log_write_errno(enum log_level level, const char *subject, const char *format, ...)
{
	int saved = errno;
	struct buffer text = {0};
	char reason_room[128];
	const char *reason = strerror_r(saved, reason_room, sizeof(reason_room));
	va_list args;

	va_start(args, format);
	if (buffer_vprintf(&text, format, args) && buffer_printf(&text, ": %s", reason) &&
			buffer_text(&text) != NULL)
		log_write_text(level, subject, (const char *)text.data);
	else
		log_write_text(level, subject, reason);
	va_end(args);
	buffer_finish(&text);
	errno = saved;
}
