/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_log.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "support/check_main.h"

/* What the log of this process has taken, "process subject text" a line. */
static char taken[256 * 1024];

static void
take(const struct log_record *record, void *arg)
{
	size_t used = strlen(taken);

	(void)arg;
	snprintf(taken + used, sizeof(taken) - used, "%s|%s|%s\n", record->process,
		record->subject != NULL ? record->subject : "", record->text);
}

struct pipe_log {
	struct event_base *base;
	struct cell_log *log;
	int writer;
};

static void
open_log(struct pipe_log *pipe_log)
{
	int fds[2];

	taken[0] = '\0';
	/* Nothing of this belongs on the terminal. */
	ck_assert(log_to_file("/dev/null"));
	log_set_hook(take, NULL);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	pipe_log->base = event_base_new();
	pipe_log->log = cell_log_create(pipe_log->base, fds[0], "cell main");
	pipe_log->writer = fds[1];
}

static void
close_log(struct pipe_log *pipe_log)
{
	cell_log_destroy(pipe_log->log);
	event_base_free(pipe_log->base);
	close(pipe_log->writer);
	log_set_hook(NULL, NULL);
}

static size_t
encode(const char *text, uint8_t out[LOG_RECORD_MAX])
{
	struct log_record record = {.wall_ns = 1, .level = LOG_LEVEL_INFO, .process = "liar",
		.subject = "service a", .text = text};

	return log_record_encode(&record, out);
}

static void
put(const struct pipe_log *pipe_log, const void *data, size_t size)
{
	ck_assert_int_eq(write(pipe_log->writer, data, size), (ssize_t)size);
}

START_TEST(records_are_written_under_the_name_of_the_cell)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct pipe_log pipe_log;

	open_log(&pipe_log);
	put(&pipe_log, bytes, encode("one", bytes));
	put(&pipe_log, bytes, encode("two", bytes));
	event_base_loop(pipe_log.base, EVLOOP_ONCE);
	ck_assert_str_eq(taken, "cell main|service a|one\ncell main|service a|two\n");
	close_log(&pipe_log);
}
END_TEST

START_TEST(a_record_may_come_in_pieces)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct pipe_log pipe_log;
	size_t size = encode("whole", bytes);

	open_log(&pipe_log);
	for (size_t i = 0; i < size; i++) {
		ck_assert_str_eq(taken, "");
		put(&pipe_log, bytes + i, 1);
		event_base_loop(pipe_log.base, EVLOOP_NONBLOCK);
	}
	ck_assert_str_eq(taken, "cell main|service a|whole\n");
	close_log(&pipe_log);
}
END_TEST

START_TEST(what_a_dead_cell_left_in_the_pipe_is_drained)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct pipe_log pipe_log;

	open_log(&pipe_log);
	for (int i = 0; i < 100; i++)
		put(&pipe_log, bytes, encode("last words", bytes));
	close(pipe_log.writer);
	pipe_log.writer = -1;
	cell_log_drain(pipe_log.log);
	ck_assert_uint_eq(strlen(taken), 100 * strlen("cell main|service a|last words\n"));
	close_log(&pipe_log);
}
END_TEST

START_TEST(rubbish_ends_the_log_with_one_line)
{
	uint8_t bytes[LOG_RECORD_MAX];
	struct pipe_log pipe_log;

	open_log(&pipe_log);
	memset(bytes, 0xff, sizeof(bytes));
	put(&pipe_log, bytes, sizeof(bytes));
	event_base_loop(pipe_log.base, EVLOOP_ONCE);
	ck_assert_ptr_nonnull(strstr(taken, "|cell main|its log cannot be read any further"));
	put(&pipe_log, bytes, encode("more", bytes));
	event_base_loop(pipe_log.base, EVLOOP_NONBLOCK);
	ck_assert_ptr_null(strstr(taken, "more"));
	close_log(&pipe_log);
}
END_TEST

START_TEST(a_cell_that_logs_without_end_gets_one_turn_at_a_time)
{
	struct pipe_log pipe_log;
	uint8_t record[LOG_RECORD_MAX];
	unsigned written = 0, seen = 0;
	size_t size;

	open_log(&pipe_log);
	size = encode("more", record);
	while (write(pipe_log.writer, record, size) == (ssize_t)size)
		written++;
	ck_assert_uint_gt(written * size, 8 * LOG_RECORD_MAX);
	event_base_loop(pipe_log.base, EVLOOP_ONCE);
	for (const char *at = taken; (at = strstr(at, "|more\n")) != NULL; at++)
		seen++;
	ck_assert_uint_gt(seen, 0);
	ck_assert_uint_le(seen * size, 8 * LOG_RECORD_MAX);
	close_log(&pipe_log);
}
END_TEST

CHECK_MAIN("master/cell_log",
	records_are_written_under_the_name_of_the_cell,
	a_record_may_come_in_pieces,
	what_a_dead_cell_left_in_the_pipe_is_drained,
	rubbish_ends_the_log_with_one_line,
	a_cell_that_logs_without_end_gets_one_turn_at_a_time)
