/* SPDX-License-Identifier: BSD-2-Clause */
/* bayctl top on a terminal of its own, and without one. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/canned.h"
#include "ctl/ctl.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "ctl/top_figures.h"
#include "support/check_main.h"

#define TAKE "\033[?1049h\033[?25l"
#define GIVE_BACK "\033[?25h\033[?1049l"

static struct fake_server server;
static struct run run;

/* Each look finds so much more than the one before. */
static void
answer(struct fake_call *call)
{
	unsigned n = call->count;
	char text[2048];

	snprintf(text, sizeof text, "{'services':["
		"{'service':'busy','state':'ready','cell':'main','calls':%u,'failed':0,'cpu_ns':%u,'tasks':1,"
		"'queue':0,'queue_bytes':0,'memory_bytes':10,'total':{'buckets':[],'samples':0}},"
		"{'service':'large','state':'ready','cell':'main','calls':0,'failed':0,'cpu_ns':0,'tasks':2,"
		"'queue':7,'queue_bytes':24,'memory_bytes':1000,'total':{'buckets':[0,%u],'samples':%u}}],"
		"'loops':[{'cell':'main','loop':0,'cpu_ns':%u,'lag':{'buckets':[],'samples':0}}]}",
		n * 100, n * 50000000, n * 100, n * 100, n * 90000000);
	fake_reply(call, text);
}

/* --- the terminal --------------------------------------------------------------------------- */

static struct {
	int fd;
	char name[64];
	pid_t child;
	char text[1 << 20];
	size_t size;
} tty;

static void
tty_child(const char *sort)
{
	char *words[] = {(char *)"bayctl", (char *)"-s", server.path, (char *)"top", (char *)"--interval",
		(char *)"100ms", (char *)"--sort", (char *)(uintptr_t)sort, NULL};
	int fd;

	setsid();
	fd = open(tty.name, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		_exit(99);
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	signal(SIGINT, SIG_DFL);
	_exit(ctl_main(8, words, stdout, stderr));
}

static void
tty_begin(unsigned short columns, const char *sort)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};

	fake_server_start(&server, answer);
	tty.size = 0;
	tty.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(tty.fd, 0);
	ck_assert_int_eq(grantpt(tty.fd) | unlockpt(tty.fd), 0);
	snprintf(tty.name, sizeof tty.name, "%s", ptsname(tty.fd));
	ck_assert_int_eq(ioctl(tty.fd, TIOCSWINSZ, &size), 0);
	tty.child = fork();
	if (tty.child == 0)
		tty_child(sort);
}

/* Reads on until the text has come, from a place on; returns where it ends. */
static size_t
tty_expect(const char *text, size_t from)
{
	char *found;

	while ((found = memmem(tty.text + from, tty.size - from, text, strlen(text))) == NULL) {
		ssize_t n = read(tty.fd, tty.text + tty.size, sizeof tty.text - 1 - tty.size);

		ck_assert_msg(n > 0, "the terminal has no \"%s\": %s", text, tty.text);
		tty.size += (size_t)n;
		tty.text[tty.size] = '\0';
	}
	return (size_t)(found - tty.text) + strlen(text);
}

