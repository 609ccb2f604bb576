/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that a sandboxed process is refused, by seccomp of the kernel and libseccomp,
 * which is optional. Part of the sandbox; see sandbox.h.
 */
#ifndef BAY_MASTER_SANDBOX_CALLS_H
#define BAY_MASTER_SANDBOX_CALLS_H

#include <stdbool.h>

/* Whether bayd has been built with libseccomp. */
bool sandbox_calls_are_there(void);

/* In the child that is to be sandboxed, which has given up new privileges. landlock is the version
 * that it uses: what that does not refuse is refused here, by wider rules. As sandbox_enter. */
bool sandbox_calls_enter(int landlock, const char **step_r)
	__attribute__((warn_unused_result));

#endif
