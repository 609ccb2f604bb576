/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A circuit breaker: calls to a service that fails are refused at once, for a time, instead of having
 * their callers wait for more failures. Words and states are those of resilience4j.
 *
 *	           percent of the calls of the window fail
 *	  closed -------------------------------------------> open
 *	   ^   calls go through, and are counted               | calls are refused
 *	   |                                        ^          v delay
 *	   +------------- half-open ----------------+     (the next call)
 *	     they do well   | some calls are let through  they fail
 *	                    +-- as trials, others refused
 *
 * It is one process's view of a service: each cell has its own. Calls are counted in the column of
 * their loop, with plain stores, and added up when one fails; all else is under its lock. A trial that
 * does not come back for as long as it had been open lets one more through.
 *
 * Does not read the clock: times are its caller's.
 */
#ifndef BAY_SERVICE_BREAKER_H
#define BAY_SERVICE_BREAKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status_page.h"
#include "service/call_window.h"

struct breaker_limits {
	unsigned percent;   /* of the calls, which fail; 0: no breaker */
	unsigned calls;     /* at least so many in the window, 1.. */
	int64_t window_ns;
	int64_t delay_ns;   /* how long it is open */
	unsigned trials;    /* calls that decide when it is half-open, 1.. */
};

enum breaker_outcome {
	BREAKER_IGNORED,    /* says nothing about the service */
	BREAKER_WELL,
	BREAKER_FAILED
};

struct breaker_view {
	enum status_breaker state;
	unsigned percent;   /* its limit */
	uint64_t calls;     /* over which it opened last; closed: 0 */
	uint64_t failed;
	int64_t next_ns;    /* when a call is let through to try, unless one does well before that */
	bool again;         /* to a breaker_changed_fn: it is not closed, and was not before */
};

/* Hears of another state, under the lock, on any thread. */
typedef void breaker_changed_fn(const struct breaker_view *view, void *arg);

/* What a caller has to do. */
enum breaker_mode {
	BREAKER_OFF,        /* nothing */
	BREAKER_COUNTS,     /* to count how the call ends: it is closed */
	BREAKER_STOPS       /* to ask breaker_let() */
};

struct breaker {
	_Atomic int mode;            /* enum breaker_mode; written under the lock */
	struct call_window_scale scale; /* likewise */
	unsigned column_count;
	breaker_changed_fn *changed;
	void *arg;
	pthread_mutex_t lock;        /* of what follows, but for the columns */
	struct breaker_limits limits;
	enum status_breaker state;
	uint64_t calls;              /* over which it opened */
	uint64_t failed;
	int64_t next_ns;
	unsigned let;                /* trials that have begun, without those that said nothing */
	unsigned well;               /* of them */
	unsigned unwell;
	uint8_t round;               /* of trials, 1..255 */
	struct status_guard *status; /* or NULL */
	/* Each has lines of the cache of its own. */
	struct call_window columns[] __attribute__((aligned(64)));
};

/* One that is off, for so many columns, each with one writer. */
struct breaker *breaker_create(unsigned columns, breaker_changed_fn *changed, void *arg);
void breaker_destroy(struct breaker *breaker);

/* Where it is to be seen how it is; NULL: nowhere. Any thread. */
void breaker_set_status(struct breaker *breaker, struct status_guard *status);

/* When it is turned off it closes. With another window what was counted before is forgotten. Any
 * thread. */
void breaker_set_limits(struct breaker *breaker, const struct breaker_limits *limits);

/* Closes it, and forgets what was counted. Any thread. */
void breaker_close(struct breaker *breaker);

static inline enum breaker_mode
breaker_mode(const struct breaker *breaker)
{
	return (enum breaker_mode)atomic_load_explicit(&breaker->mode, memory_order_relaxed);
}

/* Whether a call may go. When it is a trial, *trial_r is not 0, and its outcome is to be given to
 * breaker_end_trial(). When not, it is counted as refused, and *view_r says why. Any thread. */
bool breaker_let(struct breaker *breaker, int64_t now_ns, uint8_t *trial_r, struct breaker_view *view_r);

/* The slow part of the next. */
void breaker_judge(struct breaker *breaker, int64_t now_ns);

/* A call has ended that is no trial. The column's thread. */
static inline void
breaker_count(struct breaker *breaker, unsigned column, bool failed, int64_t now_ns)
{
	call_window_add(&breaker->columns[column], &breaker->scale, failed, now_ns);
	if (failed)
		breaker_judge(breaker, now_ns);
}

/* A trial has ended. Any thread. */
void breaker_end_trial(struct breaker *breaker, uint8_t trial, enum breaker_outcome outcome, int64_t now_ns);

#endif
