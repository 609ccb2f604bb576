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
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log_line.h"
#include "base/log_output.h"
#include "base/remedy.h"

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
	int fd;            /* of the pipe sink */
	struct log_output output; /* of the others but syslog */
	struct buffer line; /* reused from line to line */
	log_hook_fn *hook;
	void *hook_arg;
	log_trace_fn *trace;
	atomic_uint_fast64_t dropped;    /* since the start */
	atomic_uint_fast64_t unreported; /* of these, not yet told of */
} log_state = {.fd = -1, .output = {.fd = STDERR_FILENO}};

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

void
log_set_trace(log_trace_fn *fn)
{
	log_state.trace = fn;
}

static void
log_open_output(enum log_sink sink, int fd)
{
	if (sink == LOG_SINK_STDERR)
		log_output_open_stderr(&log_state.output);
	else
		log_output_open(&log_state.output, sink == LOG_SINK_FILE ? fd : -1, true);
}

/* Leaves the old sink and takes the new one; path and ident become the log's. */
static void
log_switch(enum log_sink sink, int fd, char *path, char *ident)
{
	pthread_mutex_lock(&log_mutex);
	if (log_state.sink == LOG_SINK_SYSLOG)
		closelog();
	log_output_flush(&log_state.output);
	log_output_close(&log_state.output);
	log_open_output(sink, fd);
	free(log_state.path);
	free(log_state.ident);
	log_state.sink = sink;
	log_state.fd = sink == LOG_SINK_PIPE ? fd : -1;
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

/* Says something about the log where the log does not go. */
static void __attribute__((format(printf, 1, 2)))
log_tell_on_stderr(const char *format, ...)
{
	struct log_output output;
	struct buffer line = {0};
	va_list args;

	log_output_open(&output, STDERR_FILENO, false);
	va_start(args, format);
	if (buffer_printf(&line, "%s: ", program_invocation_short_name) &&
	    buffer_vprintf(&line, format, args) && buffer_append_text(&line, "\n") &&
	    !log_output_write(&output, line.data, line.size))
		errno = output.error;
	va_end(args);
	log_output_close(&output);
	buffer_finish(&line);
}

/* The C library has no error for it; it tries again with each line. */
static void
log_check_syslog(void)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	bool there = false;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types) && !there; i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		there = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
		fd_close(&fd);
	}
	if (!there)
		log_tell_on_stderr("the log goes to syslog, but no syslog daemon takes it (/dev/log: %s): "
			"its lines are lost until one does", strerror(errno));
}

void
log_to_syslog(const char *ident)
{
	log_check_syslog();
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
	/* A pipe must not make us wait for its reader, here or later. */
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		LOG_FILE_MODE);
	struct stat st;

	if (fd < 0) {
		if (errno == ENXIO)
			errno = EINVAL;
		return fd;
	}
	if (fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))) {
		fd_close(&fd);
		errno = EINVAL;
	}
	return fd;
}

const char *
log_file_trouble(int error)
{
	return error == EINVAL ? "it is neither a file nor a device that is ready" : strerror(error);
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
	log_output_flush(&log_state.output);
	log_output_close(&log_state.output);
	log_output_open(&log_state.output, fd, true);
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

/* Puts what is to be known about lost lines in front of the next. */
static void
log_append_lost(uint64_t lost, const struct log_record *like)
{
	char text[96];
	const struct log_record record = {
		.wall_ns = like->wall_ns,
		.level = LOG_LEVEL_WARN,
		.process = like->process,
		.subject = "log",
		.text = text,
	};

	snprintf(text, sizeof(text), log_state.sink == LOG_SINK_FILE ?
		"%" PRIu64 " %s lost, because the file could not take %s" :
		"%" PRIu64 " %s lost, because nobody took %s", lost,
		lost == 1 ? "line was" : "lines were", lost == 1 ? "it" : "them");
	if (!log_line_append(&log_state.line, &record, log_state.format))
		buffer_clear(&log_state.line);
}

static void
log_output_failed(void)
{
	static struct log_rate rate = {.burst = 1, .period_ns = 60 * (int64_t)CLOCK_NS_PER_S};
	uint64_t hidden;

	if (log_state.sink == LOG_SINK_FILE && log_state.output.error != 0 &&
	    log_rate_pass(&rate, &hidden))
		log_tell_on_stderr("the log file %s cannot be written: %s: lines of it are lost%s",
			log_state.path, strerror(log_state.output.error), remedy_of(log_state.output.error));
}

/* NULL: only says what was lost. */
static void
log_output_record(const struct log_record *record, const struct log_record *like)
{
	static const char none[] = "bay: out of memory: a log line is lost\n";
	uint64_t lost = log_state.output.lost;
	bool made = true;

	if (lost > 0)
		log_append_lost(lost, like);
	if (record != NULL)
		made = log_line_append(&log_state.line, record, log_state.format);
	if (made ? log_output_write(&log_state.output, log_state.line.data, log_state.line.size) :
	    log_output_write(&log_state.output, none, sizeof(none) - 1))
		log_state.output.lost -= made ? lost : 0;
	else
		log_output_failed();
}

bool
log_has_backlog(void)
{
	return log_output_waits(&log_state.output);
}

int
log_trouble(void)
{
	return log_state.sink == LOG_SINK_FILE ? log_state.output.error : 0;
}

static bool
log_flush_locked(int timeout_ms)
{
	struct pollfd room = {.fd = log_state.output.fd, .events = POLLOUT};
	const struct log_record now = {.wall_ns = clock_wall_ns(),
		.process = log_state.process != NULL ? log_state.process : program_invocation_short_name};

	log_output_flush(&log_state.output);
	if (log_has_backlog() && timeout_ms > 0 && poll(&room, 1, timeout_ms) > 0)
		log_output_flush(&log_state.output);
	if (!log_has_backlog() && log_state.output.error == 0 && log_state.output.lost > 0) {
		log_output_record(NULL, &now);
		buffer_clear(&log_state.line);
	}
	return !log_has_backlog();
}

bool
log_flush(int timeout_ms)
{
	bool flushed;

	pthread_mutex_lock(&log_mutex);
	flushed = log_flush_locked(timeout_ms);
	pthread_mutex_unlock(&log_mutex);
	return flushed;
}

static void
log_emit_locked(const struct log_record *record)
{
	switch (log_state.sink) {
	case LOG_SINK_STDERR:
	case LOG_SINK_FILE:
		log_output_record(record, record);
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

	if (log_state.trace != NULL)
		log_state.trace(&record.trace);
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
