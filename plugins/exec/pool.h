/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workers of an instance: no more at work than max_workers, which the slots of the instance
 * see to (a request that has one takes an idle worker or starts one), and no fewer than min_workers.
 * Those that are ending come on top. One that ends before it has answered anything makes us wait
 * before the next start, longer each time.
 */
#ifndef EXEC_POOL_H
#define EXEC_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bay_event;
struct bay_instance;
struct exec;
struct worker;

struct pool_settings {
	int64_t min_workers;
	int64_t max_workers;
	int64_t idle_time_ns;    /* 0: never too long */
	int64_t max_requests;    /* 0: any number */
	int64_t grace_ns;
};

enum { POOL_WHY_SIZE = 512 };

struct pool {
	struct exec *exec;
	struct worker **idle;      /* the last one was used last */
	size_t idle_count;
	size_t alive;              /* that begin, are idle or busy */
	size_t present;            /* that have an attendant */
	struct worker *first;      /* started by init; NULL: it has its attendant */
	struct bay_event *changed; /* a worker has ended, or we stop */
	bool stopping;
	unsigned failures;         /* in a row */
	int64_t retry_ns;          /* no start before */
	char failure[POOL_WHY_SIZE]; /* the last of them */
	char why[POOL_WHY_SIZE + 64]; /* what pool_take() refused for */
};

/* Starts the first worker, so that a program that cannot be started is a failure of init. BAY_OK,
 * or why not, for the return of init. Suspends. */
int pool_init(struct pool *pool, struct exec *exec);
void pool_finish(struct pool *pool);

/* Keeps min_workers, until the instance stops; for the return of run. */
int pool_run(struct pool *pool);

/* Lets all end, and waits for that. */
void pool_stop(struct pool *pool);

/* A worker for one request, whose task has a slot. BAY_OK, or why there is none, with the words in
 * pool->why. Suspends. */
int pool_take(struct pool *pool, struct worker **worker_r, int64_t deadline);

/* The request is through with it; answered: and it is good for another. */
void pool_give_back(struct pool *pool, struct worker *worker, bool answered);

/* For workers: whether there are more than there need to be; it is not for requests any more; it has
 * ended. */
bool pool_may_shrink(const struct pool *pool);
void pool_forget(struct pool *pool, struct worker *worker);
void pool_remove(struct pool *pool, struct worker *worker);

#endif
