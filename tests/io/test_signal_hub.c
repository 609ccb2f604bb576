/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports without the subscriptions that are made of them. A test's process is what a cell is: what it
 * subscribes to is blocked in all its threads, and it sends signals to itself.
 */
#include "config.h"

#include "io/signal_hub.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"
#include "loop/signals.h"
#include "support/check_main.h"

struct heard {
	struct signal_port port;
	unsigned visits, empty; /* of its loop; those that brought nothing */
	uint64_t count;
	struct bay_signal_info last;
};

/* The test's own thread is both. */
static struct loop loops[2];

static void
begin(void)
{
	static const int kept[] = {SIGHUP, SIGUSR1, SIGUSR2};

	signals_block(kept, 3);
	ck_assert(loop_init(&loops[0], "first"));
	ck_assert(loop_init(&loops[1], "second"));
}

static void
end(void)
{
	signal_hub_finish();
	loop_finish(&loops[0]);
	loop_finish(&loops[1]);
}

static void
on_home(struct inbox_item *item)
{
	struct signal_port *port = container_of(item, struct signal_port, home);
	struct heard *heard = container_of(port, struct heard, port);

	heard->visits++;
	if (signal_port_take(port, &heard->last))
		heard->count += heard->last.count;
	else
		heard->empty++;
}

static void
join(struct heard *heard, unsigned loop, int number)
{
	*heard = (struct heard){.port = {.home = {.run = on_home}, .loop = &loops[loop], .number = number}};
	ck_assert_int_eq(signal_hub_join(&heard->port), 0);
}

/* Waits until so many have come to its loop in all; other loops are not looked at. */
static void
await(const struct heard *heard, uint64_t count)
{
	while (heard->count < count) {
		loop_wait(heard->port.loop, INT64_MAX);
		(void)loop_drain_inbox(heard->port.loop);
	}
	ck_assert_uint_eq(heard->count, count);
}

static void
leave(struct heard *heard)
{
	if (signal_hub_leave(&heard->port))
		(void)loop_drain_inbox(heard->port.loop);
}

static void
send(int number)
{
	ck_assert_int_eq(kill(getpid(), number), 0);
}

/* Has been handled when it returns: it comes on this thread. */
static void
send_here(int number)
{
	sigset_t one, before;

	sigemptyset(&one);
	sigaddset(&one, number);
	ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &one, &before), 0);
	ck_assert_int_eq(pthread_kill(pthread_self(), number), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

/* --- what may be had --------------------------------------------------------------------------------- */

START_TEST(what_the_container_does_not_need_may_be_had)
{
	const char *why;

	for (int number = -1; number <= SIGRTMAX + 1; number++) {
		bool may = number == SIGHUP || number == SIGUSR1 || number == SIGUSR2 || number == SIGWINCH ||
			number == SIGALRM || (number >= SIGRTMIN && number <= SIGRTMAX);
		/* Those below SIGRTMIN are the C library's own. */
		bool is_one = number >= 1 && number <= SIGRTMAX && (number <= SIGSYS || number >= SIGRTMIN);

		ck_assert_msg(signal_hub_allows(number, &why) == may, "%d", number);
		if (!may)
			ck_assert_str_eq(why, is_one ? "the container needs it for itself" : "there is no such signal");
	}
}
END_TEST

/* --- what comes ------------------------------------------------------------------------------------------ */

START_TEST(a_signal_comes_to_the_loop_with_who_sent_it_and_is_taken_once)
{
	struct heard heard;
	struct bay_signal_info info = {.count = 9};

	begin();
	join(&heard, 0, SIGUSR1);
	ck_assert(!signal_port_take(&heard.port, &info));
	ck_assert_uint_eq(info.count, 0);
	send(SIGUSR1);
	await(&heard, 1);
	ck_assert_int_eq(heard.last.pid, getpid());
	ck_assert_uint_eq(heard.last.uid, getuid());
	ck_assert(!signal_port_take(&heard.port, &info));
	ck_assert_uint_eq(heard.empty, 0);
	leave(&heard);
	end();
}
END_TEST

START_TEST(all_ways_to_send_one_say_who_did_and_the_kernel_is_nobody)
{
	const struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	siginfo_t other = {.si_signo = SIGALRM, .si_code = SI_QUEUE};
	timer_t timers[2];
	struct heard heard;

	begin();
	join(&heard, 0, SIGALRM);
	send(SIGALRM);
	await(&heard, 1);
	ck_assert_int_eq(heard.last.pid, getpid());
	/* As sigqueue(), of another one. */
	other.si_pid = 1234;
	other.si_uid = 4321;
	ck_assert_int_eq(syscall(SYS_rt_sigqueueinfo, getpid(), SIGALRM, &other), 0);
	await(&heard, 2);
	ck_assert_int_eq(heard.last.pid, 1234);
	ck_assert_uint_eq(heard.last.uid, 4321);
	send_here(SIGALRM);
	await(&heard, 3);
	ck_assert_int_eq(heard.last.pid, getpid());
	/* Has the number of the timer where others have the process. */
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timers[i]), 0);
	ck_assert_int_eq(timer_settime(timers[1], 0, &soon, NULL), 0);
	await(&heard, 4);
	ck_assert_int_eq(heard.last.pid, 0);
	ck_assert_uint_eq(heard.last.uid, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(timer_delete(timers[i]), 0);
	leave(&heard);
	end();
}
END_TEST

