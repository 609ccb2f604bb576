/* SPDX-License-Identifier: BSD-2-Clause */
/* call and send, once. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "ctl/canned.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "protocol/body.h"
#include "support/check_main.h"

enum { LARGE = 300000 };

static struct fake_server server;
static struct run run;

/* Replies with the body that came; services named otherwise end badly in their way. */
static void
answer(struct fake_call *call)
{
	const char *service = fake_text(call, "service");
	struct buffer body = {0};
	json_t *parameters = json_pack("{s:i}", "duration_ns", 5);
	char why[BODY_ERROR_SIZE];
	int fd;

	if (strcmp(call->method, "List") == 0) {
		fake_reply(call, CANNED_LIST);
	} else if (strcmp(service, "square") == 0) {
		if (body_from_json(call->parameters, call->fds, &body, why) != BAY_OK)
			_exit(9);
		if (strcmp(call->method, "Send") == 0)
			fake_reply(call, "{}");
		else if (body_to_json(body.data, body.size, parameters, &fd) == BAY_OK)
			fake_reply_json(call, json_incref(parameters), fd);
	} else if (strcmp(service, "fails") == 0) {
		fake_error(call, "Failed", "{'message':'square wants one integer','status':'invalid'}");
	} else if (strcmp(service, "late") == 0) {
		fake_error(call, "Timeout", "{'message':'the deadline passed'}");
	} else if (strcmp(service, "full") == 0) {
		fake_error(call, "Full", "{'message':'the queue is full'}");
	} else {
		fake_error(call, "NotFound", "{'message':'there is no service of that name'}");
	}
	json_decref(parameters);
	buffer_finish(&body);
}

static void
start(fake_server_fn *fn)
{
	fake_server_start(&server, fn);
	run = (struct run){.socket = server.path};
}

static void
stop(void)
{
	run_finish(&run);
	fake_server_stop(&server);
}

/* Puts bytes on standard input. */
static void
set_stdin(const void *bytes, size_t size)
{
	char path[] = "/tmp/bay-test-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
}

START_TEST(the_reply_is_printed_as_it_is)
{
	start(answer);
	run_words(&run, "call", "square", "25", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "25");
	ck_assert_str_eq(run.err, "");
	run_words(&run, "call", "square", "two\nlines\n", NULL);
	ck_assert_str_eq(run.out, "two\nlines\n");
	stop();
}
END_TEST

