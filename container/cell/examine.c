/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/examine.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/fd.h"
#include "base/log.h"
#include "cell/confine.h"
#include "cell/verdict.h"
#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"

struct examine {
	struct varlink_stream stream;
	bool failed; /* the socket; nothing more can be said */
};

/* --- answers -------------------------------------------------------------------------- */

static bool
examine_wait(short events)
{
	struct pollfd control = {.fd = CELL_CONTROL_FD, .events = events};

	while (poll(&control, 1, -1) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static void
examine_flush(struct examine *examine)
{
	enum varlink_stream_result result;

	do {
		result = varlink_stream_flush(&examine->stream);
	} while (result == VARLINK_STREAM_AGAIN && examine_wait(POLLOUT));
	examine->failed = result != VARLINK_STREAM_OK;
}

/* Takes parameters. */
static void
examine_reply(struct examine *examine, const struct varlink_call *call, const char *error,
	json_t *parameters)
{
	struct varlink_reply reply = {
		.error = error,
		.parameters = parameters,
		.has_id = call->has_id,
		.id = call->id,
	};

	if (parameters == NULL || !varlink_stream_send_reply(&examine->stream, &reply, NULL, 0))
		examine->failed = true;
	else
		examine_flush(examine);
	json_decref(parameters);
}

static void
examine_refuse(struct examine *examine, const struct varlink_call *call, const char *message)
{
	json_t *parameters = json_object();

	json_object_set_new(parameters, "status", json_string(bay_status_name(BAY_INVALID)));
	json_object_set_new(parameters, "message", varlink_text(message));
	examine_reply(examine, call, CELL_FAILED, parameters);
}

/* --- calls ------------------------------------------------------------------------------ */

static void
examine_setup(struct examine *examine, const struct varlink_call *call)
{
	struct cell_setup setup;
	char error[CELL_ERROR_SIZE];

	if (cell_setup_from_json(call->parameters, &setup, error))
		examine_reply(examine, call, NULL, json_object());
	else
		examine_refuse(examine, call, error);
}

/* A library that stays is found by its path again: that must never name another one. */
static void
examine_image(struct examine *examine, const struct varlink_call *call,
	const struct cell_examine *request, struct varlink_fds *fds)
{
	char path[32];
	json_t *verdict;
	bool stays;

	if (fds->count > 0 && fds->fd[0] >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds->fd[0]);
		verdict = verdict_make(request, path, &stays);
		if (stays)
			fds->fd[0] = -1;
	} else {
		verdict = verdict_make(request, request->image, &stays);
	}
	examine_reply(examine, call, NULL, verdict);
}

static void
examine_examine(struct examine *examine, const struct varlink_call *call,
	struct varlink_fds *fds)
{
	struct cell_examine request;
	char error[CELL_ERROR_SIZE];

	if (!cell_examine_from_json(call->parameters, &request, error)) {
		examine_refuse(examine, call, error);
		return;
	}
	examine_image(examine, call, &request, fds);
	cell_examine_finish(&request);
}

static void
examine_frame(struct examine *examine, const json_t *frame, struct varlink_fds *fds)
{
	struct varlink_call call;
	const char *why;

	if (varlink_call_decode(frame, &call, &why) != VARLINK_OK) {
		log_error(NULL, "the master sent what is no call: %s", why);
		examine->failed = true;
	} else if (strcmp(call.method, CELL_SETUP) == 0) {
		examine_setup(examine, &call);
	} else if (strcmp(call.method, CELL_EXAMINE) == 0) {
		examine_examine(examine, &call, fds);
	} else {
		examine_refuse(examine, &call, "an examiner does not know this call");
	}
}

/* --- the process -------------------------------------------------------------------------- */

static void
examine_take_frames(struct examine *examine)
{
	enum varlink_result result;
	struct varlink_fds fds;
	json_t *frame;

	while (!examine->failed) {
		result = varlink_stream_take(&examine->stream, &frame, &fds);
		if (result == VARLINK_MORE)
			return;
		if (result != VARLINK_OK) {
			log_error(NULL, "read from the master: %s", varlink_result_text(result));
			examine->failed = true;
			return;
		}
		examine_frame(examine, frame, &fds);
		varlink_fds_close(&fds);
		json_decref(frame);
	}
}

static int
examine_serve(struct examine *examine)
{
	enum varlink_stream_result result;

	while (!examine->failed && examine_wait(POLLIN)) {
		result = varlink_stream_receive(&examine->stream);
		if (result == VARLINK_STREAM_CLOSED)
			return EXIT_SUCCESS;
		if (result != VARLINK_STREAM_OK && result != VARLINK_STREAM_AGAIN) {
			log_error(NULL, "read from the master: %s",
				varlink_stream_error(&examine->stream));
			break;
		}
		examine_take_frames(examine);
	}
	return EXIT_FAILURE;
}

int
examine_run(void)
{
	struct examine examine = {0};
	int code;

	log_set_process("examiner");
	if (!fd_set_nonblocking(CELL_CONTROL_FD) || !fd_set_cloexec(CELL_CONTROL_FD, true)) {
		log_error_errno(NULL, "use descriptor %d, which bayd passes to its children",
			CELL_CONTROL_FD);
		return EXIT_FAILURE;
	}
	confine_process();
	varlink_stream_init(&examine.stream, CELL_CONTROL_FD, &varlink_limits_cell);
	code = examine_serve(&examine);
	varlink_stream_finish(&examine.stream);
	return code;
}
