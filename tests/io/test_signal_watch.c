/* SPDX-License-Identifier: BSD-2-Clause */
/* A test's process is what a cell is: SIGHUP, SIGUSR1 and SIGUSR2 are blocked in all its threads. */
#include "config.h"

#include <bay/signal.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/channel.h>
#include <bay/select.h>
#include <bay/task.h>

#include "io/signal_hub.h"
#include "loop/signals.h"
#include "runtime/task.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"

#define SOON bay_after(60 * BAY_SECOND)

#define SIGNAL_TEST(name)                                                   \
	static int name##_body(void);                                           \
	TASK_TEST(name)                                                         \
	{                                                                       \
		static const int kept[] = {SIGHUP, SIGUSR1, SIGUSR2};               \
		signals_block(kept, 3);                                             \
		return name##_body();                                               \
	}                                                                       \
	static int name##_body(void)

static struct bay_signal *
subscribe(int number)
{
	struct bay_signal *signal;

	ck_assert_int_eq(bay_signal_open(number, &signal), BAY_OK);
	ck_assert_ptr_nonnull(signal);
	return signal;
}

/* Takes until as many have come as were sent. The kernel may tell of two as one, when nobody
 * has had the time to look: so one is sent when the one before has come. */
static void
expect_one(struct bay_signal *signal)
{
	struct bay_signal_info info = {0, 0, 0};

	ck_assert_int_eq(bay_signal_next(signal, &info, SOON), BAY_OK);
	ck_assert_uint_eq(info.count, 1);
	ck_assert_int_eq(info.pid, getpid());
	ck_assert_uint_eq(info.uid, getuid());
}

static void
send(int number)
{
	ck_assert_int_eq(kill(getpid(), number), 0);
}

