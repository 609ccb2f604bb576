/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end is noticed by a descriptor of the process (pidfd) and not by the socket, which a
 * plugin may close or hand to a child of its own.
 */
#include "config.h"

#include "master/examiner_process.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/obituary.h"
#include "base/program.h"
#include "base/remedy.h"
#include "master/child.h"
#include "master/child_output.h"
#include "master/sandbox.h"
#include "protocol/varlink_stream.h"

/* The leak checker looks at its own process by ptrace. */
#ifdef BAY_ASAN
enum { EXAMINER_MAY_BE_SANDBOXED = false };
#else
enum { EXAMINER_MAY_BE_SANDBOXED = true };
#endif

struct examiner_process {
	const struct examiner_process_events *events;
	void *arg;
	struct child child;
	struct child_output *output;
	int fd;
	int pidfd;
	struct varlink_stream stream;
	struct event *read_event;
	struct event *write_event; /* added while there is something to send */
	struct event *end_event;
	bool deaf; /* it sent nonsense */
};

/* --- what comes ------------------------------------------------------------------------- */

static void
examiner_process_nonsense(struct examiner_process *process, const char *why)
{
	process->deaf = true;
	event_del(process->read_event);
	process->events->on_nonsense(why, process->arg);
}

static void
examiner_process_on_frame(struct examiner_process *process, const json_t *frame)
{
	struct varlink_reply reply;
	const char *why;

	if (varlink_reply_decode(frame, &reply, &why) != VARLINK_OK)
		examiner_process_nonsense(process, why);
	else
		process->events->on_reply(&reply, process->arg);
}

/* Receives once. False: nothing more is to be had now. */
static bool
examiner_process_receive(struct examiner_process *process)
{
	enum varlink_stream_result received = varlink_stream_receive(&process->stream);
	enum varlink_result taken = VARLINK_OK;
	struct varlink_fds fds;
	json_t *frame;

	if (received == VARLINK_STREAM_REFUSED)
		examiner_process_nonsense(process, varlink_stream_error(&process->stream));
	while (!process->deaf && taken == VARLINK_OK) {
		taken = varlink_stream_take(&process->stream, &frame, &fds);
		if (taken == VARLINK_OK) {
			varlink_fds_close(&fds);
			examiner_process_on_frame(process, frame);
			json_decref(frame);
		} else if (taken != VARLINK_MORE) {
			examiner_process_nonsense(process, varlink_result_text(taken));
		}
	}
	/* It closed its end, which is not yet the end of the process. */
	if (received == VARLINK_STREAM_CLOSED || received == VARLINK_STREAM_FAILED)
		event_del(process->read_event);
	return received == VARLINK_STREAM_OK && !process->deaf;
}

static void
examiner_process_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)examiner_process_receive(arg);
}

/* Whatever it said before it ended counts. */
static void
examiner_process_on_end(evutil_socket_t fd, short what, void *arg)
{
	struct examiner_process *process = arg;
	char how[OBITUARY_HOW_SIZE];
	int status;

	(void)fd;
	(void)what;
	if (!child_try_reap(&process->child, &status))
		return;
	while (!process->deaf && examiner_process_receive(process))
		;
	child_output_drain(process->output);
	event_del(process->read_event);
	event_del(process->write_event);
	event_del(process->end_event);
	process->events->on_end(obituary_how(status, how, sizeof(how)), process->arg);
}

/* --- what goes --------------------------------------------------------------------------- */

static void
examiner_process_flush(struct examiner_process *process)
{
	/* What it does not take, it has no need of: its end is about to come. */
	if (varlink_stream_flush(&process->stream) == VARLINK_STREAM_AGAIN)
		event_add(process->write_event, NULL);
}

static void
examiner_process_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	examiner_process_flush(arg);
}

