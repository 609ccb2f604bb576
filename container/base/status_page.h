/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of figures that a cell writes and the master reads, in memory that both map: it
 * can be read while every loop of the cell hangs, and after the cell has crashed.
 *
 *	+------------------+  head: magic, counts, the crash record
 *	+------------------+  what else a report of a crash tells   struct crash_area
 *	+------------------+  loop 0, loop 1, ...               struct status_loop
 *	+------------------+  loop 0, loop 1, ..., elsewhere    struct hop_ring
 *	+------------------+  those that have not ended         struct hop_table
 *	+------------------+  service 0, service 1, ...         struct status_gauges
 *	+------------------+  service 0, service 1, ...         struct status_guard
 *	+------------------+  service 0: loop 0, loop 1, ..., elsewhere, loop 0, loop 1, ...
 *	|                  |  service 1: loop 0, ...            struct status_counters
 *	+------------------+
 *
 * A service is known by its slot, 0 .. services-1, which the master gives it for as long as
 * the cell lives. Each struct status_counters has one writer, the loop; the one called
 * elsewhere (column number loops) is for all threads that are no loops and takes
 * status_add_shared. The columns behind that are those of the loops once more, for what a
 * canary of the service handles: they count for the service like the others. Writers store
 * with relaxed order: figures of one moment need not agree with each other.
 *
 * The page is made as large as the counts ask; what nobody touches costs nothing (1,024
 * services on 64 loops are 2 GB of addresses and not one page of memory).
 *
 * The master reads it as a stranger's memory: what it uses as an index or as text goes
 * through the status_page_read functions, which copy first, then clamp and terminate.
 */
#ifndef BAY_BASE_STATUS_PAGE_H
#define BAY_BASE_STATUS_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crash_area.h"
#include "base/histogram.h"
#include "base/hop_ring.h"
#include "base/hop_table.h"

enum {
	STATUS_PAGE_SERVICES_MAX = 1024,
	STATUS_PAGE_LOOPS_MAX = 64,
	STATUS_NAME_SIZE = 24, /* of a task's name with its NUL */
	STATUS_NAMES = 63,     /* different names of tasks that a loop can tell */
	STATUS_TEXT_SIZE = 256 /* of the crash text with its NUL */
};

/* No service: the loop runs nobody's code. */
#define STATUS_NO_SLOT UINT32_MAX

/* A task's name in three words, filled up with zeroes. */
struct status_name {
	uint64_t word[STATUS_NAME_SIZE / 8];
};

enum status_phase {
	STATUS_PHASE_IDLE = 0, /* sleeping or polling: not silent, whatever the counters say */
	STATUS_PHASE_RUN = 1,  /* running tasks */
	STATUS_PHASE_INIT = 2  /* running a plugin's init or fini */
};

/*
 * What runs, in one word, so that a switch of tasks tells the name of the next one at no cost:
 * enum status_phase, and above it the number of the task's name among those of the loop,
 * from 1 on. 0: nameless, or the name is in status_loop.task.
 */
enum { STATUS_PHASE_BITS = 8 };

/* One loop. Written by that loop only. */
struct status_loop {
	_Atomic uint32_t slot;  /* whose code runs now, or STATUS_NO_SLOT */
	_Atomic uint32_t phase; /* see above; the name is that of the task on whose stack it runs */
	_Atomic uint64_t pass_ns; /* clock_monotonic_ns of the present pass's begin, nearly */
	_Atomic uint64_t passes;
	_Atomic uint64_t task[STATUS_NAME_SIZE / 8]; /* a name without a number */
	_Atomic uint64_t switches;
	_Atomic uint64_t tasks;  /* gauge: alive */
	_Atomic uint64_t stacks; /* gauge: mapped, in use or not */
	_Atomic uint64_t wakes;  /* times that another thread had to wake this loop */
	_Atomic uint64_t polls;  /* times that libevent was polled */
	_Atomic uint64_t cpu_ns; /* that its thread has had; written by who measures it */
	/* Of tasks, each written once: a number means the same for ever. */
	_Atomic uint64_t names[STATUS_NAMES][STATUS_NAME_SIZE / 8];
	struct histogram lag; /* from one look at timers and descriptors to the next, ns */
} __attribute__((aligned(64)));

