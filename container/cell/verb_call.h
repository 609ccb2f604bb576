/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An admin verb of a plugin, done for the master: its arguments are checked here, its handler
 * runs as a task of the service's first instance.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_VERB_CALL_H
#define BAY_CELL_VERB_CALL_H

struct control;
struct host;
struct loop;
struct varlink_call;

/* Does what the call CELL_DO asks for and answers it on control, now or when it has ended.
 * loop is the control thread's. */
void verb_call_begin(struct control *control, struct loop *loop, struct host *host,
	const struct varlink_call *call);

#endif