bool
examiner_process_call(struct examiner_process *process, const char *method, int64_t id,
	const json_t *parameters, int fd)
{
	struct varlink_call call = {
		.method = method,
		.parameters = parameters,
		.has_id = true,
		.id = id,
	};

	if (!varlink_stream_send_call(&process->stream, &call, fd >= 0 ? &fd : NULL,
		fd >= 0 ? 1 : 0)) {
		fd_close(&fd);
		return false;
	}
	examiner_process_flush(process);
	return true;
}

/* --- its life ------------------------------------------------------------------------------- */

static bool
examiner_process_spawn(struct examiner_process *process, struct event_base *base,
	const struct program *program, struct buffer *error)
{
	static const struct sandbox sandbox = {.writable = "", .keeps_capabilities = true};
	const char *argv[] = {"bay-cell", "examine", NULL};
	struct child_options options = {
		.path = program->path,
		.argv = argv,
		.library_dir = program->library_dir,
		.cell_name = "examiner",
		.fd_count = 1,
		/* Its constructors run there, before anybody knows what they do. */
		.sandbox = EXAMINER_MAY_BE_SANDBOXED && sandbox_hindrance() == NULL ? &sandbox : NULL,
	};
	int pair[2];
	bool running;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return buffer_fail(error, "make a socket for the examiner: %s%s", strerror(errno), remedy_of(errno));
	process->fd = pair[0];
	process->output = child_output_create(base, "examiner");
	if (process->output == NULL) {
		close(pair[1]);
		return buffer_fail(error, "make the pipes for what the examiner prints: %s%s",
			strerror(errno), remedy_of(errno));
	}
	options.fds[0] = pair[1];
	options.output = child_output_ends(process->output);
	running = child_spawn(&options, &process->child, error);
	close(pair[1]);
	child_output_close_ends(process->output);
	if (!running)
		return false;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->child.pid, 0);
	if (process->pidfd < 0)
		return buffer_fail(error, "watch the examiner's process (Linux 5.3 or newer is "
			"needed): %s", strerror(errno));
	return true;
}

static bool
examiner_process_watch(struct examiner_process *process, struct event_base *base,
	struct buffer *error)
{
	process->read_event = event_new(base, process->fd, EV_READ | EV_PERSIST,
		examiner_process_on_readable, process);
	process->write_event = event_new(base, process->fd, EV_WRITE,
		examiner_process_on_writable, process);
	process->end_event = event_new(base, process->pidfd, EV_READ | EV_PERSIST,
		examiner_process_on_end, process);
	if (process->read_event == NULL || process->write_event == NULL ||
	    process->end_event == NULL || event_add(process->read_event, NULL) != 0 ||
	    event_add(process->end_event, NULL) != 0)
		return buffer_fail(error, "watch the examiner: no memory");
	return true;
}

struct examiner_process *
examiner_process_start(struct event_base *base, const struct program *program,
	const struct examiner_process_events *events, void *arg, struct buffer *error)
{
	struct examiner_process *process = xcalloc(1, sizeof(*process));

	process->events = events;
	process->arg = arg;
	process->child.pid = -1;
	process->fd = -1;
	process->pidfd = -1;
	varlink_stream_init(&process->stream, -1, &varlink_limits_cell);
	if (!examiner_process_spawn(process, base, program, error) ||
	    !examiner_process_watch(process, base, error)) {
		examiner_process_destroy(process);
		return NULL;
	}
	varlink_stream_finish(&process->stream);
	varlink_stream_init(&process->stream, process->fd, &varlink_limits_cell);
	return process;
}

static void
examiner_process_free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void
examiner_process_destroy(struct examiner_process *process)
{
	if (process == NULL)
		return;
	child_kill(&process->child);
	(void)child_reap(&process->child);
	examiner_process_free_event(process->read_event);
	examiner_process_free_event(process->write_event);
	examiner_process_free_event(process->end_event);
	child_output_destroy(process->output);
	varlink_stream_finish(&process->stream);
	fd_close(&process->fd);
	fd_close(&process->pidfd);
	free(process);
}
