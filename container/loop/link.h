/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This side of a link: the memory, the ends of its two rings, and a socket by which the sides
 * wake each other when one of them sleeps. Nothing is ever sent on it that means anything else,
 * and its end of file says that the other process is no more.
 *
 *	link_open                   any thread
 *	link_begin ... link_end     the loop that reads; on_news is called there
 *	link_close                  any thread, when nobody uses it
 */
#ifndef BAY_LOOP_LINK_H
#define BAY_LOOP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/glance.h"
#include "loop/link_memory.h"
#include "loop/link_ring.h"

struct event;
struct link;
struct loop;

/* Something may have come, or there is room again, or the other process has ended (link->gone).
 * Returns whether there was anything to do. Does not end the link. */
typedef bool link_news_fn(struct link *link);

/* The loop is about to sleep, and will look once more: who waits for room says so now. */
typedef void link_sleep_fn(struct link *link);

struct link {
	struct link_writer out;
	struct link_reader in;
	bool gone;                 /* the other process has closed its end */
	struct link_memory _memory;
	struct glance _glance;
	struct event *_event;
	link_news_fn *_on_news;
	link_sleep_fn *_on_sleep;
	unsigned _idle_wakes;
	unsigned _side;
	int _fd;
};

/* As side 0 or 1. Takes both descriptors. False: they are not the link with that number, and
 * why. */
bool link_open(struct link *link, int memory_fd, int socket_fd, unsigned side, uint64_t epoch,
	const char **why_r)
	__attribute__((warn_unused_result));

void link_close(struct link *link);

/* From now on the loop looks at it. False: no memory or no descriptors. */
bool link_begin(struct link *link, struct loop *loop, link_news_fn *on_news, link_sleep_fn *on_sleep)
	__attribute__((warn_unused_result));

void link_end(struct link *link);

/* Leaves word for the other side that we crash over its request with this number. In a handler of a
 * signal. */
void link_blame(const struct link *link, uint64_t id);

/* What the other side has left, 0: nothing. As long as it is open; a stranger's word. */
uint64_t link_blamed(const struct link *link);

/* Leaves word for the other side that we end in order, and do not crash. What the other
 * side has left: as long as it is open; a stranger's word. */
void link_leave(const struct link *link);
bool link_has_left(const struct link *link);

/* Ends the sleep of the other side. Any thread. */
void link_wake(struct link *link);

#endif
