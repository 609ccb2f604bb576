/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls and messages that come to a service from outside the cell, by way of the master.
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_OUTSIDE_CALL_H
#define BAY_CELL_OUTSIDE_CALL_H

#include <stdint.h>

struct control;
struct loop;
struct varlink_call;
struct varlink_fds;

/* Does what the call CELL_CALL asks for and answers it on control, now or when it has
 * ended. loop is the control thread's. */
void outside_call_begin(struct control *control, struct loop *loop, const struct varlink_call *call,
	struct varlink_fds *fds);

#endif
