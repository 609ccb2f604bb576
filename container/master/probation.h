/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a generation has to show on probation, that it is no worse than the one that it replaced:
 * what was counted before, and what is counted now.
 *
 * Plain data and pure functions. Master only.
 */
#ifndef BAY_MASTER_PROBATION_H
#define BAY_MASTER_PROBATION_H

#include <stdbool.h>
#include <stdint.h>

/* Requests of one generation. */
struct probation_counts {
	uint64_t ended;  /* well or not */
	uint64_t failed; /* of them */
};

/* What has come since base. */
struct probation_counts probation_since(const struct probation_counts *base,
	const struct probation_counts *now);

/*
 * Whether the new generation fails more often than the old one did, and not by chance: by three
 * standard errors, and in five requests at least. An old one that served less than ten counts
 * as if it had served ten well.
 */
bool probation_is_worse(const struct probation_counts *before, const struct probation_counts *now);

#endif
