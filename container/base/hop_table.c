/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hop_table.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"

#define HOP_WORD(member) (offsetof(struct hop, member) / 8)

_Static_assert(HOP_TABLE_SIZE < UINT16_MAX, "a place has a number of 16 bits");
_Static_assert(offsetof(struct hop, span) % 8 == 0 && offsetof(struct hop, begun_ns) % 8 == 0 &&
	offsetof(struct hop, flags) % 8 == 0,
	"what changes is a word");

/* Places that are looked at for a free one: all of them would take as long as a call. */
enum { HOP_TABLE_TRIES = 32 };

/* Takes a free place, or returns NULL. */
static struct hop_place *
hop_table_take(struct hop_table *table)
{
	for (unsigned i = 0; i < HOP_TABLE_TRIES; i++) {
		uint64_t at = atomic_fetch_add_explicit(&table->next, 1, memory_order_relaxed) % HOP_TABLE_SIZE;
		uint64_t state = HOP_PLACE_FREE;

		if (atomic_compare_exchange_strong_explicit(&table->places[at].state, &state, HOP_PLACE_WRITING,
			memory_order_acquire, memory_order_relaxed))
			return &table->places[at];
	}
	return NULL;
}

uint16_t
hop_table_open(struct hop_table *table, const struct hop *hop)
{
	struct hop_place *place = hop_table_take(table);
	uint64_t words[HOP_WORDS];

	if (place == NULL)
		return 0;
	memcpy(words, hop, sizeof(words));
	for (unsigned i = 0; i < HOP_WORDS; i++)
		atomic_store_explicit(&place->words[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&place->state, HOP_PLACE_OPEN, memory_order_release);
	return (uint16_t)(place - table->places + 1);
}

/* NULL: it is none. */
static struct hop_place *
hop_table_at(struct hop_table *table, uint16_t place)
{
	return place >= 1 && place <= HOP_TABLE_SIZE ? &table->places[place - 1] : NULL;
}

void
hop_table_begin(struct hop_table *table, uint16_t place, int64_t begun_ns, uint64_t flags)
{
	struct hop_place *at = hop_table_at(table, place);

	if (at == NULL)
		return;
	atomic_store_explicit(&at->words[HOP_WORD(flags)], flags, memory_order_relaxed);
	atomic_store_explicit(&at->words[HOP_WORD(begun_ns)], (uint64_t)begun_ns, memory_order_relaxed);
}

void
hop_table_close(struct hop_table *table, uint16_t place)
{
	struct hop_place *at = hop_table_at(table, place);

	if (at != NULL)
		atomic_store_explicit(&at->state, HOP_PLACE_FREE, memory_order_release);
}

void
hop_table_stall(struct hop_table *table, uint16_t place)
{
	struct hop_place *at = hop_table_at(table, place);
	uint64_t state = HOP_PLACE_OPEN;

	if (at != NULL)
		(void)atomic_compare_exchange_strong_explicit(&at->state, &state, HOP_PLACE_STALLED,
			memory_order_relaxed, memory_order_relaxed);
}

void
hop_table_crash(struct hop_table *table, uint16_t place)
{
	struct hop_place *at = hop_table_at(table, place);

	atomic_store_explicit(&table->crashed_ns, (uint64_t)clock_monotonic_ns(), memory_order_relaxed);
	if (at == NULL)
		return;
	atomic_store_explicit(&at->state, HOP_PLACE_CRASHED, memory_order_relaxed);
	atomic_store_explicit(&table->crashed, place, memory_order_release);
}

/* Its loop goes on meanwhile, and may give the place to another. */
static bool
hop_place_crash(struct hop_place *at, uint64_t span)
{
	uint64_t crashed = HOP_PLACE_CRASHED, state = atomic_load_explicit(&at->state, memory_order_acquire);

	if ((state != HOP_PLACE_OPEN && state != HOP_PLACE_STALLED) ||
		!atomic_compare_exchange_strong_explicit(&at->state, &state, HOP_PLACE_CRASHED, memory_order_acq_rel,
			memory_order_relaxed))
		return false;
	if (atomic_load_explicit(&at->words[HOP_WORD(span)], memory_order_relaxed) == span)
		return true;
	(void)atomic_compare_exchange_strong_explicit(&at->state, &crashed, state, memory_order_relaxed,
		memory_order_relaxed);
	return false;
}

void
hop_table_crash_of(struct hop_table *table, uint16_t place, uint64_t span)
{
	struct hop_place *at = hop_table_at(table, place);
	bool is_there = at != NULL && hop_place_crash(at, span);

	hop_table_crash(table, is_there ? place : 0);
}

uint16_t
hop_table_crashed(const struct hop_table *table, int64_t *crashed_ns_r)
{
	uint64_t place = atomic_load_explicit(&table->crashed, memory_order_acquire);

	*crashed_ns_r = (int64_t)atomic_load_explicit(&table->crashed_ns, memory_order_relaxed);
	return place <= HOP_TABLE_SIZE ? (uint16_t)place : 0;
}

enum hop_place_state
hop_table_read(const struct hop_table *table, uint16_t place, struct hop *hop_r)
{
	const struct hop_place *at = &table->places[place - 1];
	uint64_t state = atomic_load_explicit(&at->state, memory_order_acquire);
	uint64_t words[HOP_WORDS];

	if (state < HOP_PLACE_OPEN || state > HOP_PLACE_CRASHED)
		return HOP_PLACE_FREE;
	for (unsigned i = 0; i < HOP_WORDS; i++)
		words[i] = atomic_load_explicit(&at->words[i], memory_order_acquire);
	if (atomic_load_explicit(&at->state, memory_order_relaxed) != state)
		return HOP_PLACE_FREE;
	memcpy(hop_r, words, sizeof(words));
	hop_r->caller[HOP_NAME_SIZE - 1] = '\0';
	return (enum hop_place_state)state;
}
