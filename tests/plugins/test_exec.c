/* SPDX-License-Identifier: BSD-2-Clause */
/* Services that are programs: shell scripts here, and their ends. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec_service.h"
#include "io/process_keeper.h"
#include "loop/signals.h"
#include "support/log_lines.h"

/* A worker that does as it is told, a line each. */
#define ACTOR                                                                 \
	"sh -c 'while IFS= read -r line; do case $line in "                       \
	"pid) echo $$;; "                                                         \
	"exit*) echo last words >&2; exit ${line#exit };; "                       \
	"die) kill -KILL $$;; "                                                   \
	"half) printf half; exit 5;; "                                            \
	"close) exec >&-; sleep 1000;; "                                          \
	"hang) sleep 1000;; "                                                     \
	"two) printf \"one\\ntwo\\n\";; "                                              \
	"flood) while :; do printf %1000d 0; done;; "                             \
	"*) echo \"got $line\";; esac; done'"

static struct bay_service *service;
static unsigned fds;

static unsigned
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* What a loop opens for its first stream it keeps. */
static int
use_a_stream(void *arg)
{
	struct bay_stream *a, *b;
	int status = bay_stream_pair(&a, &b);

	(void)arg;
	bay_stream_abort(a);
	bay_stream_abort(b);
	return status;
}

/* A directory for those who want one. */
static char alone[] = "/tmp/bay-exec-XXXXXX";

static void
begin(const struct exec_settings *set)
{
	ck_assert_ptr_nonnull(mkdtemp(alone));
	signals_ignore_sigpipe();
	services_begin(0);
	log_lines_keep();
	ck_assert_int_eq(services_run(use_a_stream, NULL), BAY_OK);
	fds = count_fds();
	service = EXEC_START(set);
}

/* No process is left, be it as a zombie, and no descriptor. */
static void
end(void)
{
	int64_t deadline = bay_after(60 * BAY_SECOND);
	siginfo_t info;

	ck_assert(services_stop(service, BAY_SECOND, 60 * BAY_SECOND, NULL));
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
		ck_assert_int_lt(bay_now(), deadline);
		usleep(1000);
	}
	ck_assert_int_eq(errno, ECHILD);
	keeper_finish();
	ck_assert_uint_eq(count_fds(), fds);
	services_end();
	ck_assert_int_eq(rmdir(alone), 0);
}

/* --- inside tasks ---------------------------------------------------------------------------- */

static int
call(const void *data, size_t size, struct bay_message **reply_r)
{
	struct bay_message *request = bay_message(data, size);
	int status = bay_call(service, request, reply_r, bay_after(60 * BAY_SECOND));

	bay_message_free(request);
	return status;
}

/* The reply is these bytes. */
static void
expect_bytes(const void *data, size_t size, const void *expected, size_t expected_size)
{
	struct bay_message *reply;
	int status = call(data, size, &reply);

	ck_assert_msg(status == BAY_OK, "%s", bay_call_error());
	ck_assert_uint_eq(bay_message_size(reply), expected_size);
	ck_assert_mem_eq(bay_message_data(reply), expected, expected_size);
	bay_message_free(reply);
}

static void
expect(const char *text, const char *reply)
{
	expect_bytes(text, strlen(text), reply, strlen(reply));
}

/* The call fails so, with these parts in its text. */
static void
expect_failure(const char *text, int status, const char *part, const char *other)
{
	struct bay_message *reply;
	int got = call(text, strlen(text), &reply);

	ck_assert_msg(got == status, "%s: %s", bay_status_name(got), bay_call_error());
	ck_assert_msg(strstr(bay_call_error(), part) != NULL, "%s", bay_call_error());
	ck_assert_msg(strstr(bay_call_error(), other) != NULL, "%s", bay_call_error());
}

static pid_t
worker_pid(void)
{
	struct bay_message *reply;
	int64_t pid;

	ck_assert_int_eq(call("pid", 3, &reply), BAY_OK);
	ck_assert_int_eq(bay_message_read_int64(reply, &pid), BAY_OK);
	bay_message_free(reply);
	return (pid_t)pid;
}

/* It is no more, and was waited for. */
static void
expect_gone(pid_t pid)
{
	int64_t deadline = bay_after(60 * BAY_SECOND);

	while (kill(pid, 0) == 0) {
		ck_assert_int_lt(bay_now(), deadline);
		(void)bay_sleep(BAY_MS);
	}
}

