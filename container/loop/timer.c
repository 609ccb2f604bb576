/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer's level is that of the highest byte in which its tick differs from the present
 * one. So on each level only slots after the present one are occupied, everything on a lower
 * level comes before everything on a higher one, and the next slot to look at is the first
 * bit of the lowest level that has one. Nothing ever wraps around.
 *
 * Ticks are non-negative as the monotonic clock is.
 */
#include "config.h"

#include "loop/timer.h"

#include <stddef.h>
#include <string.h>

void
wheel_init(struct wheel *wheel, int64_t now_ns)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->_tick = (uint64_t)now_ns >> WHEEL_TICK_SHIFT;
	list_init(&wheel->_due);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&wheel->_slots[level][slot]);
	}
}

/* The first tick that begins at or after the time, so that no timer is early. */
static uint64_t
wheel_tick_of(int64_t when_ns)
{
	return ((uint64_t)when_ns + (WHEEL_TICK_NS - 1)) >> WHEEL_TICK_SHIFT;
}

static void
wheel_insert(struct wheel *wheel, struct timer *timer, uint64_t tick)
{
	unsigned level = (63 - (unsigned)__builtin_clzll(tick ^ wheel->_tick)) / WHEEL_LEVEL_BITS;
	unsigned slot = tick >> (level * WHEEL_LEVEL_BITS) & (WHEEL_SLOTS - 1);

	list_push_back(&wheel->_slots[level][slot], &timer->_link);
	wheel->_occupied[level][slot / 64] |= UINT64_C(1) << slot % 64;
	wheel->_levels |= 1U << level;
}

