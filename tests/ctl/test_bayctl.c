/* SPDX-License-Identifier: BSD-2-Clause */
/* The program itself: at a terminal, in a pipe whose reader goes, on a disk that is full. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "ctl/canned.h"
#include "ctl/fake_server.h"
#include "support/check_main.h"

static struct fake_server server;

static void
answer(struct fake_call *call)
{
	if (strcmp(call->method, "List") == 0)
		fake_reply(call, CANNED_LIST);
	else if (strcmp(call->method, "Call") == 0)
		fake_reply_json(call, json_pack("{s:s}", "text", fake_text(call, "text")), -1);
	else if (strcmp(call->method, "Log") == 0)
		for (int i = 0; i < 100000; i++)
			fake_reply_continues(call, "{'line':'a line of the log'}");
}

/* In a child: becomes bayctl with these words. */
static void
become_bayctl(const char *const *words)
{
	const char *all[20] = {"bayctl", "-s", server.path};
	int count = 3;

	while (*words != NULL)
		all[count++] = *words++;
	signal(SIGPIPE, SIG_DFL);
	setenv("LC_ALL", "C.UTF-8", 1);
	execv(TOP_BUILDDIR "/container/bayctl", (char **)(uintptr_t)all);
	_exit(126);
}

static bool
there_are_terminals(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	bool there = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 &&
		access(ptsname(master), R_OK | W_OK) == 0;

	if (master >= 0)
		close(master);
	return there;
}

/* Runs bayctl at a terminal of this width; what it shows is appended to shown. */
static int
run_at_terminal(struct buffer *shown, unsigned short columns, const char *const *words)
{
	struct winsize size = {.ws_col = columns, .ws_row = 24};
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char chunk[4096];
	ssize_t got;
	int status;
	pid_t pid;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	pid = fork();
	if (pid == 0) {
		int slave = open(ptsname(master), O_RDWR | O_NOCTTY);

		ioctl(slave, TIOCSWINSZ, &size);
		dup2(slave, STDOUT_FILENO);
		dup2(slave, STDERR_FILENO);
		close(slave);
		close(master);
		become_bayctl(words);
	}
	do {
		struct pollfd wait = {.fd = master, .events = POLLIN};

		poll(&wait, 1, 100);
		got = (wait.revents & POLLIN) != 0 ? read(master, chunk, sizeof(chunk)) : 0;
		if (got > 0)
			ck_assert(buffer_append(shown, chunk, (size_t)got));
	} while (got > 0 || waitpid(pid, &status, WNOHANG) == 0);
	close(master);
	ck_assert_ptr_nonnull(buffer_text(shown));
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char *
text(const struct buffer *shown)
{
	return (const char *)shown->data;
}

START_TEST(a_terminal_gets_colours_and_notes_cut_at_its_edge)
{
	static const char *const words[] = {"list", NULL};
	struct buffer shown = {0};

	if (!there_are_terminals())
		CHECK_SKIP("no pseudo-terminals are to be had: mount devpts");
	fake_server_start(&server, answer);
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(run_at_terminal(&shown, 95, words), 0);
	ck_assert_ptr_nonnull(strstr(text(&shown), "\033[32mready\033[0m"));
	ck_assert_ptr_nonnull(strstr(text(&shown), "init said no; next try in 2s\r\n"));
	buffer_finish(&shown);
	ck_assert_int_eq(run_at_terminal(&shown, 50, words), 0);
	ck_assert_ptr_nonnull(strstr(text(&shown), "init said"));
	ck_assert_ptr_nonnull(strstr(text(&shown), "\xe2\x80\xa6\r\n"));
	buffer_finish(&shown);
	fake_server_stop(&server);
}
END_TEST

START_TEST(no_color_and_a_dumb_terminal_are_respected)
{
	static const char *const words[] = {"list", NULL};
	struct buffer shown = {0};

	if (!there_are_terminals())
		CHECK_SKIP("no pseudo-terminals are to be had: mount devpts");
	fake_server_start(&server, answer);
	setenv("NO_COLOR", "1", 1);
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(run_at_terminal(&shown, 200, words), 0);
	ck_assert_ptr_null(strchr(text(&shown), '\033'));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	ck_assert_int_eq(run_at_terminal(&shown, 200, words), 0);
	ck_assert_ptr_null(strchr(text(&shown), '\033'));
	buffer_finish(&shown);
	fake_server_stop(&server);
}
END_TEST

START_TEST(a_terminal_gets_the_newline_that_a_reply_lacks)
{
	static const char *const without[] = {"call", "a", "25", NULL};
	static const char *const with[] = {"call", "a", "25\n", NULL};
	struct buffer shown = {0};

	if (!there_are_terminals())
		CHECK_SKIP("no pseudo-terminals are to be had: mount devpts");
	fake_server_start(&server, answer);
	ck_assert_int_eq(run_at_terminal(&shown, 80, without), 0);
	ck_assert_str_eq(text(&shown), "25\r\n");
	buffer_clear(&shown);
	ck_assert_int_eq(run_at_terminal(&shown, 80, with), 0);
	ck_assert_str_eq(text(&shown), "25\r\n");
	buffer_finish(&shown);
	fake_server_stop(&server);
}
END_TEST

/* Runs bayctl with its output going to out and its errors gathered. Returns the wait status. */
static int
run_into(int out, int close_in_child, struct buffer *errors, const char *const *words)
{
	int fds[2];
	char chunk[4096];
	ssize_t got;
	int status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		if (close_in_child >= 0)
			close(close_in_child);
		become_bayctl(words);
	}
	close(out);
	close(fds[1]);
	/* The reader takes one line, then goes. */
	if (close_in_child >= 0) {
		ck_assert_int_gt(read(close_in_child, chunk, 16), 0);
		close(close_in_child);
	}
	while ((got = read(fds[0], chunk, sizeof(chunk))) > 0)
		ck_assert(buffer_append(errors, chunk, (size_t)got));
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(a_reader_that_goes_ends_it_without_a_word)
{
	static const char *const words[] = {"log", "-f", NULL};
	struct buffer errors = {0};
	int fds[2];
	int status;

	fake_server_start(&server, answer);
	ck_assert_int_eq(pipe(fds), 0);
	status = run_into(fds[1], fds[0], &errors, words);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGPIPE);
	ck_assert_uint_eq(errors.size, 0);
	fake_server_stop(&server);
}
END_TEST

START_TEST(an_answer_that_cannot_be_written_is_a_failure)
{
	static const char *const words[] = {"list", NULL};
	struct buffer errors = {0};
	int full = open("/dev/full", O_WRONLY);
	int status;

	fake_server_start(&server, answer);
	ck_assert_int_ge(full, 0);
	status = run_into(full, -1, &errors, words);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	ck_assert_str_eq(buffer_text(&errors),
		"bayctl: writing the answer: No space left on device\n");
	buffer_finish(&errors);
	fake_server_stop(&server);
}
END_TEST

CHECK_MAIN("ctl/bayctl",
	a_terminal_gets_colours_and_notes_cut_at_its_edge,
	no_color_and_a_dumb_terminal_are_respected,
	a_terminal_gets_the_newline_that_a_reply_lacks,
	a_reader_that_goes_ends_it_without_a_word,
	an_answer_that_cannot_be_written_is_a_failure)
