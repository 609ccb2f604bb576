/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices tasks that wait for each other, without being asked. Where nothing has run since the
 * last look nothing can have changed, so a cell that is idle is not looked at, nor one that
 * stands still in a deadlock; and a look takes no more than a thousandth of a loop's time.
 *
 * Control thread only.
 */
#ifndef BAY_CELL_DEADLOCK_WATCH_H
#define BAY_CELL_DEADLOCK_WATCH_H

struct deadlock_watch;
struct executor;
struct loop;
struct status_page;

/* Tasks of a service are in that circle now, or, without a text, in none any more. */
typedef void deadlock_told_fn(const char *service, const char *circle, void *arg);

/* All is borrowed until destroy. */
struct deadlock_watch *deadlock_watch_create(struct loop *loop, struct executor *executor,
	const struct status_page *page, deadlock_told_fn *told, void *arg);

/* Once the loops have ended and the inbox of this one is empty. NULL is fine. */
void deadlock_watch_destroy(struct deadlock_watch *watch);

#endif
