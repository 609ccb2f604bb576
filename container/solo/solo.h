/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A container by itself: services in one process, without a master and without an ini. What
 * starts, calls and stops them is what a cell has (host, registry, queues, scheduler); only
 * the threads are missing. The calling thread is at once what a cell calls its control thread,
 * its loader and its only loop, so while it is not in solo_run() or a function that waits for
 * the host, nothing goes on: no task runs, and a clock that stands still does not move.
 *
 *	solo_create --> solo_start --> solo_run(task) ... --> solo_stop --> solo_destroy
 *	                    |              |
 *	                    +-- host ------+-- scheduler_run() until the answer or the end is there
 *
 * bay-cell runs one for `bayctl run`; libbay-test runs them in the process of a test, by way of
 * the table in solo_table.h. One at a time in a process; everything on one thread.
 */
#ifndef BAY_SOLO_SOLO_H
#define BAY_SOLO_SOLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/plugin.h>
#include <bay/task.h>

struct scheduler;
struct solo;
struct status_page;

/* Zero stands for the usual. */
struct solo_options {
	bool virtual_time;        /* the clock moves only when nobody has anything to do */
	int64_t wall_ns;          /* where the clock on the wall begins then */
	int64_t patience_ns;      /* of the kernel's time: for something to come from outside then */
	bool singly;              /* see scheduler_run_singly() */
	uint64_t seed;
	int calls;                /* enum service_calls */
	struct status_page *page; /* with room for SOLO_SERVICES; NULL: one of its own */
};

enum { SOLO_SERVICES = 64 };

/* A service to start. Strings are borrowed for the call. */
struct solo_service {
	const char *name;
	const char *file;                    /* its plugin, or NULL: */
	const struct bay_plugin *descriptor; /* that is in the program; until the service is stopped */
	const char *const *settings;         /* "key=value", ended by NULL; or NULL */
	int64_t concurrency;                 /* 256 */
	int64_t queue;                       /* 1,024 messages */
	int64_t queue_bytes;                 /* 16 MiB */
	const char *overflow;                /* "wait", "reject", ...; NULL: "reject" */
	int64_t timeout_ns;                  /* of a call; none */
	int64_t stack_bytes;                 /* 256 KiB */
	int64_t start_timeout_ns;            /* a minute */
};

/* NULL: solo_error() says why. */
struct solo *solo_create(const struct solo_options *options)
	__attribute__((warn_unused_result));

/* Stops what runs, and frees. False: something refuses to end, so nothing is freed, and no
 * other one can be made in this process. */
bool solo_destroy(struct solo *solo);

/* Why the last function of this process that failed did. Borrowed until the next one. */
const char *solo_error(void);

/* Starts a service and waits until it is ready. A status; BAY_INVALID: plugin or settings. */
int solo_start(struct solo *solo, const struct solo_service *service);

/* Stops it: what it has finishes within drain_ns. */
int solo_stop(struct solo *solo, const char *name, int64_t drain_ns);

/* Stops all. BAY_BUSY: something refuses to end. */
int solo_stop_all(struct solo *solo, int64_t drain_ns);

/* Runs fn(arg) as a task of nobody until it and all that it spawned have ended; its status. */
int solo_run(struct solo *solo, const char *name, bay_task_fn *fn, void *arg);

/* Of solo_run(): at its nth await (1: the first) the task is cancelled, at once or after all
 * who were ready then have run. 0: not. */
void solo_cut_at(struct solo *solo, unsigned nth, bool after_the_others);

/* Whether the last solo_run() came to that await. */
bool solo_was_cut(const struct solo *solo);

/* Why the service failed by itself, or NULL. Borrowed until the next failure. */
const char *solo_failure(const struct solo *solo, const char *name);

/* Lets a service work until its run, and all else that lives as long as it does, has ended or
 * solo_interrupt() was called. */
void solo_await_end(struct solo *solo, const char *name);

/* Ends solo_await_end(), and cancels the task of solo_run(), if they are at it. In a task, or
 * where the loop calls back. */
void solo_interrupt(struct solo *solo, const char *reason);

/* Calls fn(number, arg) on the loop for these signals, which the process has blocked, from now
 * on. False: no memory. */
bool solo_watch_signals(struct solo *solo, const int *numbers, size_t count,
	void (*fn)(int number, void *arg), void *arg)
	__attribute__((warn_unused_result));

/* Whether a person is asked for something: a clock that stands still waits, too. */
void solo_expect_line(struct solo *solo, bool expect);

/* Lets those end who are about to: runs until no task is left that serves a request or belongs
 * to nobody, or nothing more comes of it within a second of the container's clock. */
void solo_settle(struct solo *solo);

/* As alloc_fail_at(), with nothing kept for reuse that would spare an allocation. */
void solo_fail_allocation(struct solo *solo, uint64_t nth);

/* The one loop. */
struct scheduler *solo_scheduler(struct solo *solo);

#endif
