/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper threads of the process, for functions that block. A job waits in its lane until
 * a thread takes it, and when it is through it comes home through the inbox of its loop.
 *
 *	lane a  [j1][j2][j3]  2 of at most 2 run -------- not ready
 *	lane b  [j4]          0 of at most 8 run --+
 *	lane c  [j5][j6]      1 of at most 8 run --+--> ready, in turn --> thread --> loop_post
 *
 * Threads are made when more jobs could run than threads are idle, and end when they have
 * been idle for a while. Each lane is served in the order of coming, and no lane can keep all
 * threads from the others.
 */
#ifndef BAY_IO_BLOCKING_POOL_H
#define BAY_IO_BLOCKING_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "loop/inbox.h"
#include "runtime/await.h"

struct loop;

enum {
	BLOCKING_THREADS = 16,      /* unless somebody says otherwise */
	BLOCKING_LANE_THREADS = 8,  /* of them for one lane */
	BLOCKING_LANE_QUEUE = 1024  /* jobs that wait in one lane */
};

/* Under the lock of the pool. */
struct blocking_lane {
	struct list in_ready;   /* while it has jobs that may begin */
	struct list queue;      /* struct blocking_job._link: have not begun */
	size_t queued;
	unsigned running;
	unsigned limit;         /* running never exceeds it by a new job */
};

/* Made by the caller, and its own again when it comes home or was withdrawn. */
struct blocking_job {
	struct inbox_item home;               /* .run: on its loop, when it is through */
	struct loop *loop;
	void (*run)(struct blocking_job *job);/* on a helper thread */
	struct await_elsewhere elsewhere;     /* who this is, while it runs */
	struct blocking_lane *_lane;
	struct list _link;                    /* in lane->queue, or in none: it has begun */
};

/* Threads at most, and how long one is kept idle; 0: as it was. Any thread. */
void blocking_pool_set_limits(unsigned threads, int64_t idle_ns);

/* Ends all threads and waits for them: nothing may be in a lane. */
void blocking_pool_finish(void);

/* How many threads there are. Any thread. */
unsigned blocking_pool_threads(void);

void blocking_lane_init(struct blocking_lane *lane);

/* How many jobs of it run at once; 0: the usual. Any thread. */
void blocking_lane_set_limit(struct blocking_lane *lane, unsigned limit);

/* Leaves a job. BAY_OK: it will run and come home. Else it never will: BAY_FULL, or
 * BAY_NO_MEMORY when no thread can be made. Any thread; never suspends. */
int blocking_submit(struct blocking_lane *lane, struct blocking_job *job);

/* Takes a job back. False: it has begun, and comes home. Any thread; never suspends. */
bool blocking_withdraw(struct blocking_job *job);

#endif
