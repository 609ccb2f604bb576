/* SPDX-License-Identifier: BSD-2-Clause */
#include "once.h"

#include <inttypes.h>

#include <bay/arena.h>
#include <bay/fd.h>
#include <bay/process.h>
#include <bay/request.h>
#include <bay/task.h>

#include "errors.h"
#include "exec.h"

/* Beside the request, until its descriptor is closed. */
static int
once_listen(void *arg)
{
	struct errors *errors = arg;

	while (errors->fd >= 0 && bay_wait_fd(errors->fd, BAY_READABLE, BAY_INHERIT) == BAY_OK)
		(void)errors_take(errors);
	return BAY_OK;
}

static int
once_answer(struct bay_request *request, const struct bay_process *process, const struct bay_process_exit *end,
	const struct errors *errors)
{
	char text[PROGRAM_END_SIZE];
	const char *output;
	size_t size;

	if (end->code != 0)
		return bay_fail(request, end->signal != 0 ? BAY_PEER_DIED : BAY_FAILED, "the program %s%s",
			program_end_text(end, text), errors_last(errors));
	output = bay_process_captured(process, BAY_STDOUT, &size);
	return bay_reply(request, output, size);
}

static int
once_fail(struct bay_request *request, const struct exec *exec, const struct bay_process *process, int status)
{
	int pid = (int)bay_process_pid(process);

	switch (status) {
	case BAY_TIMEOUT:
		return bay_fail(request, status, "program %d took too long and was killed", pid);
	case BAY_TOO_BIG:
		return bay_fail(request, status, "program %d wrote more than %" PRIu64 " bytes (reply_max) and was killed",
			pid, exec->set->reply_max);
	default:
		return bay_fail(request, status, "program %d was killed: %s", pid,
			bay_cancel_reason() != NULL ? bay_cancel_reason() : bay_process_error());
	}
}

/* The request's arena has the errors: their task may end after the handler. */
static int
once_talk(struct exec *exec, struct bay_request *request, struct bay_process *process, struct errors *errors,
	int64_t deadline)
{
	struct bay_process_exit end = {.code = -1};
	int status;

	errors_open(errors, bay_process_take_fd(process, BAY_STDERR), bay_process_pid(process),
		(int)exec->set->errors);
	status = bay_go("errors", once_listen, errors);
	if (status == BAY_OK)
		status = bay_process_communicate(process, bay_request_data(request), bay_request_size(request),
			exec->set->reply_max, &end, deadline);
	/* What it wrote before its end lies in the pipe, whoever else holds that open. */
	(void)errors_take(errors);
	errors_close(errors);
	return status == BAY_OK ? once_answer(request, process, &end, errors)
		: once_fail(request, exec, process, status);
}

int
once_handle(struct exec *exec, struct bay_request *request)
{
	struct errors *errors = bay_arena_alloc(bay_request_arena(request), sizeof *errors);
	struct bay_process *process;
	int64_t deadline = exec_deadline(exec);
	int status;

	if (errors == NULL)
		return bay_fail(request, BAY_NO_MEMORY, "no memory for a process");
	status = program_start(&exec->program, &process, deadline);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_process_error());
	status = once_talk(exec, request, process, errors, deadline);
	bay_process_close(process);
	return status;
}