/* A service's queue. Written under the lock of that queue. */
struct status_gauges {
	_Atomic uint64_t queued;          /* messages in the queue now */
	_Atomic uint64_t queued_bytes;
	_Atomic uint64_t oldest_ns;       /* clock_monotonic_ns of the oldest one's arrival, or 0 */
	_Atomic uint64_t waiting_senders; /* parked because the queue is full */
	_Atomic uint64_t refused;         /* messages that the policy of a full queue refused or dropped */
	/* Written by anybody: pieces of memory and tasks that it was refused, since it has as much as it
	 * may, and messages that its subscriptions were too slow for. */
	_Atomic uint64_t denied_memory;
	_Atomic uint64_t denied_tasks;
	_Atomic uint64_t lost;
} __attribute__((aligned(64)));

/* What stands before the calls that this cell makes of a service, be it here or in another cell.
 * Written under the lock of that. */
struct status_guard {
	_Atomic uint64_t state;   /* of the breaker: enum status_breaker */
	_Atomic uint64_t calls;   /* over which it opened, ... */
	_Atomic uint64_t failed;  /* ... and those of them that failed */
	_Atomic uint64_t next_ns; /* clock_monotonic_ns when calls are let through to try */
	_Atomic uint64_t refused; /* calls, by the breaker */
	_Atomic uint64_t opened;  /* times that it did */
	_Atomic uint64_t retries; /* requests that were sent again, their cell having died */
	_Atomic uint64_t retries_refused; /* by the retry budget */
} __attribute__((aligned(64)));

enum status_breaker {
	STATUS_BREAKER_CLOSED = 0, /* calls go through */
	STATUS_BREAKER_OPEN = 1,
	STATUS_BREAKER_HALF_OPEN = 2
};

/* One service on one loop. Written by that loop only, but for cpu_ns. */
struct status_counters {
	_Atomic uint64_t direct;    /* handled without the queue */
	_Atomic uint64_t queued;    /* taken into the queue */
	_Atomic uint64_t served;    /* answered with BAY_OK */
	_Atomic uint64_t failed;    /* answered with anything else */
	_Atomic uint64_t timeouts;  /* of failed: the deadline passed first */
	_Atomic uint64_t canceled;  /* of failed */
	_Atomic uint64_t failed_replaced; /* of failed: by code that had been replaced */
	_Atomic uint64_t dropped;   /* thrown away by overflow = drop-... */
	_Atomic uint64_t rejected;  /* refused at the door: full, too big, stopping */
	_Atomic uint64_t in_flight; /* gauge: being handled now */
	/* Gauge: allocated minus freed here. Freed on another loop it wraps there; the sum
	 * over the loops is right. */
	_Atomic uint64_t memory_bytes;
	_Atomic uint64_t topic_waiting; /* gauge, likewise: messages in its subscriptions now */
	_Atomic uint64_t topic_lost;    /* messages that its subscriptions were too slow for */
	_Atomic uint64_t cpu_ns;        /* written by who measures it */
	_Atomic uint64_t tasks;         /* gauge: alive, those that handle requests not among them */
	_Atomic uint64_t stack_used;    /* the most of its stack that a task of a sample has used, bytes */
	_Atomic uint64_t memory_freed;  /* times that some of its memory was freed here */
	/* All in ns. Of what comes by the queue all are counted, of the others a sample. */
	struct histogram latency; /* from being taken to the reply */
	struct histogram wait;    /* in the queue */
	struct histogram total;   /* both */
} __attribute__((aligned(64)));

/* How the cell died, written by its crash handler. */
struct status_crash {
	_Atomic uint32_t state; /* enum status_crash_state */
	_Atomic uint32_t signal;
	_Atomic uint64_t address;
	_Atomic uint32_t loop; /* or UINT32_MAX: not on a loop */
	_Atomic uint32_t slot; /* or STATUS_NO_SLOT */
	_Atomic uint64_t task[STATUS_NAME_SIZE / 8];
	_Atomic uint64_t text[STATUS_TEXT_SIZE / 8]; /* for people */
};

enum status_crash_state {
	STATUS_CRASH_NONE = 0,
	STATUS_CRASH_WRITING = 1,
	STATUS_CRASH_VALID = 2
};

#define STATUS_PAGE_MAGIC UINT64_C(0x3145474150594142) /* "BAYPAGE1" */

struct status_head {
	uint64_t magic;
	uint64_t size;
	uint32_t services;
	uint32_t loops;
	_Atomic uint32_t loading; /* whose code a thread loads or unloads, or STATUS_NO_SLOT */
	struct status_crash crash;
};

/* A mapped page. The counts are this process's own, not read from the page again. */
struct status_page {
	struct status_head *head; /* NULL: closed */
	size_t size;
	uint32_t services;
	uint32_t loops;
};

/* --- lifecycle --------------------------------------------------------------- */