#define EXEC_TEST(name, ...)                                    \
	static int name##_main(void *arg);                          \
	START_TEST(name)                                            \
	{                                                           \
		begin(EXEC_SETTINGS(__VA_ARGS__));                      \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK); \
		end();                                                  \
	}                                                           \
	END_TEST                                                    \
	static int name##_main(void *arg __attribute__((unused)))

/* Bytes of every value, of which no two parts are alike. */
static char *
noise(size_t size)
{
	char *bytes = malloc(size);
	uint32_t state = 1;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (char)(state >> 24);
	}
	return bytes;
}

/* --- a process for each request -------------------------------------------------------------- */

EXEC_TEST(a_request_is_the_input_of_a_process_and_its_output_the_reply, EXEC_ONCE, "cat")
{
	char *bytes = noise(1000000);

	expect("hello\n", "hello\n");
	expect("", "");
	expect_bytes("\0\n\0", 3, "\0\n\0", 3);
	expect_bytes(bytes, 1000000, bytes, 1000000);
	free(bytes);
	return BAY_OK;
}

EXEC_TEST(a_program_that_fails_is_a_failure_with_its_last_words, EXEC_ONCE,
	"sh -c 'echo first >&2; printf last >&2; read -r line; eval \"$line\"'")
{
	expect("printf fine", "fine");
	expect_failure("echo nothing; exit 3", BAY_FAILED, "the program ended with exit code 3: first | last", "");
	expect_failure("kill -SEGV $$", BAY_PEER_DIED, "was ended by SIGSEGV", "last");
	/* What it leaves behind does not keep the caller. */
	expect("sleep 1000 & printf fine", "fine");
	return BAY_OK;
}

EXEC_TEST(a_program_need_not_read_its_input, EXEC_ONCE, "sh -c 'exec <&-; printf done'")
{
	char *bytes = noise(1000000);

	expect_bytes(bytes, 1000000, "done", 4);
	free(bytes);
	return BAY_OK;
}

EXEC_TEST(a_program_that_writes_too_much_is_killed, EXEC_ONCE, "sh -c 'cat; cat /dev/zero'", .reply_max = 1000)
{
	expect_failure("x", BAY_TOO_BIG, "more than 1000 bytes (reply_max)", "");
	return BAY_OK;
}

EXEC_TEST(a_flood_of_errors_does_no_harm, EXEC_ONCE,
	"sh -c 'head -c 3000000 /dev/zero >&2; echo fine'", .errors = BAY_LOG_DEBUG)
{
	expect("", "fine\n");
	return BAY_OK;
}

EXEC_TEST(a_program_that_takes_too_long_is_killed, EXEC_ONCE, "sh -c 'echo $$ >&2; sleep 1000'",
	.reply_time_ns = 100 * BAY_MS)
{
	expect_failure("", BAY_TIMEOUT, "took too long and was killed", "");
	return BAY_OK;
}

EXEC_TEST(a_program_that_is_not_there_is_named, EXEC_ONCE, "/no/such/program")
{
	expect_failure("", BAY_NOT_FOUND, "start /no/such/program: execute it: No such file", "");
	return BAY_OK;
}

EXEC_TEST(a_program_has_directory_environment_and_limits, EXEC_ONCE,
	"sh -c 'pwd; echo $BAY_SERVICE $COLOUR $HOME; ulimit -n; ulimit -t'",
	.program = {.directory = "/", .environment = "COLOUR='dark blue' HOME", .files_max = 23,
		.cpu_max_ns = 9 * BAY_SECOND})
{
	expect("", "/\nexec dark blue\n23\n9\n");
	return BAY_OK;
}

static int
call_one(void *reply)
{
	return call("", 0, reply);
}

/* A second one would find the place of the first. */
EXEC_TEST(no_more_processes_are_at_work_than_may_be, EXEC_ONCE,
	"sh -c 'mkdir at-work || exit 1; sleep 0.01; rmdir at-work'", .program = {.directory = alone},
	.pool = {.max_workers = 1})
{
	struct bay_message *replies[5];
	struct bay_task *tasks[5];

	for (int i = 0; i < 5; i++)
		tasks[i] = bay_spawn("calls", call_one, &replies[i]);
	ck_assert_int_eq(bay_gather(tasks, 5, BAY_INHERIT), BAY_OK);
	for (int i = 0; i < 5; i++) {
		bay_task_free(tasks[i]);
		bay_message_free(replies[i]);
	}
	return BAY_OK;
}

