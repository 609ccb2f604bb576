/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/cell_control.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "cell/control.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"
#include "support/check_main.h"
#include "support/control_fd.h"

struct loop cell_control_loop;
struct control *cell_control;

static struct {
	int fd;
	struct varlink_stream stream;
	struct {
		json_t *frame;
		struct buffer body;
		bool seen;
		struct cell_answer answer;
	} answers[CELL_CONTROL_IDS];
	json_t *questions[CELL_CONTROL_IDS]; /* calls of the cell, in their order */
	size_t questions_begin, questions_end;
	json_t *question; /* the last that was taken */
} master;

static void
on_call(const struct varlink_call *call, struct varlink_fds *fds, void *arg)
{
	(void)fds;
	(void)arg;
	ck_abort_msg("the master has not called %s", call->method);
}

static void
on_closed(void *arg)
{
	(void)arg;
	ck_abort_msg("the link to the master is closed");
}

void
cell_control_begin(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(dup2(fds[0], CELL_CONTROL_FD), CELL_CONTROL_FD);
	close(fds[0]);
	master.fd = fds[1];
	varlink_stream_init(&master.stream, master.fd, &varlink_limits_cell);
	ck_assert(loop_init(&cell_control_loop, "control"));
	cell_control = control_create(cell_control_loop.base, on_call, on_closed, NULL);
	ck_assert_ptr_nonnull(cell_control);
}

/* Keeps an answer, which must be the first to its call. */
static void
keep(json_t *frame, const struct varlink_fds *fds)
{
	char error[BODY_ERROR_SIZE];
	struct varlink_reply reply;
	struct cell_answer *answer;
	const char *why;

	ck_assert_int_eq(varlink_reply_decode(frame, &reply, &why), VARLINK_OK);
	ck_assert(reply.has_id && reply.id >= 0 && reply.id < CELL_CONTROL_IDS);
	ck_assert_msg(master.answers[reply.id].frame == NULL, "call %d is answered twice", (int)reply.id);
	master.answers[reply.id].frame = frame;
	answer = &master.answers[reply.id].answer;
	answer->parameters = reply.parameters;
	if (reply.error != NULL) {
		answer->of_handler = strcmp(reply.error, CELL_HANDLER_FAILED) == 0;
		ck_assert(answer->of_handler || strcmp(reply.error, CELL_FAILED) == 0);
		answer->status = json_string_value(json_object_get(reply.parameters, "status"));
		answer->text = json_string_value(json_object_get(reply.parameters, "message"));
		answer->size = strlen(answer->text);
	} else {
		struct buffer *body = &master.answers[reply.id].body;

		ck_assert_int_eq(body_from_json(reply.parameters, fds, body, error), BAY_OK);
		answer->status = "ok";
		answer->text = buffer_text(body);
		answer->size = body->size;
	}
}

static void
read_answers(void)
{
	enum varlink_stream_result received;
	struct varlink_fds fds;
	json_t *frame;

	do {
		received = varlink_stream_receive(&master.stream);
		while (varlink_stream_take(&master.stream, &frame, &fds) == VARLINK_OK) {
			if (varlink_is_call(frame))
				master.questions[master.questions_end++ % CELL_CONTROL_IDS] = frame;
			else
				keep(frame, &fds);
			varlink_fds_close(&fds);
		}
	} while (received == VARLINK_STREAM_OK);
	ck_assert_msg(received == VARLINK_STREAM_AGAIN, "%s", varlink_stream_error(&master.stream));
}

bool
cell_control_take(struct cell_question *question_r)
{
	struct varlink_call call;
	const char *why;

	read_answers();
	if (master.questions_begin == master.questions_end)
		return false;
	json_decref(master.question);
	master.question = master.questions[master.questions_begin++ % CELL_CONTROL_IDS];
	ck_assert_int_eq(varlink_call_decode(master.question, &call, &why), VARLINK_OK);
	ck_assert(call.has_id);
	*question_r = (struct cell_question){call.id, call.method, call.parameters};
	return true;
}

void
cell_control_reply(int64_t id, int status, const char *message, int fd)
{
	json_t *parameters = message != NULL ? json_pack("{s:s, s:s}", "status", bay_status_name(status),
		"message", message) : NULL;
	struct varlink_reply reply = {.has_id = true, .id = id, .parameters = parameters,
		.error = message != NULL ? CELL_FAILED : NULL};

	ck_assert(varlink_stream_send_reply(&master.stream, &reply, &fd, fd >= 0));
	ck_assert_int_eq(varlink_stream_flush(&master.stream), VARLINK_STREAM_OK);
	json_decref(parameters);
}

void
cell_control_turn(void)
{
	loop_poll(&cell_control_loop);
	loop_drain_inbox(&cell_control_loop);
}

bool
cell_control_is_answered(int64_t id)
{
	read_answers();
	return master.answers[id].frame != NULL;
}

const struct cell_answer *
cell_control_answer(int64_t id)
{
	while (!cell_control_is_answered(id)) {
		loop_wait(&cell_control_loop, INT64_MAX);
		loop_drain_inbox(&cell_control_loop);
	}
	master.answers[id].seen = true;
	return &master.answers[id].answer;
}

void
cell_control_end(void)
{
	size_t i;

	cell_control_turn();
	read_answers();
	ck_assert_int_eq(wheel_next_ns(&cell_control_loop.wheel), INT64_MAX);
	ck_assert_msg(master.questions_begin == master.questions_end, "the cell asks what nobody takes");
	json_decref(master.question);
	control_destroy(cell_control);
	loop_finish(&cell_control_loop);
	varlink_stream_finish(&master.stream);
	close(master.fd);
	for (i = 0; i < CELL_CONTROL_IDS; i++) {
		if (master.answers[i].frame == NULL)
			continue;
		ck_assert_msg(master.answers[i].seen, "call %zu is answered: %s", i, master.answers[i].answer.text);
		json_decref(master.answers[i].frame);
		buffer_finish(&master.answers[i].body);
	}
	memset(&master, 0, sizeof master);
}
