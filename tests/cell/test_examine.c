/* SPDX-License-Identifier: BSD-2-Clause */
/* Each test talks to a bay-cell examine of its own, as the master does. */
#include "config.h"

#include "cell/examine.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"
#include "support/check_main.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"
#define BAY_CELL TOP_BUILDDIR "/container/bay-cell"

struct examiner {
	pid_t pid;
	int fd;
	struct varlink_stream stream;
};

static void
examiner_start(struct examiner *examiner)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	examiner->pid = fork();
	ck_assert_int_ge(examiner->pid, 0);
	if (examiner->pid == 0) {
		struct rlimit cores;

		/* For it to give up, where that is allowed. */
		getrlimit(RLIMIT_CORE, &cores);
		cores.rlim_cur = cores.rlim_max = geteuid() == 0 ? 4096 : cores.rlim_max;
		(void)setrlimit(RLIMIT_CORE, &cores);
		/* Otherwise a sanitizer makes an exit of what would be a crash. */
		setenv("ASAN_OPTIONS", "handle_segv=0", 1);
		setenv("TSAN_OPTIONS", "handle_segv=0", 1);
		if (pair[1] == CELL_CONTROL_FD)
			(void)!fd_set_cloexec(pair[1], false);
		else
			dup2(pair[1], CELL_CONTROL_FD);
		execl(BAY_CELL, "bay-cell", "examine", NULL);
		_exit(127);
	}
	close(pair[1]);
	examiner->fd = pair[0];
	ck_assert(fd_set_nonblocking(examiner->fd));
	varlink_stream_init(&examiner->stream, examiner->fd, &varlink_limits_cell);
}

/* The status as waitpid gives it. */
static int
examiner_end(struct examiner *examiner)
{
	int status;

	varlink_stream_finish(&examiner->stream);
	close(examiner->fd);
	ck_assert_int_eq(waitpid(examiner->pid, &status, 0), examiner->pid);
	return status;
}

/* Sends a call; takes parameters and fd (-1: none). */
static void
examiner_send(struct examiner *examiner, const char *method, json_t *parameters, int fd)
{
	struct varlink_call call = {
		.method = method, .parameters = parameters, .has_id = true, .id = 7,
	};

	ck_assert_ptr_nonnull(parameters);
	ck_assert(varlink_stream_send_call(&examiner->stream, &call, fd >= 0 ? &fd : NULL,
		fd >= 0 ? 1 : 0));
	ck_assert_int_eq(varlink_stream_flush(&examiner->stream), VARLINK_STREAM_OK);
	json_decref(parameters);
}

/* The next frame, or NULL: it closed the socket. */
static json_t *
examiner_receive(struct examiner *examiner)
{
	struct pollfd readable = {.fd = examiner->fd, .events = POLLIN};
	struct varlink_fds fds;
	json_t *frame;

	for (;;) {
		if (varlink_stream_take(&examiner->stream, &frame, &fds) == VARLINK_OK)
			return frame;
		ck_assert_int_eq(poll(&readable, 1, -1), 1);
		if (varlink_stream_receive(&examiner->stream) == VARLINK_STREAM_CLOSED)
			return NULL;
	}
}

static int
open_plugin(const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), PLUGINS "%s.so", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s", path);
	return fd;
}

/* Asks for a plugin by descriptor, for these services. */
static void
examiner_ask(struct examiner *examiner, const char *name,
	struct cell_examine_service *services, size_t count)
{
	struct cell_examine request = {
		.nonce = "once", .image = "/not/to/be/opened", .services = services,
		.service_count = count,
	};

	examiner_send(examiner, CELL_EXAMINE, cell_examine_to_json(&request), open_plugin(name));
}

/* The verdict that is answered; *frame_r owns its texts. */
static struct cell_verdict
examiner_verdict(struct examiner *examiner, json_t **frame_r)
{
	struct cell_verdict verdict;
	struct varlink_reply reply;
	char error[CELL_ERROR_SIZE];
	const char *why;

	*frame_r = examiner_receive(examiner);
	ck_assert_ptr_nonnull(*frame_r);
	ck_assert_int_eq(varlink_reply_decode(*frame_r, &reply, &why), VARLINK_OK);
	ck_assert_ptr_null(reply.error);
	ck_assert_int_eq(reply.id, 7);
	ck_assert_msg(cell_verdict_from_json(reply.parameters, &verdict, error), "%s", error);
	ck_assert_str_eq(verdict.nonce, "once");
	return verdict;
}