/* --- workers --------------------------------------------------------------------------------- */

EXEC_TEST(a_worker_answers_one_line_after_the_other, EXEC_LINE, ACTOR)
{
	pid_t pid = worker_pid();

	expect("hello", "got hello");
	expect("one end of line\n", "got one end of line");
	expect("", "got ");
	ck_assert_int_eq(worker_pid(), pid);
	expect_failure("two\nlines", BAY_INVALID, "is one line", "");
	ck_assert_int_eq(worker_pid(), pid);
	return BAY_OK;
}

EXEC_TEST(a_worker_answers_any_bytes_behind_their_length, EXEC_LENGTH, "cat")
{
	char *bytes = noise(1 << 20);

	expect("", "");
	expect("\n\n", "\n\n");
	for (size_t size = 1; size <= 1 << 20; size *= 32)
		expect_bytes(bytes, size, bytes, size);
	expect_bytes(bytes, (1 << 20) - 1, bytes, (1 << 20) - 1);
	free(bytes);
	return BAY_OK;
}

EXEC_TEST(a_worker_can_say_which_failure_it_is, EXEC_LENGTH,
	"sh -c 'while read -r size; do head -c $size >/dev/null; printf \"7 not-found\\nno such\"; done'")
{
	expect_failure("x", BAY_NOT_FOUND, "no such", "");
	expect_failure("y", BAY_NOT_FOUND, "no such", "");
	ck_assert_int_eq(log_lines_with("is killed"), 0);
	return BAY_OK;
}

EXEC_TEST(a_line_can_be_a_failure, EXEC_LINE, "sed -u s/^good/fine/", .failure = "! ")
{
	expect("good", "fine");
	expect("!x", "!x");
	expect_failure("! bad", BAY_FAILED, "bad", "");
	return BAY_OK;
}

EXEC_TEST(a_worker_that_dies_fails_its_request_and_the_next_gets_another, EXEC_LINE, ACTOR)
{
	pid_t pid = worker_pid();

	expect_failure("exit 3", BAY_PEER_DIED, "ended with exit code 3: last words", "worker");
	expect("a", "got a");
	expect_failure("die", BAY_PEER_DIED, "was ended by SIGKILL", "worker");
	expect("b", "got b");
	expect_failure("half", BAY_PEER_DIED, "ended with exit code 5, in the middle of its reply", "worker");
	expect("c", "got c");
	ck_assert_int_ne(worker_pid(), pid);
	expect_gone(pid);
	return BAY_OK;
}

EXEC_TEST(a_worker_that_overruns_is_killed_and_replaced, EXEC_LINE, ACTOR, .reply_time_ns = BAY_SECOND)
{
	pid_t pid = worker_pid();

	expect_failure("hang", BAY_TIMEOUT, "did not answer in time and was killed", "worker");
	expect("a", "got a");
	expect_gone(pid);
	ck_assert_int_eq(log_lines_with("does not end by itself"), 0);
	return BAY_OK;
}

EXEC_TEST(a_worker_that_closes_its_output_is_ended, EXEC_LINE, ACTOR,
	.pool = {.max_workers = 1, .grace_ns = 50 * BAY_MS})
{
	pid_t pid = worker_pid();

	expect_failure("close", BAY_PEER_DIED, "closed its output and was killed", "worker");
	expect_gone(pid);
	expect("a", "got a");
	return BAY_OK;
}

EXEC_TEST(what_was_not_asked_for_costs_the_worker, EXEC_LINE, ACTOR)
{
	pid_t pid = worker_pid();

	expect("two", "one");
	expect("a", "got a");
	expect_gone(pid);
	ck_assert_int_ge(log_lines_with("without a request: it is killed"), 1);
	return BAY_OK;
}

EXEC_TEST(a_worker_that_answers_too_much_is_killed, EXEC_LINE, ACTOR, .reply_max = 100000)
{
	pid_t pid = worker_pid();

	expect_failure("flood", BAY_TOO_BIG, "more than 100000 bytes (reply_max)", "worker");
	expect_gone(pid);
	expect("a", "got a");
	return BAY_OK;
}

