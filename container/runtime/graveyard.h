/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks that have ended, of one stack size: each keeps its stack, and its fiber parked on it,
 * for the next task. The latest is taken first, as its stack is the warmest.
 *
 *	oldest -> [ cold: their time has come ][ warm ][ reserve ] <- latest, taken next
 *
 * A load that swings must not fault the same pages in again and again, and memory must fall
 * when a burst is over. So a stack beyond a reserve is kept for GRAVEYARD_WARM_NS after its
 * task ended, and then goes. Nothing here reads the clock or touches a stack: the scheduler
 * does both. Owning loop only.
 */
#ifndef BAY_RUNTIME_GRAVEYARD_H
#define BAY_RUNTIME_GRAVEYARD_H

#include <stddef.h>
#include <stdint.h>

/* Stacks that stay warm for good. */
#define GRAVEYARD_RESERVE 64
/* How long the others do. */
#define GRAVEYARD_WARM_NS (250 * INT64_C(1000000))

/* In struct task. */
struct grave {
	struct grave *older;   /* NULL: the oldest */
	struct grave *newer;   /* undefined for the latest */
	int64_t ended_ns;      /* by the loop's clock */
};

/* All zeroes: empty. */
struct graveyard {
	struct grave *latest;  /* NULL: empty */
	struct grave *oldest;  /* undefined when empty */
	unsigned count;
};

/* Times never go back from one to the next. */
static inline void
graveyard_add(struct graveyard *yard, struct grave *grave, int64_t now_ns)
{
	struct grave *before = yard->latest;

	grave->ended_ns = now_ns;
	grave->older = before;
	if (__builtin_expect(before != NULL, 1))
		before->newer = grave;
	else
		yard->oldest = grave;
	yard->latest = grave;
	yard->count++;
}

/* The latest, which leaves; NULL: there is none. */
static inline struct grave *
graveyard_take(struct graveyard *yard)
{
	struct grave *grave = yard->latest;

	if (__builtin_expect(grave == NULL, 0))
		return NULL;
	yard->latest = grave->older;
	yard->count--;
	return grave;
}

/* The oldest, which leaves, if it is one too many and has waited for long; else NULL. */
struct grave *graveyard_take_cold(struct graveyard *yard, int64_t now_ns);

/* When graveyard_take_cold() will next give one; INT64_MAX: not as things stand. */
int64_t graveyard_cold_ns(const struct graveyard *yard);

#endif
