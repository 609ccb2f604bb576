/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the code under test wrote to the log, for tests of what it says.
 *
 *	log_lines_keep();
 *	...
 *	ck_assert_int_eq(log_lines_with("replied twice"), 1);
 *
 * Any thread.
 */
#ifndef BAY_TESTS_SUPPORT_LOG_LINES_H
#define BAY_TESTS_SUPPORT_LOG_LINES_H

/* Keeps lines from now on, and forgets what was kept. */
void log_lines_keep(void);

/* How many of the kept lines have this part in "subject: text". */
int log_lines_with(const char *part);

#endif