/* What a page for these counts takes, in bytes; 0 when a count is 0 or above its maximum. */
size_t status_page_size(uint32_t services, uint32_t loops);

/*
 * Makes and maps an empty page. Returns the descriptor of its memory, sealed against
 * changes of size, close-on-exec and the caller's; -1 with errno when that fails. Master.
 */
int status_page_create(struct status_page *page, const char *name, uint32_t services,
	uint32_t loops)
	__attribute__((warn_unused_result));

/*
 * Maps the page behind fd, which stays the caller's and may be closed. False with errno
 * (EINVAL: it is not such a page). Its bytes stay out of core dumps. Cell.
 */
bool status_page_open(struct status_page *page, int fd)
	__attribute__((warn_unused_result));

/* Unmaps. A closed page is fine. */
void status_page_close(struct status_page *page);

/* Zeroes what belongs to a slot, gives its memory back: before another service gets it.
 * Nobody may write there meanwhile. */
void status_page_clear_slot(struct status_page *page, uint32_t slot);

/* --- the parts, for writers: keep the pointer -------------------------------- */

struct crash_area *status_page_crash_area(const struct status_page *page);

/* loop < loops */
struct status_loop *status_page_loop(const struct status_page *page, uint32_t loop);

/* loop <= loops: the last one is for threads that are no loops, which have to take turns. */
struct hop_ring *status_page_hops(const struct status_page *page, uint32_t loop);

struct hop_table *status_page_hop_table(const struct status_page *page);

/* slot < services */
struct status_gauges *status_page_gauges(const struct status_page *page, uint32_t slot);

/* slot < services */
struct status_guard *status_page_guard(const struct status_page *page, uint32_t slot);

/* slot < services, loop <= loops: the last one is for threads that are no loops. */
struct status_counters *status_page_counters(const struct status_page *page, uint32_t slot,
	uint32_t loop);

/* How far behind those of a loop those of its canaries are. */
static inline uint32_t
status_canary_column(uint32_t loops, uint32_t loop)
{
	return loops + 1 + loop;
}

/* --- writing ----------------------------------------------------------------- */

static inline void
status_set(_Atomic uint64_t *figure, uint64_t value)
{
	atomic_store_explicit(figure, value, memory_order_relaxed);
}

