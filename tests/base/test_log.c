/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

/* The whole log file; the caller frees. */
static char *
contents(const char *path)
{
	struct buffer out = {0};

	ck_assert(fd_read_file(AT_FDCWD, path, 0, 1 << 24, &out));
	ck_assert_ptr_nonnull(buffer_text(&out));
	return (char *)out.data;
}

/* What follows the time in a line of the log. */
static const char *
after_time(const char *line)
{
	const char *z = strchr(line, 'Z');

	ck_assert_ptr_nonnull(z);
	return z + 2;
}

START_TEST(a_line_names_process_level_and_subject)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	log_set_process("master");
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	log_info("service square", "answer %d", 42);
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_str_eq(after_time(log), "master info service square: answer 42\n");
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

static int formatted;

static int
count_formatting(void)
{
	return ++formatted;
}

START_TEST(below_the_level_nothing_is_even_formatted)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	log_set_level(LOG_LEVEL_WARN);
	log_info(NULL, "%d", count_formatting());
	log_debug_errno(NULL, "%d", count_formatting());
	log_warn(NULL, "seen");
	ck_assert(log_wants(LOG_LEVEL_WARN) && !log_wants(LOG_LEVEL_INFO));
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_int_eq(formatted, 0);
	ck_assert_ptr_nonnull(strstr(log, " warn seen\n"));
	ck_assert_ptr_null(strstr(log, "info"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(errno_is_explained_and_kept)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	log_set_process("master");
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	errno = ENOENT;
	log_error_errno("plugin x", "cannot open %s", "x.so");
	ck_assert_int_eq(errno, ENOENT);
	log_error("plugin x", "no file");
	ck_assert_int_eq(errno, ENOENT);
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_ptr_nonnull(strstr(log,
		"master error plugin x: cannot open x.so: No such file or directory\n"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_long_text_is_written_whole_as_one_line)
{
	struct temp_dir dir;
	char text[20000];
	char *log;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	temp_dir_init(&dir);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	log_info(NULL, "%s", text);
	log_info(NULL, "two\nlines");
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_ptr_nonnull(strstr(log, text));
	ck_assert_ptr_nonnull(strstr(log, "two\\nlines\n"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(texts_around_the_size_that_needs_the_heap_are_whole)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	for (int length = 1020; length < 1030; length++)
		log_info(NULL, "%*d", length, 7);
	log = contents(temp_dir_path(&dir, "log"));
	for (char *line = log, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		ck_assert_int_eq(end[-1], '7');
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

/* Instead of the C library's, which would need a syslog daemon. */
static char syslog_seen[256];

void
openlog(const char *ident, int options, int facility)
{
	(void)options;
	snprintf(syslog_seen, sizeof(syslog_seen), "open %s %d", ident, facility >> 3);
}

void
syslog(int priority, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(syslog_seen, sizeof(syslog_seen), "%d %s", priority, text);
}

START_TEST(syslog_gets_priority_and_text_without_the_time)
{
	log_set_process("master");
	log_to_syslog("bayd");
	ck_assert_str_eq(syslog_seen, "open bayd 3");
	log_error("service a", "50%% of\n%s", "it");
	ck_assert_str_eq(syslog_seen, "3 master service a: 50% of\\nit");
	log_info(NULL, "up");
	ck_assert_str_eq(syslog_seen, "6 master: up");
	ck_assert(log_reopen());
}
END_TEST

START_TEST(the_json_format_is_taken_at_once)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	log_set_process("cell main");
	log_set_format(LOG_FORMAT_JSON);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	log_info("loop 1", "up");
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_ptr_nonnull(strstr(log, "\"process\":\"cell main\",\"level\":\"info\","
		"\"subject\":\"loop 1\",\"text\":\"up\"}\n"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(standard_error_is_the_first_sink)
{
	struct temp_dir dir;
	char *log;
	int fd;

	temp_dir_init(&dir);
	fd = open(temp_dir_path(&dir, "err"), O_WRONLY | O_CREAT, 0600);
	dup2(fd, STDERR_FILENO);
	log_warn(NULL, "to stderr");
	ck_assert(log_reopen());
	log = contents(temp_dir_path(&dir, "err"));
	ck_assert_ptr_nonnull(strstr(log, program_invocation_short_name));
	ck_assert_ptr_nonnull(strstr(log, " warn to stderr\n"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_log_file_is_reopened_after_rotation)
{
	struct temp_dir dir;
	struct stat status;
	char *log;

	temp_dir_init(&dir);
	umask(0);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	ck_assert_int_eq(stat(temp_dir_path(&dir, "log"), &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0640);
	log_info(NULL, "before");
	ck_assert_int_eq(rename(temp_dir_path(&dir, "log"), temp_dir_path(&dir, "log.1")), 0);
	ck_assert(log_reopen());
	log_info(NULL, "after");
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_ptr_null(strstr(log, "before"));
	ck_assert_ptr_nonnull(strstr(log, "after"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_log_file_that_cannot_be_reopened_is_written_on)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "d/log", "");
	ck_assert(log_to_file(temp_dir_path(&dir, "d/log")));
	ck_assert_int_eq(rename(temp_dir_path(&dir, "d"), temp_dir_path(&dir, "e")), 0);
	ck_assert(!log_reopen());
	ck_assert_int_eq(errno, ENOENT);
	log_info(NULL, "still here");
	log = contents(temp_dir_path(&dir, "e/log"));
	ck_assert_ptr_nonnull(strstr(log, "still here"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_leaves_the_sink_as_it_was)
{
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	ck_assert(!log_to_file(temp_dir_path(&dir, "absent/log")));
	ck_assert_int_eq(errno, ENOENT);
	log_info(NULL, "still here");
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_ptr_nonnull(strstr(log, "still here"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

/* Standard error goes to the file err. */
static void
catch_stderr(struct temp_dir *dir)
{
	int fd = open(temp_dir_path(dir, "err"), O_RDWR | O_CREAT | O_APPEND, 0600);

	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

START_TEST(what_could_stand_still_is_no_log_file)
{
	struct temp_dir dir;
	int reader;

	temp_dir_init(&dir);
	ck_assert_int_eq(mkfifo(temp_dir_path(&dir, "fifo"), 0600), 0);
	ck_assert(!log_to_file(temp_dir_path(&dir, "fifo")));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(log_file_trouble(errno), "neither a file nor a device"));
	/* Also when it has a reader, who may stop reading. */
	reader = open(temp_dir_path(&dir, "fifo"), O_RDONLY | O_NONBLOCK);
	ck_assert(!log_to_file(temp_dir_path(&dir, "fifo")));
	ck_assert_int_eq(errno, EINVAL);
	close(reader);
	ck_assert(log_to_file("/dev/null"));
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_log_file_that_cannot_be_written_is_told_on_standard_error_once)
{
	struct temp_dir dir;
	char *err;

	temp_dir_init(&dir);
	catch_stderr(&dir);
	ck_assert(log_to_file("/dev/full"));
	log_info(NULL, "lost");
	log_info(NULL, "lost too");
	err = contents(temp_dir_path(&dir, "err"));
	ck_assert_ptr_nonnull(strstr(err, "the log file /dev/full cannot be written: No space left"));
	ck_assert_ptr_eq(strchr(err, '\n'), strrchr(err, '\n'));
	free(err);
	temp_dir_finish(&dir);
}
END_TEST

/* All that is in the pipe, behind text. */
static void
empty_pipe(int fd, struct buffer *text)
{
	char room[4096];
	ssize_t got;

	while ((got = read(fd, room, sizeof(room))) > 0)
		ck_assert(buffer_append(text, room, (size_t)got));
}

START_TEST(lines_that_nobody_takes_are_lost_and_counted_later)
{
	struct buffer out = {0};
	char text[4000], words[60];
	unsigned lines = 0;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert(fd_set_nonblocking(fds[0]));
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	log_to_stderr();
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* 2 MB, into a pipe of 64 kB. */
	for (int i = 0; i < 500; i++)
		log_info(NULL, "%s", text);
	ck_assert(log_has_backlog());
	while (!log_flush(0))
		empty_pipe(fds[0], &out);
	log_info(NULL, "here again");
	empty_pipe(fds[0], &out);
	for (const char *at = buffer_text(&out); (at = strstr(at, " info xxx")) != NULL; at++)
		lines++;
	ck_assert_uint_gt(lines, 200);
	ck_assert_uint_lt(lines, 500);
	snprintf(words, sizeof(words), "warn log: %u lines were lost, because nobody took them\n",
		500 - lines);
	ck_assert_msg(strstr(buffer_text(&out), words) != NULL, "no \"%s\"", words);
	ck_assert_ptr_nonnull(strstr(buffer_text(&out), "here again\n"));
	buffer_finish(&out);
}
END_TEST

static void
remember(const struct log_record *record, void *arg)
{
	snprintf(arg, 100, "%s|%d|%s|%s", record->process, record->level, record->subject,
		record->text);
}

START_TEST(the_hook_sees_each_record_that_is_written)
{
	struct temp_dir dir;
	char seen[100] = "";

	temp_dir_init(&dir);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	log_set_process("master");
	log_set_hook(remember, seen);
	log_debug("a", "below the level");
	ck_assert_str_eq(seen, "");
	log_error("a", "b");
	ck_assert_str_eq(seen, "master|0|a|b");
	log_write_record(&(struct log_record){.process = "cell main", .subject = "s", .text = "t"});
	ck_assert_str_eq(seen, "cell main|0|s|t");
	log_set_hook(NULL, NULL);
	log_error("a", "c");
	ck_assert_str_eq(seen, "cell main|0|s|t");
	temp_dir_finish(&dir);
}
END_TEST

/* --- the pipe of a cell ------------------------------------------------------- */

/* Reads every record that is in the pipe; returns how many, and the last text. */
static unsigned
drain_records(int fd, char *last, size_t size, unsigned *dropped_r)
{
	struct buffer in = {0};
	uint8_t block[8192];
	unsigned count = 0;
	size_t used;
	ssize_t got;
	struct log_record record;

	while ((got = read(fd, block, sizeof(block))) > 0)
		ck_assert(buffer_append(&in, block, (size_t)got));
	while (in.size > 0) {
		ck_assert_int_eq(log_record_decode(in.data, in.size, &record, &used), LOG_RECORD_OK);
		ck_assert_str_eq(record.process, "cell main");
		snprintf(last, size, "%s", record.text);
		if (strstr(record.text, "records were dropped") != NULL)
			*dropped_r += (unsigned)atoi(record.text);
		else
			count++;
		buffer_consume(&in, used);
	}
	buffer_finish(&in);
	return count;
}

static void
open_log_pipe(int fds[2])
{
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert(fd_set_nonblocking(fds[0]));
	ck_assert(fd_set_nonblocking(fds[1]));
	log_set_process("cell main");
	log_to_pipe(fds[1]);
}

START_TEST(what_a_full_pipe_drops_is_counted_and_told_later)
{
	char last[200];
	unsigned dropped = 0;
	unsigned got;
	int fds[2];

	open_log_pipe(fds);
	for (int i = 0; i < 5000; i++)
		log_info("service a", "record %d", i);
	got = drain_records(fds[0], last, sizeof(last), &dropped);
	ck_assert_uint_gt(got, 100);
	ck_assert_uint_lt(got, 5000);
	ck_assert_uint_eq(log_dropped(), 5000 - got);
	ck_assert_uint_eq(dropped, 0);
	log_info("service a", "there is room again");
	ck_assert_uint_eq(drain_records(fds[0], last, sizeof(last), &dropped), 1);
	ck_assert_str_eq(last, "there is room again");
	ck_assert_uint_eq(dropped, 5000 - got);
	log_info("service a", "again");
	ck_assert_uint_eq(drain_records(fds[0], last, sizeof(last), &dropped), 1);
	ck_assert_uint_eq(dropped, 5000 - got);
}
END_TEST

START_TEST(a_pipe_that_nobody_reads_does_no_harm)
{
	int fds[2];

	open_log_pipe(fds);
	fd_close(&fds[0]);
	log_info(NULL, "to nobody");
	ck_assert_uint_eq(log_dropped(), 1);
}
END_TEST

enum { THREADS = 4, RECORDS = 2000 };

static void *
write_many(void *arg)
{
	for (int i = 0; i < RECORDS; i++)
		log_info("thread", "%s %*d", (const char *)arg, i % 3000, i);
	return NULL;
}

struct reading {
	int fd;
	unsigned count;
	unsigned dropped;
};

/* Reads until the end of file; every record must be whole. */
static void *
read_many(void *arg)
{
	struct reading *reading = arg;
	struct buffer in = {0};
	struct log_record record;
	uint8_t block[8192];
	size_t used;
	ssize_t got;

	while ((got = read(reading->fd, block, sizeof(block))) > 0) {
		if (!buffer_append(&in, block, (size_t)got))
			break;
		while (log_record_decode(in.data, in.size, &record, &used) == LOG_RECORD_OK) {
			if (strcmp(record.subject, "log") == 0)
				reading->dropped += (unsigned)atoi(record.text);
			else
				reading->count++;
			buffer_consume(&in, used);
		}
	}
	if (in.size > 0)
		reading->count = 0;
	buffer_finish(&in);
	return NULL;
}

START_TEST(records_of_many_threads_are_never_mixed_and_all_accounted_for)
{
	static char names[THREADS][2] = {"a", "b", "c", "d"};
	pthread_t writers[THREADS];
	pthread_t reader;
	struct reading reading = {0};
	int fds[2];

	open_log_pipe(fds);
	ck_assert_int_eq(fcntl(fds[0], F_SETFL, 0), 0);
	reading.fd = fds[0];
	ck_assert_int_eq(pthread_create(&reader, NULL, read_many, &reading), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL, write_many, names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(writers[i], NULL);
	fd_close(&fds[1]);
	pthread_join(reader, NULL);
	ck_assert_uint_eq(reading.count + log_dropped(), THREADS * RECORDS);
	ck_assert_uint_le(reading.dropped, log_dropped());
}
END_TEST

START_TEST(lines_of_many_threads_are_whole)
{
	static char names[THREADS][2] = {"a", "b", "c", "d"};
	pthread_t writers[THREADS];
	struct temp_dir dir;
	unsigned lines = 0;
	char *log;

	temp_dir_init(&dir);
	log_set_process("cell main");
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL, write_many, names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(writers[i], NULL);
	log = contents(temp_dir_path(&dir, "log"));
	for (char *line = log, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		ck_assert(strncmp(after_time(line), "cell main info thread: ", 23) == 0);
		lines++;
	}
	ck_assert_uint_eq(lines, THREADS * RECORDS);
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(levels_have_names)
{
	enum log_level level = LOG_LEVEL_INFO;

	ck_assert(log_level_parse("debug", &level) && level == LOG_LEVEL_DEBUG);
	ck_assert(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
	ck_assert(!log_level_parse("loud", &level));
	ck_assert(!log_level_parse("", &level));
	ck_assert_str_eq(log_level_name(LOG_LEVEL_WARN), "warn");
}
END_TEST

static void
say_trace(struct trace_id *id_r)
{
	ck_assert(trace_id_is_none(id_r));
	*id_r = (struct trace_id){1, 2};
}

START_TEST(a_record_made_here_has_the_trace_that_the_process_says)
{
	const struct log_record passed_on = {.process = "cell main", .text = "x", .trace = {3, 4}};
	struct temp_dir dir;
	char *log;

	temp_dir_init(&dir);
	log_set_format(LOG_FORMAT_JSON);
	ck_assert(log_to_file(temp_dir_path(&dir, "log")));
	log_info(NULL, "before");
	log_set_trace(say_trace);
	log_info(NULL, "with");
	log_write_record(&passed_on);
	log_set_trace(NULL);
	log = contents(temp_dir_path(&dir, "log"));
	ck_assert_ptr_nonnull(strstr(log, "\"level\":\"info\",\"text\":\"before\"}"));
	ck_assert_ptr_nonnull(strstr(log, "\"trace\":\"00000000000000010000000000000002\",\"text\":\"with\"}"));
	ck_assert_ptr_nonnull(strstr(log, "\"trace\":\"00000000000000030000000000000004\",\"text\":\"x\"}"));
	free(log);
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("base/log",
	a_line_names_process_level_and_subject,
	below_the_level_nothing_is_even_formatted,
	errno_is_explained_and_kept,
	a_long_text_is_written_whole_as_one_line,
	texts_around_the_size_that_needs_the_heap_are_whole,
	syslog_gets_priority_and_text_without_the_time,
	the_json_format_is_taken_at_once,
	standard_error_is_the_first_sink,
	a_log_file_is_reopened_after_rotation,
	a_log_file_that_cannot_be_reopened_is_written_on,
	a_file_that_cannot_be_opened_leaves_the_sink_as_it_was,
	what_could_stand_still_is_no_log_file,
	a_log_file_that_cannot_be_written_is_told_on_standard_error_once,
	lines_that_nobody_takes_are_lost_and_counted_later,
	the_hook_sees_each_record_that_is_written,
	what_a_full_pipe_drops_is_counted_and_told_later,
	a_pipe_that_nobody_reads_does_no_harm,
	records_of_many_threads_are_never_mixed_and_all_accounted_for,
	lines_of_many_threads_are_whole,
	a_record_made_here_has_the_trace_that_the_process_says,
	levels_have_names)
