/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a child has started and not ended: the processes of its session, whatever groups they
 * have made in it. Master only.
 */
#ifndef BAY_MASTER_CHILD_SESSION_H
#define BAY_MASTER_CHILD_SESSION_H

#include <sys/types.h>

/* Kills all of the session but its leader, who has ended and not been reaped: so its number is
 * nobody else's. */
void child_session_end(pid_t leader);

#endif
