/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/retry_budget.h"

void
retry_budget_set(struct retry_budget *budget, unsigned percent, unsigned min_per_s)
{
	if (percent == budget->percent && min_per_s == budget->min_per_s)
		return;
	budget->percent = percent;
	budget->min_per_s = min_per_s;
	call_window_begin(&budget->scale, RETRY_BUDGET_WINDOW_NS);
}

void
retry_budget_note(struct retry_budget *budget, int64_t now_ns)
{
	if (retry_budget_is_set(budget))
		call_window_add(&budget->sent, &budget->scale, false, now_ns);
}

bool
retry_budget_take(struct retry_budget *budget, int64_t now_ns, struct call_counts *sent_r)
{
	uint64_t allowed = (uint64_t)budget->min_per_s * (RETRY_BUDGET_WINDOW_NS / INT64_C(1000000000));

	*sent_r = (struct call_counts){0};
	if (!retry_budget_is_set(budget))
		return true;
	call_window_sum(&budget->sent, &budget->scale, now_ns, sent_r);
	allowed += (sent_r->calls - sent_r->bad) * budget->percent / 100;
	if (sent_r->bad >= allowed)
		return false;
	call_window_add(&budget->sent, &budget->scale, true, now_ns);
	return true;
}
