/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks of several cells that wait for each other: the waits that the cells tell of, put together where
 * a request of the one is with the other.
 *
 *	main:  task 7 -> request ~sent~                     ~served~ request -> task 9
 *	risky:                   ~served~ request -> queue -> task 3 -> request ~sent~
 *
 * The cells do not answer at the same moment. So each is asked twice: a wait that was there when the last of
 * them had answered for the first time, and is the same when the first of them answers again, was there together with
 * all others of which this is true. What cells say is data of strangers: whatever it is, a graph comes of it.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_WAIT_JOIN_H
#define BAY_MASTER_WAIT_JOIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct wait_join;

/* Whether the service is in that cell, so that its queue is. */
typedef bool wait_owns_fn(const char *cell, const char *service, const void *arg);

/* arg is borrowed. */
struct wait_join *wait_join_create(wait_owns_fn *owns, const void *arg)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void wait_join_destroy(struct wait_join *join);

/* What a cell told as its "waits" (protocol/cell_link.h); NULL: nothing. The first time, and again. */
void wait_join_add(struct wait_join *join, const char *cell, const json_t *waits);
void wait_join_add_again(struct wait_join *join, const char *cell, const json_t *waits);

/* Whether some of it would wait for ever, so that it is worth to ask again; and whether a cell is
 * among those that have to be asked. */
bool wait_join_is_stuck(struct wait_join *join);
bool wait_join_has(const struct wait_join *join, const char *cell);

/* All have been asked twice: says of each task (objects with cell, loop and id) in which circle it is, as
 * its "deadlock", unless it has one. */
void wait_join_mark(struct wait_join *join, json_t *tasks);

/* A node on a circle. */
struct wait_member {
	const char *cell;
	const char *service; /* whose it is, as the cell says; NULL: nobody's */
};

typedef void wait_circle_fn(const struct wait_member *members, size_t count, const char *text, void *arg);

/* All have been asked twice: calls fn for circles through more than one cell, until each service that is on such a
 * one was in some. Instead of wait_join_mark. False: there are so many that not all were looked for. */
bool wait_join_circles(struct wait_join *join, wait_circle_fn *fn, void *arg);

#endif
