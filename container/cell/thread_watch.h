/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices threads that code of a plugin has begun and left running. They are given a moment to
 * end, and told of when they can only be that code's: so not while other code in the cell begins
 * threads, too. Control thread only.
 */
#ifndef BAY_CELL_THREAD_WATCH_H
#define BAY_CELL_THREAD_WATCH_H

#include "base/threads.h"

struct bay_service;
struct loop;
struct thread_watch;

/* So many threads of a service run on. */
typedef void thread_left_fn(const struct bay_service *service, size_t count, void *arg);

struct thread_watch *thread_watch_create(struct loop *loop, thread_left_fn *left, void *arg);

/* What it was to look at yet is forgotten. NULL is fine. */
void thread_watch_destroy(struct thread_watch *watch);

/* Code of the service has ended. before: the threads that were not ours before it was loaded, which
 * this takes; after: the same when what replaced it was, or NULL. Its own are in between. */
void thread_watch_ended(struct thread_watch *watch, const struct bay_service *service,
	struct thread_ids *before, const struct thread_ids *after);

#endif
