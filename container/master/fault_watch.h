/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices by the figures of the services what goes wrong with them while they serve: a flood that
 * their queue refuses, limits that they meet, subscriptions that lose messages. Each begins with
 * the first message or request that is refused, and is over when there was none for a while.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_FAULT_WATCH_H
#define BAY_MASTER_FAULT_WATCH_H

struct event_base;
struct fault_watch;
struct master;

/* master is borrowed. NULL: no memory. */
struct fault_watch *fault_watch_create(struct event_base *base, const struct master *master)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void fault_watch_destroy(struct fault_watch *watch);

#endif