START_TEST(what_comes_before_the_visit_comes_with_one_visit)
{
	struct heard first, second;

	begin();
	/* The first one has it whenever the second one does. */
	join(&first, 0, SIGRTMIN);
	join(&second, 1, SIGRTMIN);
	for (uint64_t i = 1; i <= 5; i++) {
		send(SIGRTMIN);
		await(&second, i);
	}
	ck_assert_uint_eq(first.visits, 0);
	await(&first, 5);
	ck_assert_uint_eq(first.visits, 1);
	ck_assert_uint_eq(first.last.count, 5);
	/* And then there is another. */
	send(SIGRTMIN);
	await(&second, 6);
	await(&first, 6);
	ck_assert_uint_eq(first.visits, 2);
	ck_assert_uint_eq(first.last.count, 1);
	leave(&first);
	leave(&second);
	end();
}
END_TEST

START_TEST(each_port_hears_of_its_signal_only)
{
	struct heard hup, usr, real;

	begin();
	join(&hup, 0, SIGHUP);
	join(&usr, 0, SIGUSR1);
	join(&real, 1, SIGRTMAX);
	/* The hub looks at them in their order. */
	send_here(SIGHUP);
	send_here(SIGRTMAX);
	await(&real, 1);
	await(&hup, 1);
	ck_assert_uint_eq(usr.visits, 0);
	send_here(SIGUSR1);
	await(&usr, 1);
	ck_assert_uint_eq(hup.visits, 1);
	leave(&hup);
	leave(&usr);
	leave(&real);
	end();
}
END_TEST

START_TEST(what_came_before_a_port_is_for_those_who_were_there)
{
	struct heard first, second;

	begin();
	join(&first, 0, SIGUSR1);
	send_here(SIGUSR1);
	join(&second, 1, SIGUSR1);
	await(&first, 1);
	send_here(SIGUSR1);
	await(&second, 1);
	await(&first, 2);
	ck_assert_uint_eq(second.visits, 1);
	leave(&first);
	leave(&second);
	end();
}
END_TEST

/* --- ports that go --------------------------------------------------------------------------------------- */

