/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/probation.h"

/* Fewer failures say nothing. */
static const uint64_t probation_failures_min = 5;
static const double probation_well_before = 10;
static const double probation_errors = 3;

static uint64_t
probation_difference(uint64_t now, uint64_t base)
{
	return now > base ? now - base : 0;
}

struct probation_counts
probation_since(const struct probation_counts *base, const struct probation_counts *now)
{
	struct probation_counts counts = {
		.ended = probation_difference(now->ended, base->ended),
		.failed = probation_difference(now->failed, base->failed),
	};

	/* They were not counted at one moment. */
	if (counts.failed > counts.ended)
		counts.ended = counts.failed;
	return counts;
}

bool
probation_is_worse(const struct probation_counts *before, const struct probation_counts *now)
{
	double old_ended = (double)before->ended, old_failed = (double)before->failed;
	double new_ended = (double)now->ended, new_failed = (double)now->failed;
	double share, difference, variance;

	if (now->failed < probation_failures_min)
		return false;
	if (old_ended < probation_well_before)
		old_ended = old_failed + probation_well_before;
	difference = new_failed / new_ended - old_failed / old_ended;
	share = (old_failed + new_failed) / (old_ended + new_ended);
	variance = share * (1 - share) * (1 / old_ended + 1 / new_ended);
	/* Compared by their squares. All failed, before and now: no difference. */
	return difference > 0 && difference * difference > probation_errors * probation_errors * variance;
}
