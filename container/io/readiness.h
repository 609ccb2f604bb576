/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How tasks wait for one descriptor again and again. For reading it is registered once,
 * edge-triggered, and no wait asks the kernel for anything. For writing, which seldom has to
 * be waited for, it is registered by a wait: the kernel would tell of room after every
 * datagram that was sent.
 *
 *	turn = readiness_take(line);
 *	for (;;) {
 *		if (turn && line->maybe) {
 *			got = recv(...);
 *			if (got >= 0 || errno != EAGAIN)
 *				break;
 *			line->maybe = false;
 *		}
 *		status = readiness_await(line, &turn, waitable, deadline);
 *		if (status != BAY_OK)
 *			return status;
 *	}
 *	readiness_pass(line);
 *
 * Edges, because libevent asks the kernel again and again in one poll as long as something is
 * ready: what nobody reads at once would hold the loop.
 *
 * Each direction has a line, in which one task at a time has its turn. Whoever comes stands
 * behind those who wait, and who has had its turn passes it on: each gets what it waits for in
 * the order of coming, and nobody is woken for nothing.
 *
 * A descriptor that is registered like this can be registered in no other way: who is to wait
 * for it with bay_wait_fd() gets a duplicate.
 *
 * Owning loop only.
 */
#ifndef BAY_IO_READINESS_H
#define BAY_IO_READINESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct event;
struct loop;
struct waitable;

/* One direction. */
struct readiness_line {
	struct list waiters;   /* struct waiter.link, oldest first */
	bool maybe;            /* nobody has found that it is not ready since the last edge */
	bool taken;            /* somebody has its turn; if not, and it may be ready, nobody waits */
	struct event *_event;
};

struct readiness {
	struct readiness_line reading;
	struct readiness_line writing;
};

/* Registers the descriptor, which is non-blocking and borrowed until readiness_finish(). False:
 * the kernel cannot wait for it, or no memory; nothing is left to be finished. */
bool readiness_init(struct readiness *readiness, struct loop *loop, int fd)
	__attribute__((warn_unused_result));

/* Before the descriptor is closed: wakes who waits with status. */
void readiness_finish(struct readiness *readiness, int status);

/* Takes the turn, if it is free. */
bool readiness_take(struct readiness_line *line);

/* Waits until it is the running task's turn and the descriptor may be ready; gives the turn back
 * first when it has it (*turn). BAY_OK: it has the turn. Else it has not, and the line may be
 * gone. of is what the task list calls what is waited for. Inside a task; suspends. */
int readiness_await(struct readiness_line *line, bool *turn, const struct waitable *of, int64_t deadline);

/* Gives the turn, which the running task has, to who has waited longest. */
void readiness_pass(struct readiness_line *line);

#endif