START_TEST(a_port_that_leaves_says_whether_it_is_still_on_its_way)
{
	struct heard first, second;

	begin();
	join(&first, 0, SIGUSR1);
	join(&second, 1, SIGUSR1);
	send(SIGUSR1);
	await(&second, 1);
	ck_assert(signal_hub_leave(&first.port));
	ck_assert_uint_eq(first.visits, 0);
	await(&first, 1);
	ck_assert_uint_eq(first.visits, 1);
	ck_assert(!signal_hub_leave(&second.port));
	end();
}
END_TEST

START_TEST(a_port_that_has_left_hears_nothing_more_and_the_others_do)
{
	struct heard first, second;

	begin();
	join(&first, 0, SIGUSR1);
	join(&second, 1, SIGUSR1);
	ck_assert(!signal_hub_leave(&first.port));
	for (uint64_t i = 1; i <= 3; i++) {
		send(SIGUSR1);
		await(&second, i);
	}
	ck_assert(!loop_drain_inbox(&loops[0]));
	ck_assert_uint_eq(first.visits, 0);
	/* It may come again. */
	join(&first, 0, SIGUSR1);
	send(SIGUSR1);
	await(&second, 4);
	await(&first, 1);
	leave(&first);
	leave(&second);
	end();
}
END_TEST

/* --- the thread ------------------------------------------------------------------------------------------- */

START_TEST(without_a_descriptor_nobody_joins_and_later_he_does)
{
	struct heard heard = {.port = {.home = {.run = on_home}, .loop = &loops[0], .number = SIGUSR1}};
	struct rlimit limit, none;
	struct sigaction now;

	begin();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(signal_hub_join(&heard.port), EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &now), 0);
	ck_assert((now.sa_flags & SA_SIGINFO) == 0);
	join(&heard, 0, SIGUSR1);
	send(SIGUSR1);
	await(&heard, 1);
	leave(&heard);
	end();
}
END_TEST

static atomic_bool refuse; /* to make threads */

int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
	int (*real)(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return atomic_load(&refuse) ? EAGAIN : real(thread, attributes, fn, arg);
}

START_TEST(without_a_thread_nobody_joins_and_later_he_does)
{
	struct heard heard = {.port = {.home = {.run = on_home}, .loop = &loops[0], .number = SIGUSR1}};

	begin();
	atomic_store(&refuse, true);
	ck_assert_int_eq(signal_hub_join(&heard.port), EAGAIN);
	ck_assert_int_eq(signal_hub_join(&heard.port), EAGAIN);
	atomic_store(&refuse, false);
	join(&heard, 0, SIGUSR1);
	send(SIGUSR1);
	await(&heard, 1);
	leave(&heard);
	end();
}
END_TEST

START_TEST(its_end_puts_the_actions_back_and_it_may_begin_again)
{
	struct sigaction now;
	struct heard heard;

	begin();
	/* Whoever runs the tests may ignore it. */
	ck_assert(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
	signal_hub_finish();
	for (int i = 0; i < 2; i++) {
		join(&heard, 0, SIGUSR1);
		send(SIGUSR1);
		await(&heard, 1);
		leave(&heard);
		signal_hub_finish();
		ck_assert_int_eq(sigaction(SIGUSR1, NULL, &now), 0);
		ck_assert((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL);
	}
	end();
}
END_TEST

CHECK_MAIN("io/signal_hub",
	what_the_container_does_not_need_may_be_had,
	a_signal_comes_to_the_loop_with_who_sent_it_and_is_taken_once,
	all_ways_to_send_one_say_who_did_and_the_kernel_is_nobody,
	what_comes_before_the_visit_comes_with_one_visit,
	each_port_hears_of_its_signal_only,
	what_came_before_a_port_is_for_those_who_were_there,
	a_port_that_leaves_says_whether_it_is_still_on_its_way,
	a_port_that_has_left_hears_nothing_more_and_the_others_do,
	without_a_descriptor_nobody_joins_and_later_he_does,
	without_a_thread_nobody_joins_and_later_he_does,
	its_end_puts_the_actions_back_and_it_may_begin_again)
