/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "ctl/ctl.h"

#define LOAD_TICK_NS INT64_C(500000000)

/* One connection; its fd is -1 once it is lost. */
struct load_line {
	struct ctl_connection connection;
	int64_t started_ns; /* of the call under way; 0: none */
};

struct load {
	struct ctl *ctl;
	const struct varlink_call *call;
	int memfd;
	struct load_result *result;
	struct load_line *lines;
	struct pollfd *polls; /* one a line */
	size_t line_count;
	size_t lost;
	int64_t wanted;
	int64_t started; /* calls sent */
	int64_t start_ns;
	int64_t next_tick_ns; /* of the progress shown */
	bool shown;
};

static volatile sig_atomic_t load_interrupted;

static void
load_on_interrupt(int signal)
{
	(void)signal;
	load_interrupted = 1;
}

/* --- one call ---------------------------------------------------------------- */

static void
load_count(struct load *load, const struct ctl_error *failure)
{
	struct load_result *result = load->result;

	result->calls++;
	if (failure == NULL)
		return;
	if (result->failed++ == 0)
		result->first = *failure;
}

/* Gives the line up; the call under way on it has failed. */
static void
load_lose(struct load *load, struct load_line *line, const struct ctl_error *why)
{
	if (line->started_ns != 0)
		load_count(load, why);
	else if (load->result->failed == 0)
		load->result->first = *why;
	line->started_ns = 0;
	connection_close(&line->connection);
	load->lost++;
}

/* Begins the next call on a line that has none, if one is wanted. */
static void
load_begin(struct load *load, struct load_line *line)
{
	struct ctl_error error = {0};
	int fd = load->memfd >= 0 ? fcntl(load->memfd, F_DUPFD_CLOEXEC, 0) : -1;

	if (load->started == load->wanted || load_interrupted) {
		fd_close(&fd);
		return;
	}
	line->started_ns = clock_monotonic_ns();
	load->started++;
	if (!varlink_stream_send_call(&line->connection.stream, load->call, &fd, fd >= 0)) {
		fd_close(&fd);
		ctl_error_set(&error, INTERFACE_EXIT_FAILED, CTL_CODE_NO_MEMORY,
			"no memory for the call");
		load_lose(load, line, &error);
	}
}

static void
load_end(struct load *load, struct load_line *line, const struct varlink_reply *reply)
{
	struct ctl_error error = {0};

	histogram_record(&load->result->latency,
		(uint64_t)(clock_monotonic_ns() - line->started_ns));
	line->started_ns = 0;
	if (reply->error != NULL)
		ctl_read_error(reply, &error);
	load_count(load, reply->error != NULL ? &error : NULL);
}

/* --- one line ---------------------------------------------------------------- */

static void
load_flush(struct load *load, struct load_line *line)
{
	struct ctl_error error = {0};
	enum varlink_stream_result result;

	if (line->connection.fd < 0)
		return;
	result = varlink_stream_flush(&line->connection.stream);
	/* A closed connection is found by receiving, after what was still said. */
	if (result != VARLINK_STREAM_FAILED)
		return;
	connection_explain(&line->connection, result, &error);
	load_lose(load, line, &error);
}

/* Takes the reply that has come, if it is whole, and begins the next call. */
static void
load_take(struct load *load, struct load_line *line)
{
	struct ctl_error error = {0};
	struct ctl_reply reply;

	switch (connection_take(&line->connection, &reply, &error)) {
	case CTL_WAIT_TIMEOUT:
		return;
	case CTL_WAIT_FAILED:
		load_lose(load, line, &error);
		return;
	case CTL_WAIT_DONE:
		break;
	}
	if (line->started_ns != 0)
		load_end(load, line, &reply.reply);
	ctl_reply_finish(&reply);
	load_begin(load, line);
	load_flush(load, line);
}

static void
load_on_readable(struct load *load, struct load_line *line)
{
	struct ctl_error error = {0};
	enum varlink_stream_result result = varlink_stream_receive(&line->connection.stream);

	if (result == VARLINK_STREAM_OK) {
		load_take(load, line);
	} else if (result != VARLINK_STREAM_AGAIN) {
		connection_explain(&line->connection, result, &error);
		load_lose(load, line, &error);
	}
}

/* A reply that comes after its time would be taken for that of the next call: the line goes. */
static void
load_check_deadline(struct load *load, struct load_line *line, int64_t now)
{
	int64_t timeout_ns = load->ctl->options.timeout_ns;
	char within[CLOCK_TEXT_SIZE];
	struct ctl_error error = {0};

	if (line->started_ns == 0 || timeout_ns == 0 || now - line->started_ns < timeout_ns)
		return;
	clock_format_duration(within, sizeof(within), timeout_ns);
	ctl_error_set(&error, INTERFACE_EXIT_TIMEOUT, CTL_CODE_TIMEOUT, "no reply within %s",
		within);
	load_lose(load, line, &error);
}

