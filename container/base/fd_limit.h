/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many descriptors a process may have open. The soft limit that people start with is often
 * 1,024, for the sake of programs that use select(); who does not can have the hard one, but
 * should not pass it on to programs that it does not know. While there is one thread.
 */
#ifndef BAY_BASE_FD_LIMIT_H
#define BAY_BASE_FD_LIMIT_H

#include <stdbool.h>

/* Raises the soft limit to the hard one, and keeps in mind what it was. */
void fd_limit_raise(void);

/* Makes the soft limit again what it was before it was raised: after a fork, for the program
 * to be executed. False: it cannot (errno). */
bool fd_limit_restore(void)
	__attribute__((warn_unused_result));

#endif
