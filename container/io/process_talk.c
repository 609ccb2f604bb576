/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bay_process_communicate(): one select over the pipes and the end of the child, again and
 * again, until there is nothing to wait for. What a child wrote lies in the pipe when it has
 * ended, so at its end a look at each is enough, and what others write there is theirs.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <bay/fd.h>
#include <bay/select.h>

#include "io/process.h"
#include "io/select.h"
#include "runtime/await.h"
#include "runtime/task.h"

enum {
	TALK_MAX = 1 << 20,       /* bytes of a pipe, if nobody says how many */
	TALK_PIECE = 64 << 10,    /* read or written at a time: what a pipe holds */
	TALK_INPUT = 0,           /* the cases */
	TALK_OUTPUT,
	TALK_ERRORS,
	TALK_END,
	TALK_CASES
};

struct talk {
	struct bay_process *process;
	const char *input;
	size_t size;
	size_t max_bytes;
	struct bay_case cases[TALK_CASES];
};

static void
talk_close(struct talk *talk, int which)
{
	(void)bay_fd_close(bay_process_take_fd(talk->process, which));
}

/* Writes what there is room for. */
static int
talk_feed(struct talk *talk)
{
	struct bay_process *process = talk->process;
	size_t left = talk->size > process->fed ? talk->size - process->fed : 0;
	ssize_t written = 0;

	if (left > 0) {
		written = write(process->pipes[BAY_STDIN], talk->input + process->fed,
			left < TALK_PIECE ? left : TALK_PIECE);
		if (written < 0 && (errno == EAGAIN || errno == EINTR))
			return BAY_OK;
		/* A child that does not want more is no error. */
		process->fed = written < 0 ? talk->size : process->fed + (size_t)written;
	}
	if (process->fed >= talk->size)
		talk_close(talk, BAY_STDIN);
	return BAY_OK;
}

/* Too much has come. */
static int
talk_flood(struct talk *talk, int which)
{
	struct bay_process *process = talk->process;

	process_say("process %s (%d): more than %zu bytes came as its %s: it was killed", process->waitable.name,
		(int)process->child->pid, talk->max_bytes, which == BAY_STDOUT ? "output" : "errors");
	process_signal_group(process, SIGKILL);
	return BAY_TOO_BIG;
}

/* Reads a piece. BAY_BUSY: nothing is there; BAY_CLOSED: nothing will come, and it is closed. */
static int
talk_take_piece(struct talk *talk, int which, size_t *taken_r)
{
	struct bay_process *process = talk->process;
	struct buffer *captured = &process->captured[which - BAY_STDOUT];
	size_t room = talk->max_bytes > captured->size ? talk->max_bytes - captured->size : 0;
	ssize_t got;

	/* One byte more than there may be tells that there are too many. */
	room = room < TALK_PIECE ? room + 1 : TALK_PIECE;
	*taken_r = 0;
	if (!buffer_reserve(captured, room + 1)) {
		process_say("process %s: no memory for its output", process->waitable.name);
		return BAY_NO_MEMORY;
	}
	got = read(process->pipes[which], captured->data + captured->size, room);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? BAY_BUSY : BAY_IO;
	if (got == 0) {
		talk_close(talk, which);
		return BAY_CLOSED;
	}
	if (captured->size + (size_t)got > talk->max_bytes)
		return talk_flood(talk, which);
	captured->size += (size_t)got;
	captured->data[captured->size] = '\0';
	*taken_r = (size_t)got;
	return BAY_OK;
}

static int
talk_take(struct talk *talk, int which)
{
	size_t taken;
	int status = talk_take_piece(talk, which, &taken);

	return status == BAY_BUSY || status == BAY_CLOSED ? BAY_OK : status;
}

/* What lies in a pipe now, and not what others go on to write. */
static int
talk_drain(struct talk *talk, int which)
{
	int fd = talk->process->pipes[which];
	size_t left, taken;
	int status = BAY_OK;

	if (fd < 0)
		return BAY_OK;
	left = (size_t)fcntl(fd, F_GETPIPE_SZ);
	while (status == BAY_OK && left > 0 && talk->process->pipes[which] >= 0) {
		status = talk_take_piece(talk, which, &taken);
		left -= taken < left ? taken : left;
	}
	return status == BAY_BUSY || status == BAY_CLOSED ? BAY_OK : status;
}