/* --- all of them ------------------------------------------------------------- */

static void
load_show_progress(struct load *load, int64_t now)
{
	struct print *err = &load->ctl->err;
	int64_t calls = load->result->calls;

	if (!err->is_tty || load->ctl->options.quiet || now < load->next_tick_ns)
		return;
	load->next_tick_ns = now + LOAD_TICK_NS;
	/* Who is done within a second is not told that it takes long. */
	if (now - load->start_ns < 2 * LOAD_TICK_NS)
		return;
	fprintf(err->file, "\r%lld of %lld, %.0f/s ", (long long)calls, (long long)load->wanted,
		(double)calls * 1e9 / (double)(now - load->start_ns));
	fflush(err->file);
	load->shown = true;
}

static void
load_pass(struct load *load)
{
	int64_t now;

	for (size_t i = 0; i < load->line_count; i++) {
		struct load_line *line = &load->lines[i];

		load->polls[i].fd = line->connection.fd;
		load->polls[i].events = POLLIN;
		if (line->connection.fd >= 0 && varlink_stream_pending(&line->connection.stream) > 0)
			load->polls[i].events |= POLLOUT;
	}
	if (poll(load->polls, load->line_count, (int)(LOAD_TICK_NS / CLOCK_NS_PER_MS)) < 0)
		return;
	now = clock_monotonic_ns();
	for (size_t i = 0; i < load->line_count; i++) {
		struct load_line *line = &load->lines[i];

		if ((load->polls[i].revents & POLLOUT) != 0)
			load_flush(load, line);
		if ((load->polls[i].revents & ~POLLOUT) != 0 && line->connection.fd >= 0)
			load_on_readable(load, line);
		load_check_deadline(load, line, now);
	}
	load_show_progress(load, now);
}

static bool
load_goes_on(const struct load *load)
{
	return !load_interrupted && load->result->calls < load->wanted &&
		load->lost < load->line_count;
}

/* Every line is connected before the first call, so that connecting is not measured. */
static bool
load_connect(struct load *load)
{
	struct ctl *ctl = load->ctl;

	for (size_t i = 0; i < load->line_count; i++)
		load->lines[i].connection.fd = -1;
	for (size_t i = 0; i < load->line_count; i++) {
		if (connection_open(&load->lines[i].connection, ctl_socket(ctl),
			connection_deadline(ctl->options.timeout_ns), &ctl->error))
			continue;
		if (i == 0)
			return false;
		load_lose(load, &load->lines[i], &ctl->error);
	}
	return true;
}

/* What was never sent because every connection was lost has failed too. */
static void
load_count_rest(struct load *load)
{
	struct load_result *result = load->result;

	if (load_interrupted || result->calls == load->wanted)
		return;
	result->failed += load->wanted - result->calls;
	result->calls = load->wanted;
}

static void
load_loop(struct load *load)
{
	struct sigaction on_interrupt = {.sa_handler = load_on_interrupt};
	struct sigaction before;

	load_interrupted = 0;
	sigaction(SIGINT, &on_interrupt, &before);
	load->start_ns = clock_monotonic_ns();
	for (size_t i = 0; i < load->line_count; i++) {
		if (load->lines[i].connection.fd < 0)
			continue;
		load_begin(load, &load->lines[i]);
		load_flush(load, &load->lines[i]);
	}
	while (load_goes_on(load))
		load_pass(load);
	load->result->took_ns = clock_monotonic_ns() - load->start_ns;
	load->result->interrupted = load_interrupted != 0;
	load_count_rest(load);
	sigaction(SIGINT, &before, NULL);
	if (load->shown)
		fputs("\r\033[K", load->ctl->err.file);
}

bool
load_run(struct ctl *ctl, const struct varlink_call *call, int memfd,
	struct load_result *result_r)
{
	struct load load = {.ctl = ctl, .call = call, .memfd = memfd, .result = result_r,
		.wanted = ctl->options.repeat, .line_count = (size_t)ctl->options.concurrency};
	bool connected;

	memset(result_r, 0, sizeof(*result_r));
	if ((int64_t)load.line_count > load.wanted)
		load.line_count = (size_t)load.wanted;
	load.lines = xcalloc(load.line_count, sizeof(*load.lines));
	load.polls = xcalloc(load.line_count, sizeof(*load.polls));
	connected = load_connect(&load);
	if (connected)
		load_loop(&load);
	for (size_t i = 0; i < load.line_count; i++)
		connection_close(&load.lines[i].connection);
	free(load.lines);
	free(load.polls);
	return connected;
}
