/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include <inttypes.h>
#include <string.h>

#include <bay/arena.h>
#include <bay/log.h>
#include <bay/request.h>
#include <bay/task.h>

#include "exec.h"
#include "framing.h"
#include "worker.h"

static int
talk_reply(const struct exec *exec, struct bay_request *request, const struct frame *frame)
{
	size_t length = strlen(exec->set->failure);

	if (frame->status != BAY_OK)
		return bay_fail(request, frame->status, "%.*s", (int)frame->size, frame->data);
	if (exec->set->mode == EXEC_LINE && length > 0 && frame->size >= length &&
		memcmp(frame->data, exec->set->failure, length) == 0)
		return bay_fail(request, BAY_FAILED, "%.*s", (int)(frame->size - length), frame->data + length);
	return bay_reply(request, frame->data, frame->size);
}

/* It has ended, or wants no more. */
static int
talk_fail_dead(struct bay_request *request, struct worker *worker, const struct frame *frame)
{
	char text[PROGRAM_END_SIZE];

	worker_await_end(worker);
	return bay_fail(request, BAY_PEER_DIED, "worker %d %s%s%s", (int)worker->pid, worker_end_text(worker, text),
		frame->size > 0 ? ", in the middle of its reply" : "", errors_last(&worker->errors));
}

static int
talk_fail(const struct exec *exec, struct bay_request *request, struct worker *worker, int status,
	const struct frame *frame)
{
	int pid = (int)worker->pid;

	switch (status) {
	case BAY_CLOSED:
	case BAY_IO:
		return talk_fail_dead(request, worker, frame);
	case BAY_TIMEOUT:
		bay_log_warn("worker %d did not answer in time: it is killed", pid);
		return bay_fail(request, status, "worker %d did not answer in time and was killed", pid);
	case BAY_CANCELED:
		return bay_fail(request, status, "worker %d was killed: %s", pid, bay_cancel_reason());
	case BAY_TOO_BIG:
		bay_log_warn("worker %d answers with more than reply_max: it is killed", pid);
		return bay_fail(request, status, "worker %d answers with more than %" PRIu64 " bytes (reply_max)", pid,
			exec->set->reply_max);
	case BAY_INVALID:
		bay_log_warn("worker %d answers with something else than a length: it is killed", pid);
		return bay_fail(request, BAY_FAILED, "worker %d answers with something else than a length", pid);
	default:
		return bay_fail(request, status, "worker %d was killed: %s", pid, bay_status_name(status));
	}
}

int
talk_handle(struct exec *exec, struct bay_request *request)
{
	bool line = exec->set->mode == EXEC_LINE;
	size_t size = bay_request_size(request);
	struct frame frame = {.size = 0};
	struct worker *worker;
	int64_t deadline = exec_deadline(exec);
	int status, result;

	if (line && !framing_fits_line(bay_request_data(request), &size))
		return bay_fail(request, BAY_INVALID, "with mode = line a request is one line; this one is more");
	status = pool_take(&exec->pool, &worker, deadline);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", exec->pool.why);
	status = framing_write(worker->input, line, bay_request_data(request), size, deadline);
	if (status == BAY_OK)
		status = framing_read(worker->output, line, exec->set->reply_max, bay_request_arena(request), &frame,
			deadline);
	result = status == BAY_OK ? talk_reply(exec, request, &frame)
		: talk_fail(exec, request, worker, status, &frame);
	pool_give_back(&exec->pool, worker, status == BAY_OK);
	return result;
}