static void
talk_set_cases(struct talk *talk)
{
	struct bay_process *process = talk->process;
	int which;

	for (which = BAY_STDIN; which <= BAY_STDERR; which++) {
		talk->cases[which] = bay_case_of(BAY_CASE_NONE);
		if (process->pipes[which] >= 0)
			talk->cases[which] = bay_case_fd(process->pipes[which],
				which == BAY_STDIN ? BAY_WRITABLE : BAY_READABLE);
	}
	talk->cases[TALK_END] = bay_case_process(process);
}

/* Something can be done about one of the pipes. */
static int
talk_on_pipe(struct talk *talk, int which)
{
	/* Another task has closed it, or it cannot be waited for. */
	if (talk->cases[which].status != BAY_OK)
		return talk->cases[which].status;
	return which == TALK_INPUT ? talk_feed(talk) : talk_take(talk, which);
}

/* Until the child has ended. */
static int
talk_to_the_end(struct talk *talk, int64_t deadline)
{
	struct bay_process *process = talk->process;
	size_t which;
	int status;

	for (;;) {
		talk_set_cases(talk);
		status = select_cases(talk->cases, TALK_CASES, &which, deadline);
		if (process->waitable.closed)
			return BAY_CLOSED;
		if (status == BAY_OK && which != TALK_END)
			status = talk_on_pipe(talk, (int)which);
		else if (status == BAY_OK && process_has_ended(process))
			return BAY_OK;
		if (status != BAY_OK)
			return status;
	}
}

static int
talk_run(struct talk *talk, struct bay_process_exit *exit_r, int64_t deadline)
{
	struct bay_process *process = talk->process;
	int status = talk_to_the_end(talk, deadline);

	if (status == BAY_OK)
		status = talk_drain(talk, BAY_STDOUT);
	if (status == BAY_OK)
		status = talk_drain(talk, BAY_STDERR);
	return status == BAY_OK ? process_exit(process, exit_r) : status;
}

/* bay_process_communicate() of an await that has begun. */
static int
process_communicate(struct talk *talk, struct bay_process_exit *exit_r, int64_t deadline)
{
	struct bay_process *process = talk->process;
	struct task *self = task_current();
	int status;

	if (await_is_over(self))
		return await_over(self);
	if (process->talks)
		return BAY_BUSY;
	process->talks = true;
	waitable_enter(&process->waitable);
	status = talk_run(talk, exit_r, task_deadline(self, deadline));
	process->talks = false;
	waitable_leave(&process->waitable);
	return status;
}

static struct talk
talk_make(struct bay_process *process, const void *input, size_t size, size_t max_bytes)
{
	return (struct talk){.process = process, .input = input, .size = size,
		.max_bytes = max_bytes != 0 ? max_bytes : TALK_MAX};
}

int
bay_process_communicate(struct bay_process *process, const void *input, size_t size, size_t max_bytes,
	struct bay_process_exit *exit_r, int64_t deadline)
{
	struct talk talk = talk_make(process, input, size, max_bytes);

	if (!WAITABLE_BEGIN(process, "bay_process_communicate"))
		return BAY_INVALID;
	return process_communicate(&talk, exit_r, deadline);
}

const char *
bay_process_captured(const struct bay_process *process, int which, size_t *size_r)
{
	const struct buffer *captured;

	if (size_r != NULL)
		*size_r = 0;
	if (which != BAY_STDOUT && which != BAY_STDERR)
		return "";
	captured = &process->captured[which - BAY_STDOUT];
	if (size_r != NULL)
		*size_r = captured->size;
	return captured->size > 0 ? (const char *)captured->data : "";
}

int
bay_process_run(const struct bay_process_options *options, const void *input, size_t size, size_t max_bytes,
	struct bay_process **process_r, int64_t deadline)
{
	struct bay_process *process;
	struct talk talk;
	int status;

	*process_r = NULL;
	if (!AWAIT_BEGIN("bay_process_run"))
		return BAY_INVALID;
	status = process_spawn(options, &process, deadline);
	if (status != BAY_OK)
		return status;
	talk = talk_make(process, input, size, max_bytes);
	status = process_communicate(&talk, NULL, deadline);
	if (status == BAY_OK) {
		*process_r = process;
		return BAY_OK;
	}
	if (status == BAY_TIMEOUT || status == BAY_CANCELED)
		process_say("process %s (%d) was killed: %s", process->waitable.name, (int)process->child->pid,
			status == BAY_TIMEOUT ? "the deadline passed" : "the task was cancelled");
	bay_process_close(process);
	return status;
}
