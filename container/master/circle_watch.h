/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices tasks of several cells that wait for each other, without being asked.
 *
 *	cell a ── Standstill{true} ──► here ◄── Standstill{true} ── cell b
 *	cell a ◄── Tasks, twice ── wait_ask.h ── Tasks, twice ──► cell b
 *	                          circle: a fault of each service on it
 *
 * A cell says when its tasks have waited for other cells for a while (cell/deadlock_watch.h). On each circle
 * there is such a wait of each of its cells, so one that has not said so is not asked for anything, nor is
 * one that is alone in it. While there are several, they are asked again, less and less often, and never so
 * often that it took their event loops more than a thousandth of their time.
 *
 * A fault is over when its circle is not there any more. While a cell on it does not tell all, it may be.
 * Part of the supervisor. Master only; never suspends.
 */
#ifndef BAY_MASTER_CIRCLE_WATCH_H
#define BAY_MASTER_CIRCLE_WATCH_H

#include <stdbool.h>

struct circle_watch;
struct event_base;
struct master_cell;
struct supervisor;

/* Both are borrowed. */
struct circle_watch *circle_watch_create(const struct supervisor *supervisor, struct event_base *base);

/* Once all cells are closed. NULL is fine. */
void circle_watch_destroy(struct circle_watch *watch);

/* Tasks of the cell wait for others and stand still, or none do any more, as when it has ended. */
void circle_watch_note(struct circle_watch *watch, const struct master_cell *cell, bool stands);

#endif
