/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an address can be written to, tried out in a child. */
#ifndef BAY_TESTS_FIBER_WRITE_FAULTS_H
#define BAY_TESTS_FIBER_WRITE_FAULTS_H

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

static uint8_t *volatile write_faults_expected;

static inline void
write_faults_handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	_exit(info->si_addr == (void *)write_faults_expected ? 42 : 43);
}

/* Whether a write there is a SIGSEGV at that address. Tried in a child. */
static inline bool
write_faults(uint8_t *address)
{
	struct sigaction action = {.sa_sigaction = write_faults_handler, .sa_flags = SA_SIGINFO};
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		sigaction(SIGSEGV, &action, NULL);
		write_faults_expected = address;
		*(volatile uint8_t *)address = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), 43);
	return WEXITSTATUS(status) == 42;
}

#endif