static void
assert_refused(struct examiner *examiner, const char *name, const char *wanted)
{
	struct cell_verdict verdict;
	json_t *frame;

	examiner_ask(examiner, name, NULL, 0);
	verdict = examiner_verdict(examiner, &frame);
	ck_assert(!verdict.ok);
	ck_assert_msg(strstr(verdict.reason, wanted) != NULL, "'%s' lacks '%s'", verdict.reason,
		wanted);
	cell_verdict_finish(&verdict);
	json_decref(frame);
}

static void
assert_error(struct examiner *examiner, const char *wanted)
{
	json_t *frame = examiner_receive(examiner);
	struct varlink_reply reply;
	const char *why;

	ck_assert_ptr_nonnull(frame);
	ck_assert_int_eq(varlink_reply_decode(frame, &reply, &why), VARLINK_OK);
	ck_assert_str_eq(reply.error, CELL_FAILED);
	ck_assert_ptr_nonnull(strstr(json_string_value(
		json_object_get(reply.parameters, "message")), wanted));
	json_decref(frame);
}

/* --- talking ------------------------------------------------------------------------ */

static json_t *
setup_of_version(int64_t major)
{
	struct cell_setup setup = {
		.version_major = major, .version_minor = CELL_VERSION_MINOR, .cell = "examiner",
		.loops = 1, .max_depth = 64, .max_lingering = 32, .log_level = "info",
	};

	return cell_setup_to_json(&setup);
}

