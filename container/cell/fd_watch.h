/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices descriptors that are opened and not closed by code of plugins: those that bay_*
 * functions open are known, and are closed with their service. The lowest number that is free says
 * how many there are at the least, for the price of two system calls. Who opened them nobody has
 * seen: it was a service that worked whenever they became more, and mostly then.
 *
 * Control thread only.
 */
#ifndef BAY_CELL_FD_WATCH_H
#define BAY_CELL_FD_WATCH_H

struct cell_fault;
struct fd_watch;
struct loop;

typedef void fd_fault_fn(const struct cell_fault *fault, void *arg);

/* All is borrowed until destroy. */
struct fd_watch *fd_watch_create(struct loop *loop, fd_fault_fn *told, void *arg);

/* NULL is fine. */
void fd_watch_destroy(struct fd_watch *watch);

#endif
