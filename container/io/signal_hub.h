/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the signals of the process come in that somebody is subscribed to. A handler, on
 * whichever thread the kernel chose, counts and wakes a thread of ours; that gives each
 * subscriber's loop its part. The thread is made at first use. It lets the signals in that all
 * other threads block.
 *
 *	kill() --> handler: count --> thread --> port->count, loop_post --> port->home.run
 */
#ifndef BAY_IO_SIGNAL_HUB_H
#define BAY_IO_SIGNAL_HUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bay/signal.h>

#include "base/list.h"
#include "loop/inbox.h"

struct loop;

/* A subscriber. */
struct signal_port {
	struct inbox_item home;        /* .run: on its loop, when something has come */
	struct loop *loop;
	int number;
	struct list _link;
	_Atomic uint64_t _count;
	_Atomic pid_t _pid;
	_Atomic uid_t _uid;
	atomic_bool _posted;
};

/* Whether a service may have it; else *why_r is the reason, in words. */
bool signal_hub_allows(int number, const char **why_r);

/* Lets signals come to the port, of which loop, number and home.run are set. 0, or the errno of
 * why that cannot be. */
int signal_hub_join(struct signal_port *port);

/* No more of them. On the port's loop. True: it is still on its way home, where
 * signal_port_take() has to be called once more before it may go. */
bool signal_hub_leave(struct signal_port *port);

/* What has come with this visit; false: nothing. In home.run. */
bool signal_port_take(struct signal_port *port, struct bay_signal_info *info_r);

/* Ends the thread. When nobody is subscribed any more. */
void signal_hub_finish(void);

#endif
