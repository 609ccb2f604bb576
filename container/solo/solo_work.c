/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_work.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/bay.h>

#include "base/buffer.h"
#include "base/log.h"
#include "cell/crash.h"
#include "protocol/body.h"
#include "protocol/interface.h"
#include "service/registry.h"
#include "service/service.h"
#include "solo/solo.h"
#include "solo/solo_print.h"
#include "solo/solo_words.h"

enum { WORK_READ_BYTES = 64 * 1024 };

#define WORK_DRAIN_NS (10 * BAY_SECOND)

struct work {
	const struct solo_words *words;
	const struct solo_print *print;
	struct solo_outcome *outcome;
	struct solo *solo;
	const struct solo_wanted *last; /* the service that is called */
	struct bay_service *service;    /* the same */
	struct buffer input;
	size_t taken;                   /* of the input */
	bool at_end;                    /* of it */
	bool working;                   /* the services have started */
	int interrupts;
	int failed;                     /* exit code of the first call that failed, or 0 */
};

/* The last word, whatever comes after it. */
static void
work_end(struct work *work, int code)
{
	atomic_store(&work->outcome->code, code);
	atomic_store(&work->outcome->done, true);
}

static void
work_on_signal(int number, void *arg)
{
	struct work *work = arg;

	(void)number;
	if (work->working && work->interrupts++ == 0) {
		solo_interrupt(work->solo, "interrupted");
		return;
	}
	/* Nothing is under way that could be asked to end, or it was asked and has not. */
	work_end(work, INTERFACE_EXIT_FAILED);
	fflush(NULL);
	_exit(INTERFACE_EXIT_FAILED);
}

/* --- calls ------------------------------------------------------------------------ */

/* Of a call or a start that ended so. */
static int
work_exit(int status)
{
	return (int)interface_error_exit(interface_error_name((enum bay_status)status), NULL);
}

static int
work_call(struct work *work, const void *data, size_t size)
{
	int64_t timeout_ns = work->words->timeout_ns;
	struct bay_message *message = bay_message(data, size);
	struct bay_message *reply = NULL;
	int status = BAY_NO_MEMORY;

	if (message != NULL)
		status = bay_call(work->service, message, &reply, timeout_ns > 0 ? bay_after(timeout_ns) : BAY_INHERIT);
	bay_message_free(message);
	if (status == BAY_OK) {
		solo_print_reply(work->print, bay_message_data(reply), bay_message_size(reply));
	} else if (work->interrupts > 0) {
		solo_print_error(work->print, INTERFACE_EXIT_FAILED, status, "interrupted");
	} else {
		const char *error = bay_call_error();

		solo_print_error(work->print, work_exit(status), status, "%s: %s", bay_status_name(status),
			*error != '\0' ? error : "it does not say why");
	}
	bay_message_free(reply);
	if (status != BAY_OK && work->failed == 0)
		work->failed = work->interrupts > 0 ? INTERFACE_EXIT_FAILED : work_exit(status);
	return status;
}

static int
work_call_main(void *arg)
{
	struct work *work = arg;

	(void)work_call(work, work->words->text, strlen(work->words->text));
	return BAY_OK;
}

/* --- requests line by line ---------------------------------------------------------- */

static void
work_prompt(const struct work *work)
{
	if (!work->print->terminal || work->print->json || isatty(STDIN_FILENO) != 1)
		return;
	printf("%s> ", work->last->name);
	fflush(stdout);
}

/* Reads what is there, waiting for it beside all that goes on. BAY_OK, also at the end. */
static int
work_read(struct work *work)
{
	ssize_t size;
	int status;

	solo_expect_line(work->solo, true);
	status = bay_wait_fd(STDIN_FILENO, BAY_READABLE, BAY_INHERIT);
	solo_expect_line(work->solo, false);
	if (status != BAY_OK && status != BAY_CLOSED)
		return status;
	if (!buffer_reserve(&work->input, WORK_READ_BYTES))
		return BAY_NO_MEMORY;
	size = read(STDIN_FILENO, work->input.data + work->input.size, WORK_READ_BYTES);
	if (size > 0)
		work->input.size += (size_t)size;
	else if (size == 0 || (errno != EAGAIN && errno != EINTR))
		work->at_end = true;
	return BAY_OK;
}

/* The next line without its end; BAY_CLOSED: there is none. Borrowed until the next. */
static int
work_next_line(struct work *work, const char **line_r, size_t *size_r)
{
	for (;;) {
		size_t left = work->input.size - work->taken;
		const char *line = (const char *)work->input.data + work->taken;
		const char *end = left > 0 ? memchr(line, '\n', left) : NULL;
		int status;

		if (end != NULL || (work->at_end && left > 0)) {
			*line_r = line;
			*size_r = end != NULL ? (size_t)(end - line) : left;
			work->taken += *size_r + (end != NULL);
			return BAY_OK;
		}
		if (work->at_end)
			return BAY_CLOSED;
		if (left > BODY_MAX)
			return BAY_TOO_BIG;
		memmove(work->input.data, line, left);
		work->input.size = left;
		work->taken = 0;
		status = work_read(work);
		if (status != BAY_OK)
			return status;
	}
}

