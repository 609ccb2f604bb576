/* SPDX-License-Identifier: BSD-2-Clause */
/* call and send with --repeat. */
#include "config.h"

#include "ctl/load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "ctl/ctl.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "protocol/body.h"
#include "support/check_main.h"

static struct fake_server server;
static struct run run;

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

static int64_t
data(const char *member)
{
	return json_integer_value(json_object_get(json_object_get(run.json, "data"), member));
}

static void
answer_ok(struct fake_call *call)
{
	fake_reply(call, "{'text':'25'}");
}

START_TEST(calls_are_counted_and_not_printed)
{
	start(answer_ok);
	run_words(&run, "call", "a", "5", "--repeat", "500", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	ck_assert(strncmp(run.out, "calls    500\nfailed   0\ntook     ", 33) == 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\nrate     "));
	ck_assert_ptr_nonnull(strstr(run.out, "\nlatency  p50 "));
	ck_assert_ptr_null(strstr(run.out, "25\n25"));
	ck_assert_str_eq(run.err, "");
	stop();
}
END_TEST

START_TEST(many_connections_share_the_calls)
{
	const json_t *latency;

	start(answer_ok);
	run_json(&run, "send", "a", "5", "--repeat", "1001", "--concurrency", "60", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_int_eq(data("calls"), 1001);
	ck_assert_int_eq(data("failed"), 0);
	ck_assert_int_gt(data("duration_ns"), 0);
	latency = json_object_get(json_object_get(run.json, "data"), "latency");
	ck_assert_int_eq(json_integer_value(json_object_get(latency, "samples")), 1001);
	ck_assert_int_ge(json_integer_value(json_object_get(latency, "max_ns")),
		json_integer_value(json_object_get(latency, "p50_ns")));
	stop();
}
END_TEST

START_TEST(no_more_connections_than_calls_are_made)
{
	start(answer_ok);
	run_json(&run, "call", "--repeat", "3", "--concurrency", "60", "a", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_int_eq(data("calls"), 3);
	stop();
}
END_TEST

static void
answer_every_tenth_badly(struct fake_call *call)
{
	if (call->count % 10 == 0)
		fake_error(call, "Full", "{'message':'the queue is full'}");
	else
		fake_reply(call, "{}");
}

START_TEST(failures_are_counted_and_the_first_is_told)
{
	start(answer_every_tenth_badly);
	run_words(&run, "call", "--repeat", "100", "--concurrency", "4", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert(strncmp(run.out, "calls    100\nfailed   10\n", 24) == 0);
	ck_assert_str_eq(run.err, "bayctl: 10 of 100 failed; the first: the queue is full [full]\n");
	run_json(&run, "call", "--repeat", "100", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_int_eq(data("failed"), 10);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run.json, "error"), "code")),
		"full");
	stop();
}
END_TEST

static void
answer_not_found(struct fake_call *call)
{
	fake_error(call, "NotFound", "{'message':'no such service'}");
}

START_TEST(the_exit_code_is_1_whatever_failed)
{
	start(answer_not_found);
	run_words(&run, "call", "--repeat", "10", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	stop();
}
END_TEST

START_TEST(without_a_daemon_it_is_7)
{
	run = (struct run){.socket = "/nonexistent"};
	run_words(&run, "call", "--repeat", "10", "a", NULL);
	ck_assert_int_eq(run.exit, 7);
	ck_assert_str_eq(run.out, "");
	run_finish(&run);
}
END_TEST

static void
answer_50_then_end(struct fake_call *call)
{
	fake_reply(call, "{}");
	call->exit = call->count == 50;
}

START_TEST(a_daemon_that_dies_on_the_way_fails_the_rest)
{
	start(answer_50_then_end);
	run_json(&run, "call", "--repeat", "1000", "--concurrency", "4", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_int_eq(data("calls"), 1000);
	ck_assert_int_eq(data("failed"), 950);
	stop();
}
END_TEST

static void
answer_only_the_first(struct fake_call *call)
{
	if (call->count == 1)
		fake_reply(call, "{}");
}

START_TEST(silence_ends_at_the_timeout)
{
	start(answer_only_the_first);
	run_json(&run, "call", "--repeat", "5", "--timeout", "100ms", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_int_eq(data("calls"), 5);
	ck_assert_int_eq(data("failed"), 4);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(
		json_object_get(run.json, "error"), "message")), "no reply within 100ms"));
	stop();
}
END_TEST

static void
answer_junk(struct fake_call *call)
{
	fake_bytes(call, "junk", 5);
}

START_TEST(junk_is_a_failure)
{
	start(answer_junk);
	run_json(&run, "call", "--repeat", "10", "--concurrency", "2", "a", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_int_eq(data("failed"), 10);
	stop();
}
END_TEST

static void
answer_twice(struct fake_call *call)
{
	fake_reply(call, "{}");
	fake_reply(call, "{}");
}

/* A reply that nobody waits for must not be counted for the next call twice over. */
START_TEST(replies_that_were_not_asked_for_do_no_harm)
{
	start(answer_twice);
	run_json(&run, "call", "--repeat", "100", "a", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_int_eq(data("calls"), 100);
	stop();
}
END_TEST

static void
answer_size(struct fake_call *call)
{
	struct buffer body = {0};
	char why[BODY_ERROR_SIZE];

	if (body_from_json(call->parameters, call->fds, &body, why) != BAY_OK ||
		body.size != 100000)
		fake_error(call, "Failed", "{'message':'the body did not arrive'}");
	else
		fake_reply(call, "{}");
	buffer_finish(&body);
}

START_TEST(a_large_body_goes_with_every_call)
{
	char path[] = "/tmp/bay-test-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	ck_assert_int_eq(ftruncate(fd, 100000), 0);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	start(answer_size);
	run_words(&run, "call", "a", "-", "--repeat", "200", "--concurrency", "10", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	stop();
}
END_TEST

static void
answer_and_interrupt(struct fake_call *call)
{
	fake_reply(call, "{}");
	if (call->count == 20)
		kill(getppid(), SIGINT);
}

/* What was done so far is printed, then the process ends as interrupted ones do. */
START_TEST(an_interrupt_shows_what_was_done_and_kills)
{
	const char *words[] = {"bayctl", "-s", NULL, "call", "--repeat", "1000000000", "a", NULL};
	int fds[2];
	struct buffer printed = {0};
	struct temp_dir outer;
	int status;
	pid_t pid;

	temp_dir_init(&outer);
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		/* The child cannot clean up behind itself. */
		setenv("TMPDIR", outer.path, 1);
		signal(SIGINT, SIG_DFL);
		close(fds[0]);
		dup2(fds[1], STDOUT_FILENO);
		start(answer_and_interrupt);
		words[2] = server.path;
		ctl_main(7, (char **)(uintptr_t)words, stdout, stderr);
		_exit(0);
	}
	close(fds[1]);
	ck_assert(fd_read_all(fds[0], 1000, &printed));
	close(fds[0]);
	ck_assert(strncmp(buffer_text(&printed), "calls    ", 9) == 0);
	ck_assert_ptr_nonnull(strstr((char *)printed.data, "\nfailed   0\n"));
	buffer_finish(&printed);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGINT);
	temp_dir_finish(&outer);
}
END_TEST

CHECK_MAIN("ctl/load",
	calls_are_counted_and_not_printed,
	many_connections_share_the_calls,
	no_more_connections_than_calls_are_made,
	failures_are_counted_and_the_first_is_told,
	the_exit_code_is_1_whatever_failed,
	without_a_daemon_it_is_7,
	a_daemon_that_dies_on_the_way_fails_the_rest,
	silence_ends_at_the_timeout,
	junk_is_a_failure,
	replies_that_were_not_asked_for_do_no_harm,
	a_large_body_goes_with_every_call,
	an_interrupt_shows_what_was_done_and_kills)