EXEC_TEST(what_has_left_the_group_of_a_worker_does_not_keep_its_caller, EXEC_LINE,
	"sh -c 'read line; setsid sleep 1000 & echo $! >&2; kill -KILL $$'", .pool = {.max_workers = 1, .grace_ns = BAY_MS})
{
	pid_t pid;

	expect_failure("", BAY_PEER_DIED, "was ended by SIGKILL: ", "worker");
	pid = (pid_t)atoi(strstr(bay_call_error(), "SIGKILL: ") + 9);
	ck_assert_int_gt(pid, 1);
	/* Nobody else would: that is the master's, which is not here. */
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	return BAY_OK;
}

EXEC_TEST(a_worker_is_replaced_after_so_many_requests, EXEC_LINE, ACTOR,
	.pool = {.max_workers = 1, .max_requests = 3})
{
	pid_t pid = worker_pid(), other;

	ck_assert_int_eq(worker_pid(), pid);
	ck_assert_int_eq(worker_pid(), pid);
	other = worker_pid();
	ck_assert_int_ne(other, pid);
	/* By the end of its input, not by force. */
	expect_gone(pid);
	ck_assert_int_eq(log_lines_with("killed"), 0);
	return BAY_OK;
}

EXEC_TEST(a_worker_that_is_idle_for_too_long_ends, EXEC_LINE, ACTOR,
	.pool = {.max_workers = 2, .idle_time_ns = 20 * BAY_MS})
{
	expect_gone(worker_pid());
	expect("a", "got a");
	return BAY_OK;
}

EXEC_TEST(who_does_not_end_by_himself_is_killed, EXEC_LINE, "sh -c 'read line; echo $$; trap : TERM; exec sleep 1000'",
	.pool = {.max_workers = 1, .max_requests = 1, .grace_ns = 20 * BAY_MS})
{
	expect_gone(worker_pid());
	ck_assert_int_ge(log_lines_with("does not end by itself: it is killed"), 1);
	return BAY_OK;
}

EXEC_TEST(who_is_idle_and_does_not_end_by_himself_is_killed, EXEC_LINE,
	"sh -c 'read line; echo $$; exec sleep 1000'",
	.pool = {.max_workers = 1, .idle_time_ns = 20 * BAY_MS, .grace_ns = 20 * BAY_MS})
{
	expect_gone(worker_pid());
	return BAY_OK;
}

EXEC_TEST(as_many_workers_as_are_needed_are_there_and_those_that_die_are_replaced, EXEC_LINE, ACTOR,
	.pool = {.min_workers = 1, .max_workers = 1, .idle_time_ns = BAY_MS})
{
	pid_t pid = worker_pid();

	/* Idle or not, it is the least. */
	(void)bay_sleep(20 * BAY_MS);
	ck_assert_int_eq(worker_pid(), pid);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	expect_gone(pid);
	ck_assert_int_ne(worker_pid(), pid);
	return BAY_OK;
}

/* Of a program that dies at once. */
static bool
is_told_to_wait(void)
{
	struct bay_message *reply;

	ck_assert_int_eq(call("", 0, &reply), BAY_PEER_DIED);
	ck_assert_ptr_nonnull(strstr(bay_call_error(), "ended with exit code 9: no licence"));
	return strstr(bay_call_error(), "; the next start in ") != NULL;
}

EXEC_TEST(a_program_that_dies_at_once_is_not_started_again_at_once, EXEC_LINE, "sh -c 'echo no licence >&2; exit 9'")
{
	int waits;

	/* The first request may be to blame, the second is not. */
	expect_failure("", BAY_PEER_DIED, "ended with exit code 9: no licence", "worker");
	expect_failure("", BAY_PEER_DIED, "ended with exit code 9: no licence", "worker");
	/* Who comes too late to be told to wait makes the wait longer for who comes next. */
	while (!is_told_to_wait())
		ck_assert_int_lt(log_lines_with("the next start in"), 10);
	waits = log_lines_with("the next start in");
	while (is_told_to_wait())
		(void)bay_sleep(10 * BAY_MS);
	ck_assert_int_eq(log_lines_with("before it answered anything"), 1);
	ck_assert_int_eq(log_lines_with("the next start in 200 ms"), 1);
	ck_assert_int_eq(log_lines_with("the next start in 400 ms"), 1);
	ck_assert_int_eq(log_lines_with("the next start in"), waits + 1);
	return BAY_OK;
}

