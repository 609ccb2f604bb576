/* SPDX-License-Identifier: BSD-2-Clause */
/* The cell's end of the link; the test is the master, and may write anything. */
#include "config.h"

#include "cell/control.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/status.h>

#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"
#include "support/check_main.h"
#include "support/control_fd.h"
#include "support/log_lines.h"

static struct event_base *base;
static struct control *control;
static int master = -1;
static struct varlink_stream stream; /* the master's */
static int calls, closed;
static char method[64];
static int64_t call_id;
static bool call_has_id;

static void
on_call(const struct varlink_call *call, struct varlink_fds *fds, void *arg)
{
	(void)fds;
	ck_assert_ptr_eq(arg, &calls);
	calls++;
	snprintf(method, sizeof method, "%s", call->method);
	call_id = call->id;
	call_has_id = call->has_id;
}

static void
on_closed(void *arg)
{
	ck_assert_ptr_eq(arg, &calls);
	closed++;
}

static void
begin(void)
{
	int fds[2];

	log_lines_keep();
	calls = closed = 0;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(dup2(fds[0], CELL_CONTROL_FD), CELL_CONTROL_FD);
	close(fds[0]);
	master = fds[1];
	varlink_stream_init(&stream, master, &varlink_limits_cell);
	base = event_base_new();
	control = control_create(base, on_call, on_closed, &calls);
	ck_assert_ptr_nonnull(control);
}

