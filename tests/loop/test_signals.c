/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/signals.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <unistd.h>

#include "support/check_main.h"

static const int watched[] = {SIGTERM, SIGHUP, SIGUSR1};
enum { WATCHED = sizeof(watched) / sizeof(*watched) };

static int seen[64];

static void
on_signal(int number, void *arg)
{
	ck_assert_ptr_eq(arg, seen);
	seen[number]++;
}

START_TEST(each_watched_signal_becomes_a_call)
{
	struct event_base *base = event_base_new();
	struct signals *signals = signals_watch(base, watched, WATCHED, on_signal, seen);

	ck_assert_ptr_nonnull(signals);
	for (int i = 0; i < WATCHED; i++) {
		kill(getpid(), watched[i]);
		while (seen[watched[i]] == 0)
			event_base_loop(base, EVLOOP_ONCE);
		ck_assert_int_eq(seen[watched[i]], 1);
	}
	signals_destroy(signals);
	event_base_free(base);
}
END_TEST

START_TEST(a_signal_that_came_too_early_is_kept)
{
	struct event_base *base = event_base_new();
	struct signals *signals;

	signals_block(watched, WATCHED);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	signals = signals_watch(base, watched, WATCHED, on_signal, seen);
	while (seen[SIGTERM] == 0 || seen[SIGHUP] == 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(seen[SIGUSR1], 0);
	signals_destroy(signals);
	event_base_free(base);
}
END_TEST

START_TEST(default_actions_come_back_at_the_end)
{
	struct event_base *base = event_base_new();
	struct sigaction action;

	/* nohup leaves it ignored. */
	signal(SIGHUP, SIG_DFL);
	signals_destroy(NULL);
	signals_destroy(signals_watch(base, watched, WATCHED, on_signal, seen));
	event_base_free(base);
	sigaction(SIGHUP, NULL, &action);
	ck_assert(action.sa_handler == SIG_DFL);
}
END_TEST

START_TEST(a_closed_pipe_is_an_error_value)
{
	int fds[2];

	signals_ignore_sigpipe();
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	ck_assert_int_eq(write(fds[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(fds[1]);
}
END_TEST

CHECK_MAIN("loop/signals",
	each_watched_signal_becomes_a_call,
	a_signal_that_came_too_early_is_kept,
	default_actions_come_back_at_the_end,
	a_closed_pipe_is_an_error_value)