static int
hang(void *arg)
{
	struct bay_message *reply;

	(void)arg;
	return call("hang", 4, &reply);
}

EXEC_TEST(several_workers_work_at_once_and_who_waits_for_one_gets_it, EXEC_LINE, ACTOR,
	.pool = {.max_workers = 2})
{
	struct bay_task *hangs = bay_spawn("hangs", hang, NULL), *other;
	struct bay_message *reply = NULL;

	ck_assert_int_eq(bay_yield(), BAY_OK);
	expect("a", "got a");
	other = bay_spawn("hangs", hang, NULL);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_call(service, NULL, &reply, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	bay_task_cancel(hangs, "enough");
	expect("b", "got b");
	bay_task_cancel(other, "enough");
	bay_task_free(hangs);
	bay_task_free(other);
	return BAY_OK;
}

/* --- services that cannot be ------------------------------------------------------------------ */

static void
expect_no_service(const struct exec_settings *set, int status, const char *part)
{
	char *text;
	int got;

	services_begin(0);
	got = services_try_start(&(struct service_options){.name = "exec", .plugin = &bay_plugin_v1, .settings = set},
		&text);
	ck_assert_msg(got == status, "%s: %s", bay_status_name(got), text);
	ck_assert_msg(text != NULL && strstr(text, part) != NULL, "%s", text);
	free(text);
	services_end();
}

START_TEST(settings_without_sense_are_refused_with_the_reason)
{
	expect_no_service(EXEC_SETTINGS(EXEC_ONCE, ""), BAY_INVALID, "command: there is no program in it");
	expect_no_service(EXEC_SETTINGS(EXEC_ONCE, "sh 'x"), BAY_INVALID, "command: a quote is not closed");
	expect_no_service(EXEC_SETTINGS(EXEC_ONCE, "true", .program.environment = "\""), BAY_INVALID,
		"environment: a quote is not closed");
	expect_no_service(EXEC_SETTINGS(EXEC_LINE, "true", .pool = {.min_workers = 3, .max_workers = 2}), BAY_INVALID,
		"min_workers = 3 is more than max_workers = 2");
	expect_no_service(EXEC_SETTINGS(EXEC_LINE, "no-such-program", .pool = {.min_workers = 1, .max_workers = 2}),
		BAY_NOT_FOUND, "start no-such-program: execute it: No such file");
}
END_TEST

CHECK_MAIN("plugins/exec",
	a_request_is_the_input_of_a_process_and_its_output_the_reply,
	a_program_that_fails_is_a_failure_with_its_last_words,
	a_program_need_not_read_its_input,
	a_program_that_writes_too_much_is_killed,
	a_flood_of_errors_does_no_harm,
	a_program_that_takes_too_long_is_killed,
	a_program_that_is_not_there_is_named,
	a_program_has_directory_environment_and_limits,
	no_more_processes_are_at_work_than_may_be,
	a_worker_answers_one_line_after_the_other,
	a_worker_answers_any_bytes_behind_their_length,
	a_worker_can_say_which_failure_it_is,
	a_line_can_be_a_failure,
	a_worker_that_dies_fails_its_request_and_the_next_gets_another,
	a_worker_that_overruns_is_killed_and_replaced,
	a_worker_that_closes_its_output_is_ended,
	what_was_not_asked_for_costs_the_worker,
	a_worker_that_answers_too_much_is_killed,
	what_has_left_the_group_of_a_worker_does_not_keep_its_caller,
	a_worker_is_replaced_after_so_many_requests,
	a_worker_that_is_idle_for_too_long_ends,
	who_does_not_end_by_himself_is_killed,
	who_is_idle_and_does_not_end_by_himself_is_killed,
	as_many_workers_as_are_needed_are_there_and_those_that_die_are_replaced,
	a_program_that_dies_at_once_is_not_started_again_at_once,
	several_workers_work_at_once_and_who_waits_for_one_gets_it,
	settings_without_sense_are_refused_with_the_reason)
