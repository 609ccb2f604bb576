/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the service manager again and again that the event loop comes round, where it wants to hear
 * that ($WATCHDOG_USEC). When bayd hangs, it hears nothing more and may replace it. Master only;
 * never suspends.
 */
#ifndef BAY_MASTER_HEARTBEAT_H
#define BAY_MASTER_HEARTBEAT_H

#include <stdbool.h>

struct event_base;
struct heartbeat;
struct notify;

/* Begins at once; notify is borrowed. False: no memory. *heartbeat_r is NULL where nobody wants to
 * hear it. */
bool heartbeat_create(struct event_base *base, struct notify *notify, struct heartbeat **heartbeat_r)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void heartbeat_destroy(struct heartbeat *heartbeat);

#endif
