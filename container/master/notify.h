/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the service manager how we are (the sd_notify protocol: a datagram to the socket
 * that $NOTIFY_SOCKET names). Without that variable nothing happens. Master only.
 */
#ifndef BAY_MASTER_NOTIFY_H
#define BAY_MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify;

/* Opens what $NOTIFY_SOCKET names and takes the variable out of the environment, so that
 * no child speaks in our name. Returns NULL when there is nobody to tell; one that cannot
 * be reached is logged. */
struct notify *notify_open(void);

/* Within what time the service manager wants to hear WATCHDOG=1 from this process ($WATCHDOG_USEC,
 * $WATCHDOG_PID, which notify_open has taken out of the environment, too); 0: never. NULL is fine. */
int64_t notify_watchdog_ns(const struct notify *notify);

/* NULL is fine. */
void notify_close(struct notify *notify);

/*
 * Sends assignments such as "READY=1\nSTATUS=3 services". False: it could not be sent,
 * which is logged the first time. NULL is fine and true.
 */
bool notify_send(struct notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
