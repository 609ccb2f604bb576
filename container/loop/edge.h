/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor that a loop watches for as long as it is open, in both directions: for
 * connections, whose owners try first and wait only when the kernel has nothing. What comes
 * is told once, when it comes (edge-triggered), so nothing is armed for a wait and nothing
 * disarmed after it.
 *
 *	edge_begin(&stream->edge, loop, fd, stream_on_edge)
 *	...
 *	edge_end(&stream->edge);       before close(2)
 *
 * It has a set of the kernel's (epoll) beside libevent's: that neither tells an error from
 * something to read, without which a short read cannot be trusted to have been the last, nor
 * lets others wait for the same descriptor in their way. The loop sleeps on both, as the set
 * is itself a descriptor of libevent's.
 *
 * Owning thread only.
 */
#ifndef BAY_LOOP_EDGE_H
#define BAY_LOOP_EDGE_H

#include <stdbool.h>

struct edge;
struct edge_set;
struct loop;

enum {
	EDGE_READABLE = 1,
	EDGE_WRITABLE = 2,
	/* An error, the end of a direction, urgent data: whatever is tried, it has to be tried
	 * until the kernel has nothing more to say. */
	EDGE_ODD = 4
};

/* What has come. May end the edge. */
typedef void edge_fn(struct edge *edge, unsigned what);

/* Part of the caller's struct (container_of); zeroed, it has not begun. */
struct edge {
	struct loop *loop;  /* NULL: not watched */
	edge_fn *fn;
	int fd;
};

/* Begins to watch; what is there already is told soon. False: it cannot be watched (a file
 * on a disk), or out of memory or descriptors; errno says why. The descriptor is borrowed. */
bool edge_begin(struct edge *edge, struct loop *loop, int fd, edge_fn *fn)
	__attribute__((warn_unused_result));

/* Watches no longer; nothing is told any more. Nothing happens to one that has ended. */
void edge_end(struct edge *edge);

/* The loop's own: frees its set. */
void edge_set_destroy(struct edge_set *set);

#endif
