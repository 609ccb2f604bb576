/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives cells links to each other: memory that two of them share, and a socket by which they wake
 * each other. The master makes both, hands the ends out, and keeps nothing: what goes over a link
 * is between the two cells.
 *
 *	cell a ── Connect{b} ──► master
 *	cell a ◄── Link{b, epoch, side 0} + memory, socket end ── master
 *	cell b ◄── Link{a, epoch, side 1} + memory, socket end ── master
 *	cell a ◄── {} ── master
 *
 * Two cells have one link at most. It goes away with either of them, of which the other hears as
 * Peer{cell, ready: false}, or when one says Broken: what came over it could not be, and the other
 * is told that it has ended. Then they get another one after a rest, which is longer each time.
 *
 * Part of the supervisor. Master only; never suspends.
 */
#ifndef BAY_MASTER_LINK_BROKER_H
#define BAY_MASTER_LINK_BROKER_H

#include <stdint.h>

#include <bay/status.h>

struct buffer;
struct event_base;
struct link_broker;
struct master_cell;
struct supervisor;

/* Both are borrowed. */
struct link_broker *link_broker_create(const struct supervisor *supervisor, struct event_base *base);

/* NULL is fine. */
void link_broker_destroy(struct link_broker *broker);

/* The cell asks for a link to the one of this name. Else, with the reason appended to error:
 * BAY_NOT_FOUND, there is no such cell; BAY_CLOSED, it takes none now; BAY_BUSY, there is one
 * already, or they rest; BAY_INVALID, it is the cell itself; BAY_IO, the system has no memory or descriptors. */
enum bay_status link_broker_connect(struct link_broker *broker, struct master_cell *cell,
	const char *to, struct buffer *error)
	__attribute__((warn_unused_result));

/* The cell takes links from now on: it hears of the others, and they hear of it. */
void link_broker_cell_ready(struct link_broker *broker, struct master_cell *cell);

/* Its process has ended, and its links with it. */
void link_broker_cell_ended(struct link_broker *broker, struct master_cell *cell);

/* The cell has closed its end of the link with this epoch, for this reason; NULL: the other end was
 * closed, which is no matter if that cell ends. */
void link_broker_broken(struct link_broker *broker, struct master_cell *cell, const char *other,
	int64_t epoch, const char *reason);

#endif