static void
tty_type(const char *keys)
{
	ck_assert_int_eq(write(tty.fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static bool
tty_echoes(void)
{
	struct termios now;

	ck_assert_int_eq(tcgetattr(tty.fd, &now), 0);
	return (now.c_lflag & (ECHO | ICANON)) == (ECHO | ICANON);
}

static int
tty_end(void)
{
	int status;

	ck_assert_int_eq(waitpid(tty.child, &status, 0), tty.child);
	close(tty.fd);
	fake_server_stop(&server);
	return status;
}

/* Each row of the latest whole frame, without what moves the cursor: at most that wide. */
static void
expect_rows_fit(size_t from, size_t to, size_t columns)
{
	size_t width = 0;

	for (size_t i = from; i < to; i++) {
		if (tty.text[i] == '\033') {
			while (i < to && strchr("HKJmlh", tty.text[i]) == NULL)
				i++;
		} else if (tty.text[i] == '\r' || tty.text[i] == '\n') {
			width = 0;
		} else {
			ck_assert_msg(++width <= columns, "a row is wider than %zu: %s", columns, tty.text + from);
		}
	}
}

/* --- tests ------------------------------------------------------------------------------------ */

START_TEST(it_takes_the_terminal_and_q_gives_it_back)
{
	size_t first, at;

	tty_begin(80, "cpu");
	first = tty_expect(TAKE, 0);
	at = tty_expect("busy", tty_expect("SERVICE", first));
	at = tty_expect("\033[J", at);
	expect_rows_fit(first, at, 80);
	ck_assert(!tty_echoes());
	tty_type("q");
	tty_expect(GIVE_BACK, at);
	ck_assert_int_eq(tty_end(), 0);
}
END_TEST

/* Nothing is cleared before it is drawn over, so nothing flickers; each frame is one write, so none
 * is seen half. */
START_TEST(it_draws_over_what_was_there)
{
	size_t at;

	tty_begin(80, "cpu");
	at = tty_expect("\033[J", tty_expect("\033[2J", 0));
	at = tty_expect("\033[J", at);
	at = tty_expect("\033[J", at);
	tty_type("q");
	tty_expect(GIVE_BACK, at);
	ck_assert_ptr_null(memmem(tty.text + 40, at - 40, "\033[2J", 4));
	ck_assert_int_eq(tty_end(), 0);
}
END_TEST

START_TEST(keys_choose_the_order)
{
	size_t at;

	tty_begin(80, "cpu");
	at = tty_expect("by cpu", 0);
	at = tty_expect("large", tty_expect("busy", at));
	tty_type("m");
	at = tty_expect("by memory", at);
	at = tty_expect("busy", tty_expect("large", at));
	/* Others do nothing. */
	tty_type("Z");
	at = tty_expect("by memory", at);
	tty_type("q");
	ck_assert_int_eq(tty_end(), 0);
}
END_TEST

START_TEST(it_fits_into_any_width)
{
	static const unsigned short widths[] = {200, 80, 40, 20};

	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		size_t first, at;

		tty_begin(widths[i], "name");
		first = tty_expect(TAKE, 0);
		at = tty_expect("\033[J", tty_expect("busy", first));
		/* What a table cannot do without it keeps. */
		expect_rows_fit(first, at, widths[i] < 40 ? 40 : widths[i]);
		tty_type("q");
		ck_assert_int_eq(tty_end(), 0);
	}
}
END_TEST

START_TEST(another_size_is_drawn_at_once)
{
	struct winsize narrow = {.ws_row = 5, .ws_col = 60};
	size_t at;

	tty_begin(80, "cpu");
	at = tty_expect("\033[J", tty_expect("busy", 0));
	ck_assert_int_eq(ioctl(tty.fd, TIOCSWINSZ, &narrow), 0);
	at = tty_expect("\033[J", at);
	at = tty_expect("\033[J", at);
	at = tty_expect("\033[J", at);
	tty_type("q");
	ck_assert_int_eq(tty_end(), 0);
}
END_TEST

START_TEST(signals_give_the_terminal_back)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		siginfo_t ended;
		int status;

		tty_begin(80, "cpu");
		tty_expect("busy", 0);
		ck_assert(!tty_echoes());
		ck_assert_int_eq(kill(tty.child, signals[i]), 0);
		tty_expect(GIVE_BACK, 0);
		ck_assert_int_eq(waitid(P_PID, (id_t)tty.child, &ended, WEXITED | WNOWAIT), 0);
		ck_assert(tty_echoes());
		status = tty_end();
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), signals[i]);
	}
}
END_TEST

START_TEST(a_stop_gives_it_back_until_it_goes_on)
{
	int status;
	size_t at;

	tty_begin(80, "cpu");
	at = tty_expect("busy", 0);
	/* A group without a parent in its session cannot be stopped by TSTP: nobody could go on. */
	ck_assert_int_eq(kill(tty.child, SIGTSTP), 0);
	at = tty_expect(GIVE_BACK, at);
	ck_assert_int_ge(waitpid(tty.child, &status, WUNTRACED | WNOHANG), 0);
	ck_assert_int_eq(kill(tty.child, SIGCONT), 0);
	at = tty_expect(TAKE, at);
	at = tty_expect("busy", at);
	ck_assert(!tty_echoes());
	tty_type("q");
	tty_expect(GIVE_BACK, at);
	ck_assert_int_eq(tty_end(), 0);
}
END_TEST

