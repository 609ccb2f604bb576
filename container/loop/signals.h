/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals as events of a libevent base, handled between other events and not in the middle
 * of them. A process has one base that does this.
 *
 * On the base's thread only.
 */
#ifndef BAY_LOOP_SIGNALS_H
#define BAY_LOOP_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct signals;

typedef void signals_fn(int signal, void *arg);

/*
 * Blocks the signals in the calling thread and those it starts later. At the start of a
 * process, so that none kills it before there is somebody to handle it; signals_watch
 * unblocks them.
 */
void signals_block(const int *numbers, size_t count);

/* Calls fn(signal, arg) for each of them until signals_destroy. NULL: no memory. */
struct signals *signals_watch(struct event_base *base, const int *numbers, size_t count,
	signals_fn *fn, void *arg)
	__attribute__((warn_unused_result));

/* Stops watching and gives the signals their default action. NULL is allowed. */
void signals_destroy(struct signals *signals);

/* Writing to a closed pipe or socket is an error value, not the end of the process. */
void signals_ignore_sigpipe(void);

#endif
