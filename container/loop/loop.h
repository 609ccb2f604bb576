/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread's loop: a libevent base, a timer wheel, an inbox for work from other threads,
 * and the sleep that all three can end. It runs no tasks: a scheduler on top does, and
 * calls, from its thread:
 *
 *	for (;;) {
 *		run what is ready
 *		loop_drain_inbox(loop);              each pass
 *		if (50 us have passed)
 *			loop_poll(loop);
 *		if (nothing is ready)
 *			loop_wait(loop, INT64_MAX);
 *	}
 *
 * Waking a sleeping thread costs as much as 10,000 fiber switches. So a loop whose recent
 * idle times were short looks for work for a moment before it sleeps, and nobody wakes a
 * loop that is not asleep.
 *
 * Owning thread, if a function does not say otherwise.
 */
#ifndef BAY_LOOP_LOOP_H
#define BAY_LOOP_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop/inbox.h"
#include "loop/timer.h"

struct edge_set;
struct event;
struct event_base;

/* See watch.h. */
enum { LOOP_WATCH_BUCKETS = 256 };

struct loop;

/*
 * Whether there is anything to do that loop_wait cannot see: a task that a libevent callback
 * or a timer made ready, or work in a queue that several loops share. Asked by loop_wait, on
 * its own thread, while it looks for work and once more after it announced its sleep: whoever
 * puts work into a shared queue and then calls loop_wake loses no wake.
 */
typedef bool loop_has_work_fn(void *arg);

/*
 * Asked by loop_wait when there is nothing to do until until_ns (INT64_MAX: for ever), for
 * who wants to know, and may make something ready. While the clock stands still it is moved
 * to until_ns instead of sleeping so long; before that the kernel has as many nanoseconds of
 * its own time as are returned for something to come from outside.
 */
typedef int64_t loop_idle_fn(struct loop *loop, int64_t until_ns, void *arg);

struct loop {
	/* Owning thread only: it has no locks. Its own timers are coarse (ms); use the wheel. */
	struct event_base *base;
	const char *name;        /* for the log; borrowed from loop_init's caller */
	int64_t now_ns;          /* the clock as of the last loop_poll, loop_wait or loop_now */
	int64_t looked_ns;       /* the same of the last loop_poll or loop_wait */
	struct wheel wheel;

	/* For the owner's statistics. */
	uint64_t polls;  /* times libevent was asked */
	uint64_t sleeps; /* times the thread blocked */
	uint64_t spins;  /* times work came before it had to block */

	loop_has_work_fn *_has_work;
	void *_has_work_arg;
	loop_idle_fn *_idle;
	void *_idle_arg;
	struct event *_wake_event;
	struct event *_alarm_event;
	int64_t _alarm_ns; /* what the alarm is set to, INT64_MAX: not set */
	int64_t _idle_ns;  /* a moving average of how long there was no work */
	int _wake_fd;      /* eventfd, ends a sleep when there is work */
	int _alarm_fd;     /* timerfd, ends a sleep in time for the wheel */
	bool _may_spin;
	bool _events_first; /* a look at the events brought the latest work of a spin */

	struct list _watches[LOOP_WATCH_BUCKETS]; /* struct watch._link, by descriptor */
	unsigned _watch_count;
	unsigned _watch_turn;       /* the bucket that was looked at last */
	struct timer _watch_timer;  /* armed while there is any */

	struct edge_set *_edges;    /* NULL: there have never been any, see edge.h */
	struct list _glances;       /* struct glance._link, see glance.h */

	/* Written by other threads, so kept on a cache line that nothing else is on. */
	char _apart[64];
	struct inbox _inbox;
	atomic_bool _sleeping;
	char _apart_too[64];
};

/*
 * Makes a loop for the thread that will own it, which need not be the caller. False: out of
 * descriptors or memory; errno says why.
 */
bool loop_init(struct loop *loop, const char *name)
	__attribute__((warn_unused_result));

/*
 * Frees the base; the events on it must be gone. Items in the inbox are not run: drain it
 * first, when nobody can post any more.
 */
void loop_finish(struct loop *loop);

/*
 * See loop_has_work_fn. NULL, the default: there is no such work, and loop_wait does not
 * look for events before it sleeps, as it could not tell that something came of them.
 */
void loop_set_has_work(struct loop *loop, loop_has_work_fn *has_work, void *arg);

/* See loop_idle_fn. NULL, the default: nobody wants to know. */
void loop_set_idle(struct loop *loop, loop_idle_fn *idle, void *arg);

/* Leaves an item in the inbox and wakes the loop if it sleeps. Any thread. */
void loop_post(struct loop *loop, struct inbox_item *item);

/* Wakes the loop if it sleeps. True: it did, and this call woke it. Any thread. */
bool loop_wake(struct loop *loop);

/* What was stored before is seen by others before what is loaded after is read. */
static inline void
loop_fence(void)
{
#if defined(BAY_TSAN)
	/* TSan does not know fences. A locked instruction is one, and orders nothing for it. */
	atomic_int anything = 0;

	atomic_fetch_add_explicit(&anything, 1, memory_order_relaxed);
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* A glance: whether it sleeps or is about to. If so, what it stored before is seen. After
 * work was left in a shared queue, it takes a loop_fence first. Any thread. */
static inline bool
loop_sleeping(struct loop *loop)
{
	return atomic_load_explicit(&loop->_sleeping, memory_order_acquire);
}

/* Runs what is in the inbox, oldest first, and looks at the glances. False: there was nothing. */
bool loop_drain_inbox(struct loop *loop);

/* Reads the clock into now_ns and returns it. */
int64_t loop_now(struct loop *loop);

/* Runs what libevent has, without waiting, then fires the timers that are due. */
void loop_poll(struct loop *loop);

/*
 * For when there is nothing to do: waits until a libevent event or a timer ran, something
 * was posted (it is still in the inbox), loop_wake was called, has_work says so, or until_ns
 * (INT64_MAX: no limit) has come. May also return for no reason.
 */
void loop_wait(struct loop *loop, int64_t until_ns);

#endif