START_TEST(a_message_may_be_empty)
{
	start(answer);
	run_words(&run, "call", "square", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_uint_eq(run.out_size, 0);
	stop();
}
END_TEST

START_TEST(a_text_may_begin_with_a_dash_behind_two)
{
	start(answer);
	run_words(&run, "call", "square", "--", "-5", NULL);
	ck_assert_str_eq(run.out, "-5");
	stop();
}
END_TEST

START_TEST(standard_input_goes_through_byte_by_byte)
{
	uint8_t bytes[512];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	set_stdin(bytes, sizeof(bytes));
	start(answer);
	run_words(&run, "call", "square", "-", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_uint_eq(run.out_size, sizeof(bytes));
	ck_assert_mem_eq(run.out, bytes, sizeof(bytes));
	stop();
}
END_TEST

START_TEST(a_large_body_goes_and_comes_as_a_memfd)
{
	char *bytes = malloc(LARGE);

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)(i * 7 >> 3);
	set_stdin(bytes, LARGE);
	start(answer);
	run_words(&run, "call", "square", "-", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	ck_assert_uint_eq(run.out_size, LARGE);
	ck_assert_mem_eq(run.out, bytes, LARGE);
	free(bytes);
	stop();
}
END_TEST

START_TEST(more_than_a_body_may_hold_is_refused)
{
	char path[] = "/tmp/bay-test-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	ck_assert_int_eq(ftruncate(fd, (off_t)BODY_MAX + 1), 0);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	start(answer);
	run_words(&run, "call", "square", "-", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_str_eq(run.err, "bayctl: standard input has more than 67108864 bytes [io]\n");
	stop();
}
END_TEST

START_TEST(json_holds_the_body_as_text_or_base64_however_it_came)
{
	char *text = malloc(LARGE);
	const json_t *data;

	start(answer);
	run_json(&run, "call", "square", "5", NULL);
	data = json_object_get(run.json, "data");
	ck_assert_str_eq(json_string_value(json_object_get(data, "text")), "5");
	ck_assert_int_eq(json_integer_value(json_object_get(data, "duration_ns")), 5);
	run_json(&run, "call", "square", "\xff", NULL);
	data = json_object_get(run.json, "data");
	ck_assert_str_eq(json_string_value(json_object_get(data, "body")), "/w==");

	memset(text, 'x', LARGE);
	set_stdin(text, LARGE);
	run_json(&run, "call", "square", "-", NULL);
	data = json_object_get(run.json, "data");
	ck_assert_ptr_null(json_object_get(data, "body_fd"));
	ck_assert_uint_eq(json_string_length(json_object_get(data, "text")), LARGE);
	memset(text, 0, LARGE);
	set_stdin(text, LARGE);
	run_json(&run, "call", "square", "-", NULL);
	data = json_object_get(run.json, "data");
	ck_assert_uint_eq(json_string_length(json_object_get(data, "body")), LARGE / 3 * 4);
	free(text);
	stop();
}
END_TEST

START_TEST(failures_have_their_exit_codes)
{
	start(answer);
	run_words(&run, "call", "fails", "x", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, "bayctl: square wants one integer [invalid]\n");
	run_words(&run, "call", "late", NULL);
	ck_assert_int_eq(run.exit, 8);
	run_words(&run, "send", "full", NULL);
	ck_assert_int_eq(run.exit, 1);
	run_words(&run, "call", "sqaure", NULL);
	ck_assert_int_eq(run.exit, 4);
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean \"square\"?"));
	run_words(&run, "send", "sqaure", NULL);
	ck_assert_int_eq(run.exit, 4);
	run_json(&run, "call", "fails", "x", NULL);
	ck_assert_int_eq(run.exit, 1);
	stop();
}
END_TEST

START_TEST(send_prints_nothing)
{
	start(answer);
	run_words(&run, "send", "square", "5", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_str_eq(run.out, "");
	run_json(&run, "send", "square", "5", NULL);
	stop();
}
END_TEST

/* Tells what was asked for. */
static void
answer_parameters(struct fake_call *call)
{
	char *text = json_dumps(call->parameters, JSON_COMPACT | JSON_SORT_KEYS);

	fake_reply_json(call, json_pack("{s:s}", "text", text), -1);
	free(text);
}

START_TEST(the_timeout_is_the_deadline_of_the_call_only_if_it_is_given)
{
	start(answer_parameters);
	run_words(&run, "call", "a", "5", NULL);
	ck_assert_str_eq(run.out, "{\"service\":\"a\",\"text\":\"5\"}");
	run_words(&run, "call", "--timeout", "2s", "a", NULL);
	ck_assert_str_eq(run.out, "{\"service\":\"a\",\"timeout_ns\":2000000000}");
	run_words(&run, "call", "--timeout", "0", "a", NULL);
	ck_assert_str_eq(run.out, "{\"service\":\"a\"}");
	run_words(&run, "call", "--content-type", "text/plain", "a", NULL);
	ck_assert_str_eq(run.out, "{\"content_type\":\"text/plain\",\"service\":\"a\"}");
	stop();
}
END_TEST

static void
answer_nothing(struct fake_call *call)
{
	(void)call;
}

/* The daemon says at the deadline that it passed, so bayctl waits a little longer than that. */
START_TEST(silence_is_8_a_little_after_the_deadline)
{
	int64_t start_ns = clock_monotonic_ns();

	start(answer_nothing);
	run_words(&run, "call", "--timeout", "10ms", "a", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_int_ge(clock_monotonic_ns() - start_ns, CLOCK_NS_PER_S);
	stop();
}
END_TEST

static void
answer_unsealed(struct fake_call *call)
{
	fake_reply(call, "{'body_fd':0}");
}

START_TEST(a_reply_whose_body_cannot_be_read_is_a_failure)
{
	start(answer_unsealed);
	run_words(&run, "call", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "no descriptor 0 came with the frame"));
	run_json(&run, "call", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	stop();
}
END_TEST

CHECK_MAIN("ctl/verb_message",
	the_reply_is_printed_as_it_is,
	a_message_may_be_empty,
	a_text_may_begin_with_a_dash_behind_two,
	standard_input_goes_through_byte_by_byte,
	a_large_body_goes_and_comes_as_a_memfd,
	more_than_a_body_may_hold_is_refused,
	json_holds_the_body_as_text_or_base64_however_it_came,
	failures_have_their_exit_codes,
	send_prints_nothing,
	the_timeout_is_the_deadline_of_the_call_only_if_it_is_given,
	silence_is_8_a_little_after_the_deadline,
	a_reply_whose_body_cannot_be_read_is_a_failure)
