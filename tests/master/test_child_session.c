/* SPDX-License-Identifier: BSD-2-Clause */
/* A process lives as long as the pipe that it holds has not ended. */
#include "config.h"

#include "master/child_session.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check_main.h"

enum { MEMBERS = 5 };

static void __attribute__((noreturn))
stay(void)
{
	alarm(60);
	for (;;)
		pause();
}

/* One in the leader's group, others in groups of their own, one with a child in its group, one
 * with a name that is hard to read. */
static void
become_member(int number, int told)
{
	if (number > 0)
		setpgid(0, 0);
	if (number == 2 && fork() == 0)
		prctl(PR_SET_NAME, ") Z 1 1 1 (");
	if (write(told, "x", 1) != 1)
		_exit(1);
	stay();
}

static void __attribute__((noreturn))
lead(int told)
{
	setsid();
	for (int i = 0; i < MEMBERS; i++)
		if (fork() == 0)
			become_member(i, told);
	_exit(3);
}

/* Reads bytes, one of each process that has begun. */
static void
read_bytes(int fd, int count)
{
	char byte;

	while (count-- > 0)
		ck_assert_int_eq(read(fd, &byte, 1), 1);
}

START_TEST(all_of_a_session_end_and_nobody_else)
{
	int alive[2], other[2], status;
	pid_t leader, bystander;
	siginfo_t info;
	char byte;

	ck_assert_int_eq(pipe(other), 0);
	bystander = fork();
	if (bystander == 0)
		become_member(0, other[1]);
	close(other[1]);
	read_bytes(other[0], 1);
	ck_assert_int_eq(pipe(alive), 0);
	leader = fork();
	if (leader == 0)
		lead(alive[1]);
	close(alive[1]);
	read_bytes(alive[0], MEMBERS + 1);
	ck_assert_int_eq(waitid(P_PID, (id_t)leader, &info, WEXITED | WNOWAIT), 0);
	child_session_end(leader);
	ck_assert_int_eq(read(alive[0], &byte, 1), 0);
	ck_assert_int_eq(waitpid(leader, &status, 0), leader);
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	ck_assert_int_eq(waitpid(bystander, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(bystander, SIGKILL), 0);
	ck_assert_int_eq(waitpid(bystander, &status, 0), bystander);
	close(alive[0]);
	close(other[0]);
}
END_TEST

START_TEST(a_session_with_nobody_left_is_fine)
{
	siginfo_t info;
	pid_t leader = fork();

	if (leader == 0) {
		setsid();
		_exit(0);
	}
	ck_assert_int_eq(waitid(P_PID, (id_t)leader, &info, WEXITED | WNOWAIT), 0);
	child_session_end(leader);
	ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
}
END_TEST

CHECK_MAIN("master/child_session",
	all_of_a_session_end_and_nobody_else,
	a_session_with_nobody_left_is_fine)
