/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two cells with a link between them: the test is cell "a", with loops and services as in
 * services.h, and a child process is cell "b", or the other end is in the test's own hand.
 *
 *	struct other_cell other = other_cell_start(1, serve);   serve() starts the services of b
 *
 *	two_cells_begin(1);
 *	other_cell_link(&other);
 *	far = two_cells_elsewhere("far", 0);                    a service of b
 *	...
 *	other_cell_stop(&other);
 *	two_cells_end();
 */
#ifndef BAY_TESTS_SUPPORT_TWO_CELLS_H
#define BAY_TESTS_SUPPORT_TWO_CELLS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/link.h"

struct bay_service;

/* What cell a was told of its links. */
struct two_cells {
	atomic_int wanted;          /* times that a link was asked for */
	atomic_int broken;
	atomic_int closed;          /* at the other end */
	const char *_Atomic why;    /* the last one was */
};
extern struct two_cells two_cells;

struct other_cell {
	pid_t pid;
	int fd;                     /* its end of file ends the child in order */
	uint64_t epoch;             /* our end of the link: */
	int memory_fd;
	int socket_fd;
};

/* Cell a, with that many loops of their own. */
void two_cells_begin(unsigned loops);
void two_cells_end(void);

/* services_check_nothing_left(), once the links of cell a have ended. */
void two_cells_check_nothing_left(void);

/* A service that is in the other cell. */
struct bay_service *two_cells_elsewhere(const char *name, unsigned retry);

/* Starts a cell b of one loop, gives it its end of a link with that number, and waits until it
 * serves. Before two_cells_begin(), since it is a fork. */
struct other_cell other_cell_start(uint64_t epoch, void (*serve)(void));

/* Gives cell a the other end. */
void other_cell_link(struct other_cell *other);

/* Ends it in order; or at once, as a crash would. */
void other_cell_stop(struct other_cell *other);
void other_cell_kill(struct other_cell *other);

/* Gives cell a a link whose other end is in the test's hand. */
void two_cells_by_hand(uint64_t epoch, struct link *end_r);

/* Waits until cell a has closed a link for a reason: returns that. */
const char *two_cells_await_broken(int times);

#endif