START_TEST(the_end_of_the_socket_ends_it_well)
{
	struct examiner examiner;
	json_t *frame;

	examiner_start(&examiner);
	examiner_send(&examiner, CELL_SETUP, setup_of_version(CELL_VERSION_MAJOR), -1);
	frame = examiner_receive(&examiner);
	ck_assert_ptr_nonnull(frame);
	ck_assert_ptr_null(json_object_get(frame, "error"));
	json_decref(frame);
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(what_it_does_not_understand_is_answered)
{
	struct examiner examiner;

	examiner_start(&examiner);
	examiner_send(&examiner, CELL_SETUP, setup_of_version(CELL_VERSION_MAJOR + 1), -1);
	assert_error(&examiner, "same release");
	examiner_send(&examiner, CELL_TASKS, json_object(), -1);
	assert_error(&examiner, "does not know this call");
	examiner_send(&examiner, CELL_EXAMINE, json_object(), -1);
	assert_error(&examiner, "nonce");
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(nonsense_ends_it)
{
	struct examiner examiner;

	examiner_start(&examiner);
	ck_assert(fd_write_all(examiner.fd, "hello\0", 6));
	ck_assert_ptr_null(examiner_receive(&examiner));
	ck_assert_int_eq(WEXITSTATUS(examiner_end(&examiner)), 1);
}
END_TEST

/* --- verdicts ------------------------------------------------------------------------- */

START_TEST(a_good_plugin_is_described_from_its_note_to_its_settings)
{
	struct examiner examiner;
	struct cell_verdict verdict;
	json_t *frame;

	examiner_start(&examiner);
	examiner_ask(&examiner, "good", NULL, 0);
	verdict = examiner_verdict(&examiner, &frame);
	ck_assert_msg(verdict.ok, "%s", verdict.reason);
	ck_assert_str_eq(verdict.plugin, "good");
	ck_assert_str_eq(verdict.version, "1.2.3");
	ck_assert_str_eq(verdict.abi, "1.0");
	ck_assert_str_eq(verdict.summary, "does nothing well");
	ck_assert(verdict.leaf);
	ck_assert(verdict.unloadable);
	ck_assert_ptr_null(verdict.lingers);
	ck_assert_ptr_null(verdict.warnings);
	ck_assert_uint_eq(verdict.complaint_count, 0);
	ck_assert_uint_eq(verdict.setting_count, 6);
	ck_assert_str_eq(verdict.settings[2].name, "delay");
	ck_assert_str_eq(verdict.settings[2].type, "duration");
	ck_assert_str_eq(verdict.settings[2].default_value, "1s");
	ck_assert_ptr_null(verdict.settings[2].range);
	ck_assert_str_eq(verdict.settings[3].range, "4k..1M");
	ck_assert_str_eq(verdict.settings[5].range, "fast|safe");
	cell_verdict_finish(&verdict);
	json_decref(frame);
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(complaints_name_the_service_and_the_setting)
{
	struct cell_setting a[] = {{"delay", "2s"}}, b[] = {{"loud", "yes"}, {"dealy", "2s"}};
	struct cell_examine_service services[] = {{"one", a, 1}, {"two", b, 2}};
	struct examiner examiner;
	struct cell_verdict verdict;
	json_t *frame;

	examiner_start(&examiner);
	examiner_ask(&examiner, "good", services, 2);
	verdict = examiner_verdict(&examiner, &frame);
	ck_assert(verdict.ok);
	ck_assert_uint_eq(verdict.complaint_count, 1);
	ck_assert_str_eq(verdict.complaints[0].service, "two");
	ck_assert_int_eq(verdict.complaints[0].index, 1);
	ck_assert_str_eq(verdict.complaints[0].key, "dealy");
	ck_assert_ptr_nonnull(strstr(verdict.complaints[0].message, "did you mean 'delay'?"));
	cell_verdict_finish(&verdict);
	json_decref(frame);
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(bad_plugins_are_refused_one_after_the_other)
{
	struct examiner examiner;

	examiner_start(&examiner);
	assert_refused(&examiner, "no_note", "no Bay note");
	assert_refused(&examiner, "abi_major", "needs ABI 7.0");
	assert_refused(&examiner, "undefined", "'bay_no_such_function'");
	assert_refused(&examiner, "bad_settings", "not 4");
	assert_refused(&examiner, "unknown_flag", "flags");
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(what_lingers_is_never_taken_for_the_next_one)
{
	static const char *const names[] = {"nodelete", "starts_threads", "good", "unique"};
	struct examiner examiner;

	examiner_start(&examiner);
	assert_refused(&examiner, "unknown_flag_stays", "flags");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct cell_verdict verdict;
		json_t *frame;

		examiner_ask(&examiner, names[i], NULL, 0);
		verdict = examiner_verdict(&examiner, &frame);
		ck_assert_msg(verdict.ok, "%s", verdict.reason);
		/* The first one is the good one, linked otherwise. */
		ck_assert_str_eq(verdict.plugin, i == 0 ? "good" : names[i]);
		ck_assert_int_eq(verdict.unloadable, strcmp(names[i], "good") == 0);
		ck_assert_int_eq(verdict.lingers == NULL, strcmp(names[i], "good") == 0);
		cell_verdict_finish(&verdict);
		json_decref(frame);
	}
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(what_stays_for_reasons_that_its_file_does_not_show_is_told)
{
	struct examiner examiner;
	struct cell_verdict verdict;
	json_t *frame;

	examiner_start(&examiner);
	examiner_ask(&examiner, "clings", NULL, 0);
	verdict = examiner_verdict(&examiner, &frame);
	ck_assert_msg(verdict.ok, "%s", verdict.reason);
	ck_assert(!verdict.unloadable);
	ck_assert_str_eq(verdict.lingers, "something else in the process still uses it");
	cell_verdict_finish(&verdict);
	json_decref(frame);
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(warnings_are_passed_on)
{
	struct examiner examiner;
	struct cell_verdict verdict;
	json_t *frame;

	examiner_start(&examiner);
	examiner_ask(&examiner, "starts_threads", NULL, 0);
	verdict = examiner_verdict(&examiner, &frame);
	ck_assert_ptr_nonnull(strstr(verdict.warnings, "(exit)"));
	cell_verdict_finish(&verdict);
	json_decref(frame);
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(without_a_descriptor_the_path_is_opened)
{
	struct cell_examine request = {.nonce = "once", .image = "/no/such/image"};
	struct examiner examiner;
	struct cell_verdict verdict;
	json_t *frame;

	examiner_start(&examiner);
	examiner_send(&examiner, CELL_EXAMINE, cell_examine_to_json(&request), -1);
	verdict = examiner_verdict(&examiner, &frame);
	ck_assert(!verdict.ok);
	ck_assert_ptr_nonnull(strstr(verdict.reason, "cannot be opened: No such file"));
	cell_verdict_finish(&verdict);
	json_decref(frame);
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

/* --- plugins that take the examiner with them ------------------------------------------- */

START_TEST(exit_code_0_is_no_verdict)
{
	struct examiner examiner;

	examiner_start(&examiner);
	examiner_ask(&examiner, "exits", NULL, 0);
	ck_assert_ptr_null(examiner_receive(&examiner));
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

START_TEST(a_crash_while_it_is_unloaded_comes_before_the_verdict)
{
	static const char *const names[] = {"crashes", "crashes_late"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct examiner examiner;
		int status;

		examiner_start(&examiner);
		examiner_ask(&examiner, names[i], NULL, 0);
		ck_assert_ptr_null(examiner_receive(&examiner));
		status = examiner_end(&examiner);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	}
}
END_TEST

/* --- confinement --------------------------------------------------------------------------- */

/* Whether a file of the process has a line that begins with key and contains value. */
static bool
process_says(pid_t pid, const char *file, const char *key, const char *value)
{
	char path[64], line[256];
	bool found = false;
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	from = fopen(path, "r");
	ck_assert_ptr_nonnull(from);
	while (fgets(line, sizeof(line), from) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 && strstr(line, value) != NULL)
			found = true;
	fclose(from);
	return found;
}

START_TEST(it_has_given_up_what_it_does_not_need)
{
	struct examiner examiner;

	examiner_start(&examiner);
	assert_refused(&examiner, "no_note", "no Bay note");
	ck_assert(process_says(examiner.pid, "status", "NoNewPrivs:", "1"));
	ck_assert(process_says(examiner.pid, "limits", "Max core file size", " 0 "));
	ck_assert(process_says(examiner.pid, "limits", "Max file size", " 0 "));
	ck_assert(process_says(examiner.pid, "limits", "Max cpu time", " 10 "));
	ck_assert(process_says(examiner.pid, "limits", "Max open files", " 256 "));
#if !defined(BAY_ASAN) && !defined(BAY_TSAN)
	ck_assert(process_says(examiner.pid, "limits", "Max address space", " 4294967296 "));
#endif
	ck_assert_int_eq(getpgid(examiner.pid), examiner.pid);
	if (geteuid() == 0)
		ck_assert(process_says(examiner.pid, "status", "Uid:", "65534\t65534\t65534"));
	ck_assert_int_eq(examiner_end(&examiner), 0);
}
END_TEST

/* Bayd had died before the examiner could ask to die with it. */
START_TEST(it_does_not_outlive_who_started_it_before_it_began)
{
	struct examiner examiner;
	int status;

	setenv(CELL_ENV_MASTER, "1", 1);
	examiner_start(&examiner);
	ck_assert_ptr_null(examiner_receive(&examiner));
	status = examiner_end(&examiner);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

/* Starts one from a process that ends at once when told, and keeps the socket open. */
START_TEST(it_does_not_outlive_who_started_it)
{
	struct examiner examiner;
	struct pollfd ended = {.events = POLLIN};
	int alive[2], status;
	char byte = 0;
	pid_t starter;

	ck_assert_int_eq(pipe(alive), 0);
	starter = fork();
	if (starter == 0) {
		close(alive[0]);
		examiner_start(&examiner);
		/* Its answer says that it has settled in. */
		examiner_send(&examiner, CELL_SETUP, setup_of_version(CELL_VERSION_MAJOR), -1);
		if (examiner_receive(&examiner) == NULL)
			_exit(1);
		/* A child holds the socket and ends when it is the last to hold the pipe. */
		if (fork() == 0) {
			close(alive[1]);
			ended.fd = examiner.fd;
			poll(&ended, 1, -1);
			_exit(0);
		}
		(void)!write(alive[1], &byte, 1);
		_exit(0);
	}
	close(alive[1]);
	ck_assert_int_eq(waitpid(starter, &status, 0), starter);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(read(alive[0], &byte, 1), 1);
	/* The examiner inherited the other end. */
	ck_assert_int_eq(read(alive[0], &byte, 1), 0);
	close(alive[0]);
}
END_TEST

CHECK_MAIN("cell/examine",
	the_end_of_the_socket_ends_it_well,
	what_it_does_not_understand_is_answered,
	nonsense_ends_it,
	a_good_plugin_is_described_from_its_note_to_its_settings,
	complaints_name_the_service_and_the_setting,
	bad_plugins_are_refused_one_after_the_other,
	what_lingers_is_never_taken_for_the_next_one,
	what_stays_for_reasons_that_its_file_does_not_show_is_told,
	warnings_are_passed_on,
	without_a_descriptor_the_path_is_opened,
	exit_code_0_is_no_verdict,
	a_crash_while_it_is_unloaded_comes_before_the_verdict,
	it_has_given_up_what_it_does_not_need,
	it_does_not_outlive_who_started_it_before_it_began,
	it_does_not_outlive_who_started_it)