static void
turn(void)
{
	for (int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
end(void)
{
	turn();
	control_destroy(control);
	event_base_free(base);
	varlink_stream_finish(&stream);
	close(master);
}

/* The master writes this, each ' being a ", and the end of the frame. */
static void
say(const char *text)
{
	char frame[400];

	snprintf(frame, sizeof frame, "%s", text);
	for (char *at = frame; (at = strchr(at, '\'')) != NULL;)
		*at = '"';
	ck_assert_int_eq(write(master, frame, strlen(frame) + 1), (ssize_t)strlen(frame) + 1);
	turn();
}

/* The next frame that the cell has sent, the caller's; NULL: there is none. */
static json_t *
hear(void)
{
	struct varlink_fds fds;
	json_t *frame;

	turn();
	(void)!varlink_stream_receive(&stream);
	if (varlink_stream_take(&stream, &frame, &fds) != VARLINK_OK)
		return NULL;
	varlink_fds_close(&fds);
	return frame;
}

/* It is this text, which is what json_dumps makes of it, each ' being a ". */
static void
expect(const char *text)
{
	json_t *frame = hear();
	char *told;

	ck_assert_msg(frame != NULL, "there is nothing, not: %s", text);
	told = json_dumps(frame, JSON_COMPACT | JSON_SORT_KEYS);
	for (char *at = told; (at = strchr(at, '"')) != NULL;)
		*at = '\'';
	ck_assert_str_eq(told, text);
	free(told);
	json_decref(frame);
}

/* --- calls of the master ------------------------------------------------------------------------- */

START_TEST(calls_are_taken_in_their_order_and_answered_in_any)
{
	begin();
	say("{'method':'a.b.One','parameters':{},'id':7}");
	ck_assert_str_eq(method, "a.b.One");
	ck_assert(call_has_id && call_id == 7);
	say("{'method':'a.b.Two','parameters':{},'id':8}");
	ck_assert_int_eq(calls, 2);
	control_answer(control, 8, NULL, -1);
	control_refuse(control, 7, BAY_BUSY, "not now");
	expect("{'id':8,'parameters':{}}");
	expect("{'error':'" CELL_FAILED "','id':7,'parameters':{'message':'not now','status':'busy'}}");
	control_handler_failed(control, 9, BAY_NOT_FOUND, "no \xff page");
	expect("{'error':'" CELL_HANDLER_FAILED "','id':9,'parameters':{'message':'no \\\\xff page','status':'not-found'}}");
	ck_assert_int_eq(closed, 0);
	end();
}
END_TEST

START_TEST(a_notice_wants_no_answer)
{
	begin();
	control_notify(control, "a.b.Note", json_pack("{s:i}", "x", 1));
	expect("{'method':'a.b.Note','oneway':true,'parameters':{'x':1}}");
	ck_assert_ptr_null(hear());
	end();
}
END_TEST

/* --- cancellation ----------------------------------------------------------------------------------- */

struct work {
	struct control_pending pending;
	int canceled;
};

static void
on_cancel(struct control_pending *pending)
{
	((struct work *)(void *)pending)->canceled++;
}

START_TEST(a_call_is_cancelled_once_by_its_id_and_not_when_it_has_been_answered)
{
	struct work works[3] = {{.canceled = 0}};

	begin();
	for (int i = 0; i < 3; i++)
		control_pending_begin(control, &works[i].pending, 10 + i, on_cancel);
	control_cancel(control, 99);
	control_cancel(control, 11);
	control_cancel(control, 11);
	control_pending_end(&works[2].pending);
	control_pending_end(&works[2].pending);
	control_cancel(control, 12);
	ck_assert_int_eq(works[0].canceled, 0);
	ck_assert_int_eq(works[1].canceled, 1);
	ck_assert_int_eq(works[2].canceled, 0);
	/* The answer is owed all the same. */
	control_pending_end(&works[1].pending);
	control_cancel(control, 10);
	ck_assert_int_eq(works[0].canceled, 1);
	end();
}
END_TEST

/* --- calls of the cell ---------------------------------------------------------------------------------- */

static struct {
	int answers, status, fd;
	char message[100];
} asked[4];

static void
on_reply(const struct control_reply *reply, void *arg)
{
	long i = (long)arg;

	asked[i].answers++;
	asked[i].status = reply->status;
	asked[i].fd = reply->fds->count > 0 ? reply->fds->fd[0] : -1;
	if (reply->fds->count > 0)
		reply->fds->fd[0] = -1;
	snprintf(asked[i].message, sizeof asked[i].message, "%s", reply->message);
}

/* So many calls, with the ids from 1 on. */
static void
ask(long count)
{
	memset(asked, 0, sizeof asked);
	for (long i = 0; i < count; i++) {
		control_call(control, "a.b.Ask", json_object(), on_reply, (void *)i);
		json_decref(hear());
	}
}

static void
expect_answer(int i, int status, const char *message)
{
	ck_assert_int_eq(asked[i].answers, 1);
	ck_assert_int_eq(asked[i].status, status);
	ck_assert_str_eq(asked[i].message, message);
}

START_TEST(answers_find_their_call_in_whatever_order_they_come)
{
	begin();
	ask(3);
	/* Nobody's. */
	say("{'id':0,'parameters':{}}");
	ck_assert_int_eq(asked[0].answers + asked[1].answers + asked[2].answers, 0);
	say("{'id':3,'parameters':{}}");
	say("{'id':1,'error':'" CELL_FAILED "','parameters':{'status':'busy','message':'not now'}}");
	expect_answer(2, BAY_OK, "");
	expect_answer(0, BAY_BUSY, "not now");
	ck_assert_int_eq(asked[1].answers, 0);
	/* An error without words is told by its name. */
	say("{'id':2,'error':'org.example.Odd','parameters':{'message':7}}");
	ck_assert_int_eq(asked[1].answers, 1);
	ck_assert_int_ne(asked[1].status, BAY_OK);
	ck_assert_str_eq(asked[1].message, "org.example.Odd");
	end();
}
END_TEST

START_TEST(a_descriptor_comes_with_an_answer_for_who_takes_it)
{
	struct varlink_reply reply = {.has_id = true, .id = 1};
	int fd;

	begin();
	ask(1);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert(varlink_stream_send_reply(&stream, &reply, &fd, 1));
	ck_assert_int_eq(varlink_stream_flush(&stream), VARLINK_STREAM_OK);
	turn();
	expect_answer(0, BAY_OK, "");
	ck_assert_int_ge(fcntl(asked[0].fd, F_GETFD), 0);
	close(asked[0].fd);
	end();
}
END_TEST

START_TEST(calls_under_way_end_with_the_link)
{
	begin();
	ask(2);
	say("{'id':2,'parameters':{}}");
	end();
	expect_answer(0, BAY_CLOSED, "the cell ends");
	expect_answer(1, BAY_OK, "");
}
END_TEST

START_TEST(a_call_that_cannot_be_made_is_answered_at_once)
{
	begin();
	memset(asked, 0, sizeof asked);
	control_call(control, "a.b.Ask", NULL, on_reply, NULL);
	expect_answer(0, BAY_NO_MEMORY, "no memory to ask bayd");
	end();
}
END_TEST

/* --- what is no call ----------------------------------------------------------------------------------------- */

START_TEST(what_is_neither_a_call_nor_an_answer_is_logged_and_the_link_goes_on)
{
	static const struct {
		const char *frame, *words;
	} rows[] = {
		{"{'id':1,'parameters':{}}", "answered what it has not been asked"},
		{"{'parameters':{}}", "answered what it has not been asked"},
		{"{'id':9223372036854775807,'parameters':{}}", "answered what it has not been asked"},
		{"{'method':7}", "neither a call nor an answer"},
		{"{'method':'a.b.C','parameters':7}", "neither a call nor an answer"},
		{"{'id':'one'}", "neither a call nor an answer"},
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		log_lines_keep();
		say(rows[i].frame);
		ck_assert_msg(log_lines_with(rows[i].words) == 1, "row %zu", i);
	}
	ck_assert_int_eq(calls, 0);
	ck_assert_int_eq(closed, 0);
	say("{'method':'a.b.One','parameters':{},'id':7}");
	ck_assert_int_eq(calls, 1);
	end();
}
END_TEST

START_TEST(what_is_no_frame_is_the_end_of_the_link_which_is_told_once)
{
	static const char *const frames[] = {"rubbish", "", "[]", "7", "{'method':"};

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		begin();
		say(frames[i]);
		ck_assert_msg(closed == 1, "row %zu", i);
		ck_assert_int_eq(log_lines_with("cell: the link to bayd: "), 1);
		say("{'method':'a.b.One','parameters':{},'id':7}");
		ck_assert_int_eq(calls, 0);
		ck_assert_int_eq(closed, 1);
		end();
	}
}
END_TEST

START_TEST(the_end_of_bayd_is_told_without_a_line)
{
	begin();
	ask(1);
	shutdown(master, SHUT_RDWR);
	turn();
	ck_assert_int_eq(closed, 1);
	ck_assert_int_eq(log_lines_with("the link to bayd"), 0);
	ck_assert_int_eq(asked[0].answers, 0);
	/* Nobody hears what is said then, and that does no harm. */
	control_notify(control, "a.b.Note", json_object());
	control_answer(control, 7, NULL, -1);
	end();
	expect_answer(0, BAY_CLOSED, "the cell ends");
}
END_TEST

START_TEST(what_does_not_fit_into_the_link_is_sent_when_there_is_room)
{
	enum { NOTICES = 2000 };
	int heard = 0;

	begin();
	for (int i = 0; i < NOTICES; i++)
		control_notify(control, "a.b.Note", json_pack("{s:s}", "text", "something that takes its room in a socket"));
	for (json_t *frame; (frame = hear()) != NULL; heard++)
		json_decref(frame);
	ck_assert_int_eq(heard, NOTICES);
	end();
}
END_TEST

START_TEST(nothing_is_a_control_that_can_be_destroyed)
{
	control_destroy(NULL);
}
END_TEST

CHECK_MAIN("cell/control",
	calls_are_taken_in_their_order_and_answered_in_any,
	a_notice_wants_no_answer,
	a_call_is_cancelled_once_by_its_id_and_not_when_it_has_been_answered,
	answers_find_their_call_in_whatever_order_they_come,
	a_descriptor_comes_with_an_answer_for_who_takes_it,
	calls_under_way_end_with_the_link,
	a_call_that_cannot_be_made_is_answered_at_once,
	what_is_neither_a_call_nor_an_answer_is_logged_and_the_link_goes_on,
	what_is_no_frame_is_the_end_of_the_link_which_is_told_once,
	the_end_of_bayd_is_told_without_a_line,
	what_does_not_fit_into_the_link_is_sent_when_there_is_room,
	nothing_is_a_control_that_can_be_destroyed)
