/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers on a hierarchical wheel: adding, removing and firing cost the same few
 * nanoseconds whether there are ten or a million.
 *
 * Time is cut into ticks of 65.5 us. Level 0 has a slot for each of the ticks that share
 * all but their last 8 bits with the present one, level 1 one for each group of 256, and so
 * on; 6 levels hold every time there is. When the wheel comes to a slot of a higher level,
 * what is in it moves down.
 *
 * A timer never fires before its time, and at most one tick after it, plus whatever passes
 * until somebody calls wheel_advance. Timers of one tick fire in the order in which they
 * were added, with few exceptions (one added from far away and one from near by).
 *
 * The wheel owns no timer. One thread.
 */
#ifndef BAY_LOOP_TIMER_H
#define BAY_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
	WHEEL_TICK_SHIFT = 16, /* a tick is 2^16 ns */
	WHEEL_LEVEL_BITS = 8,
	WHEEL_SLOTS = 1 << WHEEL_LEVEL_BITS,
	WHEEL_LEVELS = 6
};

/* The most that a timer is late by itself. */
#define WHEEL_TICK_NS (INT64_C(1) << WHEEL_TICK_SHIFT)

struct timer;

/* Called when the time has come; the timer is not armed any more, and may be freed. */
typedef void timer_fn(struct timer *timer);

/* Part of the caller's struct (container_of). Zeroed with fn set, it is ready. */
struct timer {
	struct list _link; /* NULL while not armed */
	int64_t when_ns;   /* of the monotonic clock; set by wheel_add */
	timer_fn *fn;
};

struct wheel {
	uint64_t _tick;   /* all timers up to and including this tick have fired */
	unsigned _levels; /* a bit per level with timers */
	struct list _due; /* added when their time had come already */
	uint64_t _occupied[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* a bit per slot with timers */
	struct list _slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, int64_t now_ns);

static inline void
timer_init(struct timer *timer, timer_fn *fn)
{
	timer->_link.prev = NULL;
	timer->_link.next = NULL;
	timer->when_ns = 0;
	timer->fn = fn;
}

static inline bool
timer_armed(const struct timer *timer)
{
	return timer->_link.next != NULL;
}

/*
 * Arms the timer, which stays in the wheel until it fires or is removed; one that is armed
 * is moved. What is added for a tick that has passed fires at the next wheel_advance, never in
 * this call.
 */
void wheel_add(struct wheel *wheel, struct timer *timer, int64_t when_ns);

/* Disarms the timer. Nothing happens to one that is not armed. */
void wheel_remove(struct wheel *wheel, struct timer *timer);

/*
 * A time before which calling wheel_advance would do nothing: INT64_MAX when there are no
 * timers. It may be earlier than the first timer, when timers have to move down then.
 */
int64_t wheel_next_ns(const struct wheel *wheel);

/*
 * Fires all timers whose time has come; returns how many. Their functions may add and
 * remove any timer of the wheel, but not advance it.
 */
unsigned wheel_advance(struct wheel *wheel, int64_t now_ns);

/*
 * The same two for a clock that is moved from timer to timer: the time of the first one to
 * the nanosecond, and no timer is late. They look at all timers of a slot, so they are slow
 * where there are many.
 */
int64_t wheel_first_ns(const struct wheel *wheel);
unsigned wheel_advance_exactly(struct wheel *wheel, int64_t now_ns);

#endif
