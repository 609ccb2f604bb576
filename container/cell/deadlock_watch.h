/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices tasks that wait for each other, without being asked. Where nothing has run since the
 * last look nothing can have changed, so a cell that is idle is not looked at, nor one that
 * stands still in a deadlock; and a look takes no more than a thousandth of a loop's time.
 *
 * Those that wait for tasks of other cells it cannot see the end of. It says whether there are such that
 * do so for a while, for who sees all cells (master/circle_watch.h).
 *
 * Control thread only.
 */
#ifndef BAY_CELL_DEADLOCK_WATCH_H
#define BAY_CELL_DEADLOCK_WATCH_H

#include <stdbool.h>

struct deadlock_watch;
struct executor;
struct loop;
struct status_page;

/* Tasks of a service are in that circle now, or, without a text, in none any more. */
typedef void deadlock_told_fn(const char *service, const char *circle, void *arg);

/* Tasks wait for other cells and have done so for a second or so; or none do any more. At first none do. */
typedef void deadlock_still_fn(bool stands, void *arg);

/* All is borrowed until destroy. */
struct deadlock_watch *deadlock_watch_create(struct loop *loop, struct executor *executor,
	const struct status_page *page, deadlock_told_fn *told, deadlock_still_fn *still, void *arg);

/* Once the loops have ended and the inbox of this one is empty. NULL is fine. */
void deadlock_watch_destroy(struct deadlock_watch *watch);

#endif