static int
work_repl_main(void *arg)
{
	struct work *work = arg;
	const char *line;
	size_t size;
	int status;

	/* So that no line is looked for in no buffer. */
	if (!buffer_reserve(&work->input, WORK_READ_BYTES))
		return BAY_NO_MEMORY;
	do {
		work_prompt(work);
		status = work_next_line(work, &line, &size);
		if (status == BAY_OK)
			(void)work_call(work, line, size);
	} while (status == BAY_OK && work->interrupts == 0);
	/* The prompt's line has not been ended. */
	if (status != BAY_OK && work->print->terminal && !work->print->json)
		putchar('\n');
	if (status != BAY_TOO_BIG && status != BAY_NO_MEMORY)
		return BAY_OK;
	solo_print_error(work->print, INTERFACE_EXIT_FAILED, status, "a line has more than %d bytes", BODY_MAX);
	work->failed = INTERFACE_EXIT_FAILED;
	return status;
}

/* --- what is wanted ----------------------------------------------------------------- */

static int
work_repl(struct work *work)
{
	(void)solo_run(work->solo, "repl", work_repl_main, work);
	/* A person has seen it. */
	return isatty(STDIN_FILENO) == 1 ? INTERFACE_EXIT_DONE : work->failed;
}

/* It has ended, or failed, or was told to end. */
static int
work_let_run(struct work *work)
{
	const char *failure;

	if (work->service->plugin->run == NULL) {
		solo_print_error(work->print, INTERFACE_EXIT_USAGE, BAY_OK, "%s answers requests and does nothing by "
			"itself: give --call TEXT or --repl", work->last->file);
		return INTERFACE_EXIT_USAGE;
	}
	solo_await_end(work->solo, work->last->name);
	(void)solo_stop(work->solo, work->last->name, work->interrupts > 0 ? 0 : WORK_DRAIN_NS);
	failure = solo_failure(work->solo, work->last->name);
	if (failure == NULL)
		return INTERFACE_EXIT_DONE;
	solo_print_error(work->print, INTERFACE_EXIT_FAILED, BAY_FAILED, "service %s has failed: %s",
		work->last->name, failure);
	return INTERFACE_EXIT_FAILED;
}

static int
work_do(struct work *work)
{
	work->service = registry_get(work->last->name);
	if (work->words->text != NULL) {
		(void)solo_run(work->solo, "call", work_call_main, work);
		return work->failed;
	}
	return work->words->repl ? work_repl(work) : work_let_run(work);
}

/* --- from beginning to end ------------------------------------------------------------ */

/* An exit code: 0, all have started. */
static int
work_start(struct work *work)
{
	size_t i;

	for (i = 0; i < work->words->count; i++) {
		const struct solo_wanted *wanted = &work->words->services[i];
		const struct solo_service service = {.name = wanted->name, .file = wanted->file,
			.settings = wanted->settings};
		int status = solo_start(work->solo, &service);

		if (status == BAY_OK)
			continue;
		if (status == BAY_NOT_FOUND)
			solo_print_error(work->print, INTERFACE_EXIT_NOT_FOUND, status, "%s", solo_error());
		else
			solo_print_error(work->print, work_exit(status), status, "%s: %s", wanted->file, solo_error());
		return status == BAY_INVALID ? INTERFACE_EXIT_INVALID : work_exit(status);
	}
	return INTERFACE_EXIT_DONE;
}

static bool
work_open(struct work *work, struct status_page *page)
{
	static const int signals[] = {SIGINT, SIGTERM};
	const struct solo_options options = {.virtual_time = work->words->virtual_time, .page = page};

	log_set_process("run");
	log_set_level(work->words->quiet ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO);
	if (work->words->json)
		log_set_format(LOG_FORMAT_JSON);
	crash_install(page);
	work->solo = solo_create(&options);
	return work->solo != NULL &&
		solo_watch_signals(work->solo, signals, sizeof signals / sizeof signals[0], work_on_signal, work);
}

int
solo_work(const struct solo_words *words, const struct solo_print *print, struct status_page *page,
	struct solo_outcome *outcome)
{
	struct work work = {.words = words, .print = print, .outcome = outcome,
		.last = &words->services[words->count - 1]};
	int code;

	if (!work_open(&work, page)) {
		solo_print_error(print, INTERFACE_EXIT_FAILED, BAY_NO_MEMORY, "%s", solo_error());
		code = INTERFACE_EXIT_FAILED;
	} else {
		code = work_start(&work);
		work.working = code == INTERFACE_EXIT_DONE;
		if (work.working)
			code = work_do(&work);
		if (solo_stop_all(work.solo, work.interrupts > 0 ? 0 : WORK_DRAIN_NS) != BAY_OK) {
			solo_print_error(print, INTERFACE_EXIT_FAILED, BAY_BUSY, "%s", solo_error());
			if (code == INTERFACE_EXIT_DONE)
				code = INTERFACE_EXIT_FAILED;
		}
		(void)solo_destroy(work.solo);
	}
	buffer_finish(&work.input);
	fflush(stdout);
	work_end(&work, code);
	return code;
}
