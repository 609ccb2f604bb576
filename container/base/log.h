/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a process: one line an event, with time, process, level and subject.
 *
 *	2026-01-02T03:04:05.678Z master info service square: generation 2 is live
 *
 *	log_info("service square", "generation %u is live", n);
 *
 * The text comes from anywhere, so control bytes and bad UTF-8 are escaped and one call is
 * always one line. Lines go to one sink: standard error, syslog, a file, or (in a cell) a
 * pipe whose reader is the master. The level is tested before anything is formatted.
 *
 * Set-up functions: before there are threads, except log_set_level. The rest: any thread;
 * never suspends; keeps errno.
 */
#ifndef BAY_BASE_LOG_H
#define BAY_BASE_LOG_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/traceparent.h"

enum log_level {
	LOG_LEVEL_ERROR = 0, /* something that was asked for does not work */
	LOG_LEVEL_WARN = 1,  /* works, but somebody should look */
	LOG_LEVEL_INFO = 2,  /* what an operator wants to know afterwards */
	LOG_LEVEL_DEBUG = 3  /* what a developer wants to know */
};

enum log_format {
	LOG_FORMAT_TEXT = 0, /* as above */
	LOG_FORMAT_JSON = 1  /* one JSON object a line */
};

/* One event, as sinks and the hook see it. Nothing in it is escaped yet. */
struct log_record {
	int64_t wall_ns;
	enum log_level level;
	const char *process; /* "master", "cell main" */
	const char *subject; /* "service square", or NULL */
	const char *text;
	struct trace_id trace; /* of the request that it was written for, or none */
};

/* --- writing --------------------------------------------------------------- */

extern _Atomic int log_current_level;

/* Whether a record of this level would be written: for what is costly to prepare. */
static inline bool
log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_current_level, memory_order_relaxed);
}

/* subject may be NULL. */
#define log_error(subject, ...) log_at(LOG_LEVEL_ERROR, subject, __VA_ARGS__)
#define log_warn(subject, ...) log_at(LOG_LEVEL_WARN, subject, __VA_ARGS__)
#define log_info(subject, ...) log_at(LOG_LEVEL_INFO, subject, __VA_ARGS__)
#define log_debug(subject, ...) log_at(LOG_LEVEL_DEBUG, subject, __VA_ARGS__)
#define log_at(level, subject, ...) \
	(log_wants(level) ? log_write(level, subject, __VA_ARGS__) : (void)0)

/* The same with ": " and what errno means behind the text. */
#define log_error_errno(subject, ...) log_at_errno(LOG_LEVEL_ERROR, subject, __VA_ARGS__)
#define log_warn_errno(subject, ...) log_at_errno(LOG_LEVEL_WARN, subject, __VA_ARGS__)
#define log_info_errno(subject, ...) log_at_errno(LOG_LEVEL_INFO, subject, __VA_ARGS__)
#define log_debug_errno(subject, ...) log_at_errno(LOG_LEVEL_DEBUG, subject, __VA_ARGS__)
#define log_at_errno(level, subject, ...) \
	(log_wants(level) ? log_write_errno(level, subject, __VA_ARGS__) : (void)0)

