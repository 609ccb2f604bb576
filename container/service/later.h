/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that an instance sends later: bay_send_later(). Each is a timer on the loop's wheel,
 * and, when its time comes and the queue is full and lets senders wait, a ticket before that
 * queue. None has a task or a stack.
 *
 *	TIMER ---- its time ---> sent
 *	              \---> TICKET, stands before the queue ---> has come home: sent
 *
 * Owning loop only.
 */
#ifndef BAY_SERVICE_LATER_H
#define BAY_SERVICE_LATER_H

#include <stdbool.h>
#include <stddef.h>

struct bay_instance;

/* Messages of one instance that have not been sent. */
#define LATER_MAX 65536

/* Drops what has not been sent, which the log then says, and takes no more. False: some have
 * just got their places, and the instance has to wait until it has heard so
 * (instance->quiet). */
bool later_end(struct bay_instance *instance);

/* Lets to, an instance on the same loop, send what from has not sent. Ids stay good there, if to
 * has sent nothing later yet. What finds no room there stays. */
void later_move(struct bay_instance *from, struct bay_instance *to);

/* How many have not been sent. */
size_t later_count(const struct bay_instance *instance);

/* Gives its memory back. later_end() has said true. */
void later_finish(struct bay_instance *instance);

#endif