/* The bits of a level say where there is something, and nothing else. */
static void
wheel_slot_emptied(struct wheel *wheel, size_t index)
{
	unsigned level = (unsigned)(index / WHEEL_SLOTS);
	unsigned slot = index % WHEEL_SLOTS;
	uint64_t *bits = wheel->_occupied[level];

	bits[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	if ((bits[0] | bits[1] | bits[2] | bits[3]) == 0)
		wheel->_levels &= ~(1U << level);
}

void
wheel_remove(struct wheel *wheel, struct timer *timer)
{
	struct list *prev = timer->_link.prev;
	struct list *next = timer->_link.next;
	struct list *slots = &wheel->_slots[0][0];

	if (!timer_armed(timer))
		return;
	prev->next = next;
	next->prev = prev;
	timer->_link.prev = NULL;
	timer->_link.next = NULL;
	/* It was alone: then its neighbour on both sides is the head of the list. */
	if (prev == next && prev >= slots && prev < slots + WHEEL_LEVELS * WHEEL_SLOTS)
		wheel_slot_emptied(wheel, (size_t)(prev - slots));
}

void
wheel_add(struct wheel *wheel, struct timer *timer, int64_t when_ns)
{
	uint64_t tick = when_ns > 0 ? wheel_tick_of(when_ns) : 0;

	wheel_remove(wheel, timer);
	timer->when_ns = when_ns;
	if (tick <= wheel->_tick)
		list_push_back(&wheel->_due, &timer->_link);
	else
		wheel_insert(wheel, timer, tick);
}

/* The first slot that is occupied on this level, which is not empty. */
static unsigned
wheel_first_slot(const struct wheel *wheel, unsigned level)
{
	const uint64_t *bits = wheel->_occupied[level];
	unsigned word = 0;

	while (bits[word] == 0)
		word++;
	return word * 64 + (unsigned)__builtin_ctzll(bits[word]);
}

/* The tick at which the next occupied slot begins; there is one. */
static uint64_t
wheel_next_tick(const struct wheel *wheel, unsigned *level_r, unsigned *slot_r)
{
	unsigned level = (unsigned)__builtin_ctz(wheel->_levels);
	unsigned shift = level * WHEEL_LEVEL_BITS;
	uint64_t above = wheel->_tick >> shift >> WHEEL_LEVEL_BITS << WHEEL_LEVEL_BITS;

	*level_r = level;
	*slot_r = wheel_first_slot(wheel, level);
	return (above | *slot_r) << shift;
}

int64_t
wheel_next_ns(const struct wheel *wheel)
{
	unsigned level, slot;
	uint64_t tick;

	if (!list_empty(&wheel->_due))
		return 0;
	if (wheel->_levels == 0)
		return INT64_MAX;
	tick = wheel_next_tick(wheel, &level, &slot);
	return tick > INT64_MAX >> WHEEL_TICK_SHIFT ? INT64_MAX :
						      (int64_t)(tick << WHEEL_TICK_SHIFT);
}

/* Calls what is in the list; a function may take others out of it. */
static unsigned
wheel_fire(struct list *firing)
{
	unsigned count = 0;
	struct list *link;

	while ((link = list_first(firing)) != NULL) {
		struct timer *timer = container_of(link, struct timer, _link);

		link->prev->next = link->next;
		link->next->prev = link->prev;
		link->prev = NULL;
		link->next = NULL;
		timer->fn(timer);
		count++;
	}
	return count;
}

/* The wheel has come to this slot: its timers are due or move down. */
static void
wheel_open_slot(struct wheel *wheel, unsigned level, unsigned slot, struct list *firing)
{
	struct list timers;

	list_init(&timers);
	list_splice_back(&timers, &wheel->_slots[level][slot]);
	wheel_slot_emptied(wheel, level * WHEEL_SLOTS + slot);
	if (level == 0) {
		list_splice_back(firing, &timers);
		return;
	}
	list_for_each_safe(link, &timers) {
		struct timer *timer = container_of(link, struct timer, _link);
		uint64_t tick = wheel_tick_of(timer->when_ns);

		list_remove(link);
		if (tick == wheel->_tick)
			list_push_back(firing, link);
		else
			wheel_insert(wheel, timer, tick);
	}
}

unsigned
wheel_advance(struct wheel *wheel, int64_t now_ns)
{
	uint64_t now = (uint64_t)now_ns >> WHEEL_TICK_SHIFT;
	struct list firing;
	unsigned count;

	/* What a function adds for a time that has passed waits for the next call. */
	list_init(&firing);
	list_splice_back(&firing, &wheel->_due);
	count = wheel_fire(&firing);
	while (wheel->_levels != 0) {
		unsigned level, slot;
		uint64_t tick = wheel_next_tick(wheel, &level, &slot);

		if (tick > now)
			break;
		wheel->_tick = tick;
		wheel_open_slot(wheel, level, slot, &firing);
		count += wheel_fire(&firing);
	}
	if (wheel->_tick < now)
		wheel->_tick = now;
	return count;
}

/* --- to the nanosecond ------------------------------------------------------------ */

static int64_t
wheel_first_in(const struct list *timers, int64_t first_ns)
{
	list_for_each(link, timers) {
		const struct timer *timer = container_of(link, struct timer, _link);

		if (timer->when_ns < first_ns)
			first_ns = timer->when_ns;
	}
	return first_ns;
}

int64_t
wheel_first_ns(const struct wheel *wheel)
{
	int64_t first_ns = wheel_first_in(&wheel->_due, INT64_MAX);
	unsigned level, slot;

	if (wheel->_levels == 0)
		return first_ns;
	(void)wheel_next_tick(wheel, &level, &slot);
	return wheel_first_in(&wheel->_slots[level][slot], first_ns);
}

/* Leaves those in the list whose time has come; the others are nearly due. */
static void
wheel_spare(struct wheel *wheel, struct list *firing, int64_t now_ns)
{
	list_for_each_safe(link, firing) {
		if (container_of(link, struct timer, _link)->when_ns <= now_ns)
			continue;
		list_remove(link);
		list_push_back(&wheel->_due, link);
	}
}

unsigned
wheel_advance_exactly(struct wheel *wheel, int64_t now_ns)
{
	uint64_t now = (uint64_t)now_ns >> WHEEL_TICK_SHIFT;
	struct list firing;

	list_init(&firing);
	list_splice_back(&firing, &wheel->_due);
	/* The tick that the time lies in has begun: what is in it may be due. */
	while (wheel->_levels != 0) {
		unsigned level, slot;
		uint64_t tick = wheel_next_tick(wheel, &level, &slot);

		if (tick > wheel_tick_of(now_ns))
			break;
		wheel->_tick = tick;
		wheel_open_slot(wheel, level, slot, &firing);
	}
	if (wheel->_tick < now)
		wheel->_tick = now;
	wheel_spare(wheel, &firing, now_ns);
	return wheel_fire(&firing);
}