/* What the macros call; these do not look at the level. */
void log_write(enum log_level level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_write_errno(enum log_level level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_vwrite(enum log_level level, const char *subject, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Writes a record made elsewhere (by a cell) with its own time, process and level. */
void log_write_record(const struct log_record *record);

/* --- setting up ------------------------------------------------------------ */

/*
 * Names this process; copied. The program name stands until then. The sink is standard
 * error, the level info, the format text.
 */
void log_set_process(const char *process);
void log_set_level(enum log_level level);
void log_set_format(enum log_format format);

/* Sends lines to standard error (again). */
void log_to_stderr(void);

/* Sends lines to syslog under this name, without the time, as facility daemon. When nobody
 * takes them now, standard error is told. */
void log_to_syslog(const char *ident);

/*
 * Appends lines to a file or device; a file is made with mode 0640 when it is not there.
 * False: it cannot be opened (log_file_trouble says why) and the sink stays as it was. When it
 * cannot be written, standard error is told.
 */
bool log_to_file(const char *path)
	__attribute__((warn_unused_result));

/*
 * Opens the file sink's path again, for log rotation. True for the other sinks. False: it
 * cannot be opened (log_file_trouble) and lines go on to the old file.
 */
bool log_reopen(void)
	__attribute__((warn_unused_result));

/* What errno means after log_to_file or log_reopen. Borrowed, until the next call of it. */
const char *log_file_trouble(int error);

/*
 * Writing never waits for a reader: what standard error or a file has no room for is kept, up
 * to a megabyte, and written before the next line or by log_flush; lines beyond are lost, and
 * a line tells later how many. log_flush waits up to timeout_ms for room; true: nothing is
 * kept any more. log_has_backlog and log_trouble are for the hook: whether something is kept,
 * and why the last line could not be written at all (an errno, such as of a full disk; or 0).
 */
bool log_flush(int timeout_ms);
bool log_has_backlog(void);
int log_trouble(void);

/*
 * Sends each record with one write to a pipe that the caller has set non-blocking; keeps
 * the descriptor and does not close it. The process ignores SIGPIPE. A record that the pipe has no room for is dropped
 * and counted; the next one that fits is preceded by a record that says how many.
 */
void log_to_pipe(int fd);

/* The number of records that a pipe sink dropped since the start. */
uint64_t log_dropped(void);

/*
 * Calls hook after each record is written, in the writing thread and one call at a time.
 * It may not log. One hook; NULL takes it away.
 */
typedef void log_hook_fn(const struct log_record *record, void *arg);
void log_set_hook(log_hook_fn *hook, void *arg);

/*
 * Who knows it says for which trace the calling thread writes a record that is made in this process;
 * *id_r is none before. Called in any thread, for each record that is written; keeps errno. One; NULL
 * takes it away. To be set before there are threads.
 */
typedef void log_trace_fn(struct trace_id *id_r);
void log_set_trace(log_trace_fn *fn);

/* --- names ----------------------------------------------------------------- */

/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);

/* False: no such level. */
bool log_level_parse(const char *name, enum log_level *level_r)
	__attribute__((warn_unused_result));

/* --- records on a pipe ------------------------------------------------------ */

/* No record is longer, so that one write to a pipe is never torn: the text is cut. */
enum { LOG_RECORD_MAX = 4096 };

/* Writes the record's bytes to out and returns how many. */
size_t log_record_encode(const struct log_record *record, uint8_t out[LOG_RECORD_MAX]);

enum log_record_result {
	LOG_RECORD_OK = 0,
	LOG_RECORD_MORE,   /* not all of it is there yet */
	LOG_RECORD_INVALID /* not a record: nothing after it can be read either */
};

/*
 * Reads the record at the start of data, which may come from a hostile writer. On OK
 * *used_r is its length, and the strings of *record_r are borrowed from data.
 */
enum log_record_result log_record_decode(const uint8_t *data, size_t size,
	struct log_record *record_r, size_t *used_r)
	__attribute__((warn_unused_result));

/* --- not too often ---------------------------------------------------------- */

/*
 * Lets burst events pass in each period and counts the others. A zeroed struct with the
 * first two fields set is ready:
 *
 *	static struct log_rate rate = {.burst = 5, .period_ns = 10 * INT64_C(1000000000)};
 *	uint64_t hidden;
 *
 *	if (log_rate_pass(&rate, &hidden))
 *		log_warn(NULL, "queue is full%s", log_rate_text(hidden, buf, sizeof(buf)));
 */
struct log_rate {
	unsigned burst;
	int64_t period_ns;
	pthread_mutex_t _mutex; /* all zero: unlocked */
	int64_t _start_ns;
	unsigned _passed;
	uint64_t _hidden;
};

/* True: write it; *hidden_r events have been hidden since the last one that was written. */
bool log_rate_pass(struct log_rate *rate, uint64_t *hidden_r)
	__attribute__((warn_unused_result));

/* "" for 0, else " (12 more like it were hidden)". Returns buf; 64 bytes are enough. */
const char *log_rate_text(uint64_t hidden, char *buf, size_t size);

#endif