/* By the one writer only. To subtract, add the negative. */
static inline void
status_add(_Atomic uint64_t *figure, uint64_t n)
{
	atomic_store_explicit(figure,
		atomic_load_explicit(figure, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Raises a figure that remembers the most. By the one writer only. */
static inline void
status_raise(_Atomic uint64_t *figure, uint64_t value)
{
	if (value > atomic_load_explicit(figure, memory_order_relaxed))
		status_set(figure, value);
}

/* By any number of writers. */
static inline void
status_add_shared(_Atomic uint64_t *figure, uint64_t n)
{
	atomic_fetch_add_explicit(figure, n, memory_order_relaxed);
}

/* Packs a name, cut at 23 bytes. */
struct status_name status_name_make(const char *name);

/* The word for status_loop.phase of a task with this name, to be made once. When there are too
 * many names already, the task is a nameless one. The loop's thread only. */
uint32_t status_loop_phase(struct status_loop *loop, enum status_phase phase,
	const struct status_name *name);

static inline enum status_phase
status_phase_of(uint32_t word)
{
	return (enum status_phase)(word & ((1u << STATUS_PHASE_BITS) - 1));
}

/* Says whose task runs on this loop from now on, without a number: STATUS_NO_SLOT and NULL for
 * none. Safe in a signal handler. */
static inline void
status_loop_set_task(struct status_loop *loop, uint32_t slot, const struct status_name *name)
{
	uint32_t word = atomic_load_explicit(&loop->phase, memory_order_relaxed);

	for (unsigned i = 0; i < STATUS_NAME_SIZE / 8; i++)
		status_set(&loop->task[i], name != NULL ? name->word[i] : 0);
	atomic_store_explicit(&loop->slot, slot, memory_order_relaxed);
	atomic_store_explicit(&loop->phase, (uint32_t)status_phase_of(word), memory_order_relaxed);
}

/* With no task's name. */
static inline void
status_loop_set_phase(struct status_loop *loop, enum status_phase phase)
{
	atomic_store_explicit(&loop->phase, (uint32_t)phase, memory_order_relaxed);
}

/*
 * Writes the crash record, once: later calls do nothing. With loop < loops the slot and the
 * task that status_loop_set_task named are taken from that loop's line. Safe in a signal handler.
 */
void status_page_write_crash(struct status_page *page, int signal, uintptr_t address,
	uint32_t loop, const char *text);

/* Puts another text into a crash record that has been written. In a signal handler. */
void status_page_explain_crash(struct status_page *page, const char *text);

/* Of a crash record that was written for a thread without a loop: whose code ran there, and what
 * that was called. Safe in a signal handler. */
void status_page_blame(struct status_page *page, uint32_t slot, const struct status_name *name);

/* Says whose code is being loaded or unloaded, which runs some of it; STATUS_NO_SLOT: nobody's.
 * One thread, or the handler of a signal. */
void status_page_set_loading(struct status_page *page, uint32_t slot);

/* --- reading ----------------------------------------------------------------- */

struct status_loop_view {
	uint32_t slot; /* < services, or STATUS_NO_SLOT */
	enum status_phase phase;
	char task[STATUS_NAME_SIZE]; /* terminated; not escaped */
	uint64_t pass_ns;
	uint64_t passes;
	uint64_t switches;
	uint64_t tasks;
	uint64_t stacks;
	uint64_t wakes;
	uint64_t polls;
	uint64_t cpu_ns;
};

/* A service over all loops. Counts stop at the top instead of wrapping. */
struct status_service_view {
	uint64_t queue_length; /* the gauges */
	uint64_t queue_bytes;
	uint64_t queue_oldest_ns;
	uint64_t waiting_senders;
	uint64_t calls; /* direct + queued + rejected: nobody counts it */
	uint64_t direct;
	uint64_t queued;
	uint64_t served;
	uint64_t failed;
	uint64_t timeouts;
	uint64_t canceled;
	uint64_t failed_replaced;
	uint64_t dropped;
	uint64_t rejected;
	uint64_t in_flight;    /* 0 when the sum is negative */
	uint64_t memory_bytes; /* 0 when the sum is negative */
	uint64_t topic_waiting; /* 0 when the sum is negative */
	uint64_t topic_lost;
	uint64_t cpu_ns;
	uint64_t tasks;        /* with those in flight; 0 when the sum is negative */
	uint64_t stack_used;   /* the greatest */
	uint64_t memory_freed; /* times that some was */
	uint64_t breaker_refused; /* calls of this cell, of a service wherever it is; likewise: */
	uint64_t breaker_opened;
	uint64_t retries;
	uint64_t retries_refused;
};

/* The breaker of a cell before a service. */
struct status_breaker_view {
	enum status_breaker state;
	uint64_t calls;
	uint64_t failed;  /* at most calls */
	uint64_t next_ns;
};

struct status_crash_view {
	int signal; /* 0..64 */
	uint64_t address;
	uint32_t loop; /* < loops, or UINT32_MAX */
	uint32_t slot; /* < services, or STATUS_NO_SLOT */
	char task[STATUS_NAME_SIZE];
	char text[STATUS_TEXT_SIZE];
};

/* < services, or STATUS_NO_SLOT */
uint32_t status_page_loading(const struct status_page *page);

/* loop < loops */
void status_page_read_loop(const struct status_page *page, uint32_t loop,
	struct status_loop_view *view_r);

/* A loop whose pass takes longer than this does not answer. */
#define STATUS_SILENT_NS INT64_C(500000000)

/* Whether a task has kept this loop for long, so that nothing else of it can run. In any case
 * who runs is in *view_r, and for how long in *held_ns_r, 0 for nobody. loop < loops */
bool status_page_loop_is_silent(const struct status_page *page, uint32_t loop,
	struct status_loop_view *view_r, int64_t *held_ns_r);

/* slot < services */
void status_page_read_service(const struct status_page *page, uint32_t slot,
	struct status_service_view *view_r);

/* The same of its canaries alone: what is counted on loops, and no gauges of its queue. */
void status_page_read_canary(const struct status_page *page, uint32_t slot,
	struct status_service_view *view_r);

/* slot < services */
void status_page_read_breaker(const struct status_page *page, uint32_t slot,
	struct status_breaker_view *view_r);

struct status_histograms {
	struct histogram_counts latency;
	struct histogram_counts wait;
	struct histogram_counts total;
};

/* Adds the service's histograms. slot < services */
void status_page_add_histograms(const struct status_page *page, uint32_t slot,
	struct status_histograms *histograms);

/* Adds the loop's lag. loop < loops */
void status_page_add_lag(const struct status_page *page, uint32_t loop, struct histogram_counts *lag);

/* False: there is no complete crash record. */
bool status_page_read_crash(const struct status_page *page, struct status_crash_view *view_r)
	__attribute__((warn_unused_result));

#endif
