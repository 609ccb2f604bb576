/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hop_ring.h"

#include <string.h>

_Static_assert(sizeof(struct hop) % 8 == 0, "a hop is so many words");

/* Each word is written behind the mark that the record changes, and read before that is looked at
 * again: who has read a new word sees the mark. */
void
hop_ring_add(struct hop_ring *ring, const struct hop *hop)
{
	uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	struct hop_record *record = &ring->records[written % HOP_RING_SIZE];
	uint64_t words[HOP_WORDS];

	memcpy(words, hop, sizeof(words));
	atomic_store_explicit(&record->number, 0, memory_order_relaxed);
	for (unsigned i = 0; i < HOP_WORDS; i++)
		atomic_store_explicit(&record->words[i], words[i], memory_order_release);
	atomic_store_explicit(&record->number, written + 1, memory_order_release);
	atomic_store_explicit(&ring->written, written + 1, memory_order_release);
}

uint64_t
hop_ring_end(const struct hop_ring *ring)
{
	return atomic_load_explicit(&ring->written, memory_order_acquire);
}

/* False: it is not what was written there as that number, or not any more. */
static bool
hop_record_read(const struct hop_record *record, uint64_t number, struct hop *hop_r)
{
	uint64_t words[HOP_WORDS];

	if (atomic_load_explicit(&record->number, memory_order_acquire) != number)
		return false;
	for (unsigned i = 0; i < HOP_WORDS; i++)
		words[i] = atomic_load_explicit(&record->words[i], memory_order_acquire);
	if (atomic_load_explicit(&record->number, memory_order_relaxed) != number)
		return false;
	memcpy(hop_r, words, sizeof(words));
	hop_r->caller[HOP_NAME_SIZE - 1] = '\0';
	return true;
}

bool
hop_ring_read(const struct hop_ring *ring, uint64_t *next_r, struct hop *hop_r, uint64_t *lost_r)
{
	uint64_t written = hop_ring_end(ring);

	/* Who writes it may write what it likes. */
	if (written < *next_r)
		*next_r = written;
	if (written - *next_r > HOP_RING_SIZE) {
		*lost_r += written - *next_r - HOP_RING_SIZE;
		*next_r = written - HOP_RING_SIZE;
	}
	while (*next_r < written) {
		const struct hop_record *record = &ring->records[*next_r % HOP_RING_SIZE];

		if (hop_record_read(record, ++*next_r, hop_r))
			return true;
		++*lost_r;
	}
	return false;
}
