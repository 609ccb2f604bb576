/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "runtime/graveyard.h"

int64_t
graveyard_cold_ns(const struct graveyard *yard)
{
	return yard->count > GRAVEYARD_RESERVE ? yard->oldest->ended_ns + GRAVEYARD_WARM_NS : INT64_MAX;
}

struct grave *
graveyard_take_cold(struct graveyard *yard, int64_t now_ns)
{
	struct grave *grave = yard->oldest;

	if (graveyard_cold_ns(yard) > now_ns)
		return NULL;
	/* There is a newer one: the reserve. */
	yard->oldest = grave->newer;
	yard->oldest->older = NULL;
	yard->count--;
	return grave;
}