SIGNAL_TEST(a_signal_that_is_sent_comes)
{
	const int numbers[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM, SIGRTMIN, SIGRTMAX};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct bay_signal *signal = subscribe(numbers[i]);

		ck_assert_int_eq(bay_signal_next(signal, NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
		for (int k = 0; k < 3; k++) {
			send(numbers[i]);
			expect_one(signal);
		}
		ck_assert_int_eq(bay_signal_next(signal, NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
		bay_signal_close(signal);
	}
	return BAY_OK;
}

SIGNAL_TEST(what_the_container_needs_is_refused)
{
	const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGPIPE, SIGSEGV, SIGBUS, SIGABRT, SIGKILL,
		SIGSTOP, SIGTSTP};
	struct bay_signal *signal = (struct bay_signal *)&signal;

	log_lines_keep();
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		ck_assert_int_eq(bay_signal_open(numbers[i], &signal), BAY_NOT_PERMITTED);
		ck_assert_ptr_null(signal);
	}
	ck_assert_int_eq(log_lines_with("bay_signal_open: signal SIGTERM: the container needs it for itself"), 1);
	ck_assert_int_eq(bay_signal_open(0, &signal), BAY_INVALID);
	ck_assert_int_eq(bay_signal_open(-1, &signal), BAY_INVALID);
	/* The C library's own. */
	ck_assert_int_eq(bay_signal_open(32, &signal), BAY_INVALID);
	ck_assert_int_eq(bay_signal_open(1000, &signal), BAY_INVALID);
	ck_assert_int_eq(bay_signal_next(NULL, NULL, SOON), BAY_INVALID);
	return BAY_OK;
}

SIGNAL_TEST(each_subscriber_gets_it)
{
	struct bay_signal *signals[3] = {subscribe(SIGUSR1), subscribe(SIGUSR1), subscribe(SIGUSR2)};

	send(SIGUSR1);
	expect_one(signals[0]);
	expect_one(signals[1]);
	bay_signal_close(signals[0]);
	send(SIGUSR1);
	expect_one(signals[1]);
	ck_assert_int_eq(bay_signal_next(signals[2], NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
	send(SIGUSR2);
	expect_one(signals[2]);
	bay_signal_close(signals[1]);
	bay_signal_close(signals[2]);
	return BAY_OK;
}

SIGNAL_TEST(those_that_nobody_took_are_counted)
{
	struct bay_signal *signal = subscribe(SIGRTMIN);
	struct bay_signal_info info;
	uint64_t count = 0;

	/* Of this kind the kernel keeps every one. */
	for (int i = 0; i < 10; i++)
		send(SIGRTMIN);
	while (count < 10) {
		ck_assert_int_eq(bay_signal_next(signal, &info, SOON), BAY_OK);
		count += info.count;
	}
	ck_assert_uint_eq(count, 10);
	ck_assert_int_eq(bay_signal_next(signal, NULL, bay_after(BAY_MS)), BAY_TIMEOUT);
	bay_signal_close(signal);
	return BAY_OK;
}

static int
take_one(void *arg)
{
	return bay_signal_next(arg, NULL, BAY_INHERIT);
}

SIGNAL_TEST(who_came_first_gets_it)
{
	struct bay_signal *signal = subscribe(SIGHUP);
	struct bay_task *tasks[3];

	for (int i = 0; i < 3; i++) {
		tasks[i] = bay_spawn("waits", take_one, signal);
		ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	bay_task_cancel(tasks[0], "enough");
	send(SIGHUP);
	ck_assert_int_eq(bay_join(tasks[1], SOON), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[0], SOON), BAY_CANCELED);
	ck_assert(!bay_task_done(tasks[2]));
	bay_signal_close(signal);
	ck_assert_int_eq(bay_join(tasks[2], SOON), BAY_CLOSED);
	bay_signal_close(NULL);
	return BAY_OK;
}

SIGNAL_TEST(a_signal_is_a_case_of_a_select)
{
	struct bay_signal *signal = subscribe(SIGUSR1);
	struct bay_channel *channel = bay_channel_create(1);
	struct bay_signal_info info = {0, 0, 0};
	struct bay_case cases[] = {bay_case_get(channel), bay_case_signal(NULL, NULL),
		bay_case_signal(signal, &info)};
	static int letter;
	size_t index = 9;

	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	send(SIGUSR1);
	ck_assert_int_eq(bay_select(cases, 3, &index, SOON), BAY_OK);
	ck_assert_uint_eq(index, 2);
	ck_assert_int_eq(cases[2].status, BAY_OK);
	ck_assert_uint_eq(info.count, 1);
	ck_assert_int_eq(info.pid, getpid());
	/* One that came when another case happened is still there. */
	ck_assert_int_eq(bay_channel_try_put(channel, &letter), BAY_OK);
	ck_assert_int_eq(bay_select(cases, 1, &index, SOON), BAY_OK);
	send(SIGUSR1);
	expect_one(signal);
	bay_signal_close(signal);
	bay_channel_destroy(channel);
	return BAY_OK;
}

static int
select_it(void *arg)
{
	struct bay_case one = bay_case_signal(arg, NULL);
	size_t index;
	int status = bay_select(&one, 1, &index, BAY_INHERIT);

	return status == BAY_OK ? one.status : status;
}

SIGNAL_TEST(a_select_stands_in_the_same_line)
{
	struct bay_signal *signal = subscribe(SIGUSR1);
	struct bay_task *tasks[] = {bay_spawn("selects", select_it, signal), bay_spawn("waits", take_one, signal),
		bay_spawn("selects", select_it, signal), bay_spawn("selects", select_it, signal)};

	ck_assert_int_eq(bay_yield(), BAY_OK);
	send(SIGUSR1);
	ck_assert_int_eq(bay_join(tasks[0], SOON), BAY_OK);
	ck_assert(!bay_task_done(tasks[1]));
	send(SIGUSR1);
	ck_assert_int_eq(bay_join(tasks[1], SOON), BAY_OK);
	bay_task_cancel(tasks[2], "enough");
	ck_assert_int_eq(bay_join(tasks[2], SOON), BAY_CANCELED);
	bay_signal_close(signal);
	ck_assert_int_eq(bay_join(tasks[3], SOON), BAY_CLOSED);
	return BAY_OK;
}

/* --- before and after -------------------------------------------------------------------------- */

/* Waits until the action for a signal is as wanted. */
static void
expect_action(int number, void (*handler)(int))
{
	int64_t deadline = SOON;
	struct sigaction now;

	for (;;) {
		ck_assert_int_eq(sigaction(number, NULL, &now), 0);
		if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == handler)
			return;
		ck_assert_int_lt(bay_now(), deadline);
		usleep(1000);
	}
}

static void
former(int number)
{
	(void)number;
}

static void
other(int number)
{
	(void)number;
}

SIGNAL_TEST(afterwards_a_signal_does_what_it_did)
{
	struct sigaction own = {.sa_handler = former};
	struct bay_signal *signals[2];
	struct sigaction now;

	/* Whoever runs the tests may ignore it, as nohup does. */
	ck_assert(signal(SIGHUP, SIG_DFL) != SIG_ERR);
	signals[0] = subscribe(SIGHUP);
	signals[1] = subscribe(SIGHUP);
	bay_signal_close(signals[0]);
	ck_assert_int_eq(sigaction(SIGHUP, NULL, &now), 0);
	ck_assert((now.sa_flags & SA_SIGINFO) != 0);
	bay_signal_close(signals[1]);
	/* Whenever it comes: it would end us if it were let in. */
	send(SIGHUP);
	expect_action(SIGHUP, SIG_DFL);
	send(SIGHUP);
	ck_assert_int_eq(sigaction(SIGALRM, &own, NULL), 0);
	signals[0] = subscribe(SIGALRM);
	bay_signal_close(signals[0]);
	expect_action(SIGALRM, former);
	/* Who took it over meanwhile keeps it. */
	signals[0] = subscribe(SIGALRM);
	own.sa_handler = other;
	ck_assert_int_eq(sigaction(SIGALRM, &own, NULL), 0);
	bay_signal_close(signals[0]);
	signals[0] = subscribe(SIGUSR1);
	bay_signal_close(signals[0]);
	expect_action(SIGUSR1, SIG_DFL);
	signal_hub_finish();
	expect_action(SIGALRM, other);
	return BAY_OK;
}

SIGNAL_TEST(what_was_kept_before_the_subscription_is_not_told)
{
	struct bay_signal *signal;

	send(SIGUSR2);
	signal = subscribe(SIGUSR2);
	ck_assert_int_eq(bay_signal_next(signal, NULL, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	send(SIGUSR2);
	expect_one(signal);
	bay_signal_close(signal);
	return BAY_OK;
}

SIGNAL_TEST(subscriptions_may_come_and_go_while_signals_come)
{
	for (int i = 0; i < 200; i++) {
		struct bay_signal *signals[2] = {subscribe(SIGUSR1), subscribe(SIGRTMIN + 1)};

		send(SIGRTMIN + 1);
		send(SIGUSR1);
		/* And perhaps one of the turn before, that was on its way. */
		for (int k = 0; k < 2 && i % 3 == 0; k++)
			ck_assert_int_eq(bay_signal_next(signals[k], NULL, SOON), BAY_OK);
		bay_signal_close(signals[i % 2]);
		send(SIGUSR1);
		bay_signal_close(signals[1 - i % 2]);
		if (i % 5 == 0)
			ck_assert_int_eq(bay_yield(), BAY_OK);
		/* That one is not kept by anybody when nobody is subscribed. */
		expect_action(SIGRTMIN + 1, SIG_DFL);
	}
	ck_assert_int_eq(bay_sleep(5 * BAY_MS), BAY_OK);
	return BAY_OK;
}

static void *
hold(void *may_go)
{
	while (!atomic_load((atomic_bool *)may_go))
		usleep(1000);
	return NULL;
}

/* Others in the process may have threads that let everything in. */
SIGNAL_TEST(a_signal_comes_on_whichever_thread)
{
	struct bay_signal *signal = subscribe(SIGUSR1);
	atomic_bool may_go = false;
	pthread_t thread;
	sigset_t none;

	sigemptyset(&none);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &none, NULL), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, hold, &may_go), 0);
	ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
	expect_one(signal);
	/* On a task's stack. */
	ck_assert_int_eq(pthread_kill(pthread_self(), SIGUSR1), 0);
	expect_one(signal);
	atomic_store(&may_go, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	bay_signal_close(signal);
	expect_action(SIGUSR1, SIG_DFL);
	return BAY_OK;
}

static atomic_int created, joined;

/* Threads are counted here: in /proc are those of a sanitizer, too, and for a moment joined ones. */
int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
	int (*real)(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	created++;
	return real(thread, attributes, fn, arg);
}

int
pthread_join(pthread_t thread, void **result_r)
{
	int (*real)(pthread_t thread, void **result_r);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_join");
	joined++;
	return real(thread, result_r);
}

SIGNAL_TEST(the_end_of_the_hub_is_the_end_of_its_thread)
{
	int before = created;
	struct bay_signal *signal = subscribe(SIGUSR1);

	ck_assert_int_eq(created, before + 1);
	bay_signal_close(signal);
	ck_assert_int_eq(joined, 0);
	signal_hub_finish();
	ck_assert_int_eq(joined, 1);
	signal_hub_finish();
	ck_assert_int_eq(joined, 1);
	return BAY_OK;
}

SIGNAL_TEST(the_hub_ends_and_begins_again)
{
	for (int i = 0; i < 3; i++) {
		struct bay_signal *signal = subscribe(SIGUSR1);

		send(SIGUSR1);
		expect_one(signal);
		bay_signal_close(signal);
		signal_hub_finish();
		signal_hub_finish();
		expect_action(SIGUSR1, SIG_DFL);
	}
	return BAY_OK;
}

CHECK_MAIN("io/signal_watch",
	a_signal_that_is_sent_comes,
	what_the_container_needs_is_refused,
	each_subscriber_gets_it,
	those_that_nobody_took_are_counted,
	who_came_first_gets_it,
	a_signal_is_a_case_of_a_select,
	a_select_stands_in_the_same_line,
	afterwards_a_signal_does_what_it_did,
	what_was_kept_before_the_subscription_is_not_told,
	subscriptions_may_come_and_go_while_signals_come,
	a_signal_comes_on_whichever_thread,
	the_end_of_the_hub_is_the_end_of_its_thread,
	the_hub_ends_and_begins_again)
