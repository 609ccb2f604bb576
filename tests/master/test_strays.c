/* SPDX-License-Identifier: BSD-2-Clause */
/* Children are shell scripts that say in a pipe, which is their 3, what they leave behind. */
#include "config.h"

#include "master/strays.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "master/child.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"

/* Starts the script and waits for the first number that it says: a process. */
static pid_t
start(struct child *child, const char *script)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct child_options options = {.path = "/bin/sh", .argv = argv, .cell_name = "main",
		.fd_count = 1};
	struct buffer error = {0};
	char word[32] = "";
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	options.fds[0] = fds[1];
	ck_assert_msg(child_spawn(&options, child, &error), "%s", buffer_text(&error));
	close(fds[1]);
	for (size_t i = 0; i < sizeof(word) - 1 && read(fds[0], &word[i], 1) == 1 && word[i] != '\n';)
		i++;
	close(fds[0]);
	ck_assert_int_gt(atoi(word), 0);
	return atoi(word);
}

static void
pause_shortly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Nobody's zombie either: it has been reaped. */
static bool
is_gone(pid_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH;
}

static void
sweep_until_gone(pid_t pid)
{
	while (!is_gone(pid)) {
		strays_sweep();
		pause_shortly();
	}
}

/* Whether it has become ours. */
static bool
is_adopted(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

START_TEST(what_leaves_the_group_of_a_child_ends_after_it)
{
	struct child child;
	pid_t pid;

	strays_adopt();
	pid = start(&child, "setsid sh -c 'echo $$ >&3; exec sleep 1000' & wait");
	child_kill(&child);
	child_reap(&child);
	sweep_until_gone(pid);
}
END_TEST

START_TEST(what_that_has_left_behind_itself_ends_too)
{
	struct child child;
	pid_t pid;

	strays_adopt();
	pid = start(&child,
		"setsid sh -c 'setsid sh -c \"echo \\$\\$ >&3; exec sleep 1000\" & wait' & wait");
	child_kill(&child);
	child_reap(&child);
	sweep_until_gone(pid);
}
END_TEST

START_TEST(what_a_living_child_has_left_behind_stays)
{
	struct child one, other;
	pid_t pid;

	strays_adopt();
	pid = start(&one, "(setsid sh -c 'echo $$ >&3; exec sleep 1000' &) ; exec sleep 1000");
	start(&other, "echo $$ >&3");
	while (!is_adopted(pid))
		pause_shortly();
	child_reap(&other);
	for (int i = 0; i < 10; i++)
		strays_sweep();
	ck_assert(is_adopted(pid));
	ck_assert(child_is_ours(one.pid));
	child_kill(&one);
	child_reap(&one);
	sweep_until_gone(pid);
}
END_TEST

START_TEST(who_hides_where_it_came_from_ends_with_the_last_child)
{
	struct child one, other;
	pid_t pid;

	strays_adopt();
	pid = start(&one, "(setsid env -i sh -c 'echo $$ >&3; exec sleep 1000' &) ; exec sleep 1000");
	start(&other, "echo $$ >&3; exec sleep 1000");
	while (!is_adopted(pid))
		pause_shortly();
	child_kill(&one);
	child_reap(&one);
	for (int i = 0; i < 10; i++)
		strays_sweep();
	ck_assert(is_adopted(pid));
	child_kill(&other);
	child_reap(&other);
	sweep_until_gone(pid);
}
END_TEST

START_TEST(the_dead_are_reaped_and_children_are_not)
{
	struct child child;
	pid_t pid;
	int status = 0;

	strays_adopt();
	pid = start(&child, "(setsid sh -c 'echo $$ >&3' &) ; exit 3");
	sweep_until_gone(pid);
	status = child_reap(&child);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
}
END_TEST

START_TEST(at_the_end_all_of_them_end)
{
	struct child child;
	pid_t pid;

	strays_adopt();
	pid = start(&child, "(setsid sh -c 'echo $$ >&3; exec sleep 1000' &) ; exec sleep 1000");
	while (!is_adopted(pid))
		pause_shortly();
	strays_end();
	ck_assert(is_gone(pid));
	child_kill(&child);
	child_reap(&child);
}
END_TEST

CHECK_MAIN("master/strays",
	what_leaves_the_group_of_a_child_ends_after_it,
	what_that_has_left_behind_itself_ends_too,
	what_a_living_child_has_left_behind_stays,
	who_hides_where_it_came_from_ends_with_the_last_child,
	the_dead_are_reaped_and_children_are_not,
	at_the_end_all_of_them_end)
