/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the log of loops that a task keeps from all others, while it happens and when it is over.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_LOOP_WATCH_H
#define BAY_MASTER_LOOP_WATCH_H

struct event_base;
struct loop_watch;
struct master;

/* master is borrowed. NULL: no memory. */
struct loop_watch *loop_watch_create(struct event_base *base, const struct master *master)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void loop_watch_destroy(struct loop_watch *watch);

#endif