START_TEST(a_daemon_that_goes_away_ends_it_with_7)
{
	size_t at;
	int status;

	tty_begin(80, "cpu");
	at = tty_expect("busy", 0);
	kill(server.pid, SIGKILL);
	at = tty_expect(GIVE_BACK, at);
	tty_expect("bayctl: ", at);
	status = tty_end();
	ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

/* --- without a terminal ------------------------------------------------------------------------- */

START_TEST(a_file_gets_one_table)
{
	fake_server_start(&server, answer);
	run.socket = server.path;
	run_words(&run, "top", "--interval", "100ms", "--sort", "memory", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_null(strchr(run.out, '\033'));
	ck_assert_int_eq(strncmp(run.out, "SERVICE", 7), 0);
	ck_assert_ptr_nonnull(strstr(strstr(run.out, "large"), "busy"));
	run_json(&run, "top", "--once", "--interval", "100ms", NULL);
	ck_assert_int_eq(run.exit, 0);
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

START_TEST(what_it_may_be_sorted_by_is_told)
{
	run.socket = "/nowhere";
	run_words(&run, "top", "--sort", "colour", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "--sort wants cpu|calls|"));
	run_words(&run, "top", "--interval", "1ms", NULL);
	ck_assert_int_eq(run.exit, 2);
	run_finish(&run);
	for (const struct top_order *order = top_orders; order->word != NULL; order++) {
		ck_assert_ptr_eq(top_order_find(order->word), order);
		ck_assert_ptr_eq(top_order_of_key(order->key), order);
	}
}
END_TEST

/* --- figures -------------------------------------------------------------------------------------- */

START_TEST(figures_are_those_of_the_time_between)
{
	json_t *before = canned("{'services':[{'service':'a','calls':100,'cpu_ns':1000000000,'failed':9,"
		"'total':{'buckets':[100,100],'samples':100}}],'loops':[{'cell':'main','loop':1,'cpu_ns':5}]}");
	json_t *now = canned("{'services':[{'service':'a','calls':300,'cpu_ns':2000000000,'failed':4,"
		"'total':{'buckets':[100,200],'samples':200}}],'loops':[{'cell':'main','loop':1,'cpu_ns':500000005}]}");
	json_t *figures = top_figures(before, now, INT64_C(2000000000), &top_orders[0]);
	const json_t *a = json_array_get(json_object_get(figures, "services"), 0);
	const json_t *loop = json_array_get(json_object_get(figures, "loops"), 0);

	ck_assert_double_eq(json_number_value(json_object_get(a, "calls_per_s")), 100);
	ck_assert_double_eq(json_number_value(json_object_get(a, "cpu_percent")), 50);
	/* It has begun anew. */
	ck_assert_double_eq(json_number_value(json_object_get(a, "failed_per_s")), 2);
	/* All of these hundred took from 1024 to 2047 ns. */
	ck_assert_int_eq(json_integer_value(json_object_get(a, "latency_p99_ns")), 1024 + 1024 * 99 / 100);
	ck_assert_double_eq(json_number_value(json_object_get(loop, "cpu_percent")), 25);
	json_decref(figures);
	figures = top_figures(now, now, INT64_C(2000000000), &top_orders[0]);
	a = json_array_get(json_object_get(figures, "services"), 0);
	ck_assert(json_is_null(json_object_get(a, "latency_p99_ns")));
	json_decref(figures);
	json_decref(before);
	json_decref(now);
}
END_TEST

CHECK_MAIN("ctl/verb_top",
	it_takes_the_terminal_and_q_gives_it_back,
	it_draws_over_what_was_there,
	keys_choose_the_order,
	it_fits_into_any_width,
	another_size_is_drawn_at_once,
	signals_give_the_terminal_back,
	a_stop_gives_it_back_until_it_goes_on,
	a_daemon_that_goes_away_ends_it_with_7,
	a_file_gets_one_table,
	what_it_may_be_sorted_by_is_told,
	figures_are_those_of_the_time_between)
