/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the tasks of a cell get listening sockets from: the master has them.
 *
 *	task ---> control thread ---> master
 *	     <---                <---         with the descriptor
 *
 * A task that does not wait for the end of it leaves what it asked for to the answer, which
 * closes the descriptor.
 */
#ifndef BAY_CELL_LISTENER_SOURCE_H
#define BAY_CELL_LISTENER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct loop;

/* Whether a service is there with this generation, which may listen. On the control thread. */
typedef bool listener_generation_fn(const char *service, int64_t generation, void *arg);

/* From now on listener_source_ask asks the master, over control, whose loop this is. They and
 * arg are borrowed. Control thread only. */
void listener_source_begin(struct control *control, struct loop *loop,
	listener_generation_fn *generation, void *arg);

/* A listener_source_fn. Inside a task of a service; suspends. */
int listener_source_ask(const char *address, int backlog, int *fd_r, char *error_r, size_t error_size,
	int64_t deadline);

/* There are no tasks any more. Control thread only. */
void listener_source_end(void);

#endif
