/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which threads of this process are the container's own, and so which are others': those that
 * code of plugins, or a library of it, has begun. Any thread.
 */
#ifndef BAY_BASE_THREADS_H
#define BAY_BASE_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The calling thread is one of the container's, with that name (at most 15 bytes), and is to
 * say so before it ends. */
void threads_begin(const char *name);
void threads_end(void);

/* Thread ids, in their order. Zeroed: none. */
struct thread_ids {
	pid_t *ids;
	size_t count;
};

/* Those of the process that are not the container's, nor the first. None where /proc cannot be
 * read. */
void threads_find_foreign(struct thread_ids *ids_r);
void thread_ids_finish(struct thread_ids *ids);

/* NULL: holds none. */
bool thread_ids_has(const struct thread_ids *ids, pid_t id);

#endif
