/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/call_guard.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "runtime/scheduler.h"

/* --- how calls end ---------------------------------------------------------------------- */

/*
 * What a handler answers is either a failure of the service, or shows that it is there and well. What the
 * container says without it is a failure if the service was too slow or died; a bound that was reached and
 * a service that does not run are told at once in any case, and the rest is its caller's mistake.
 */
static const struct {
	enum breaker_outcome handler;
	enum breaker_outcome container;
} call_guard_outcomes[] = {
	[BAY_OK] = {BREAKER_WELL, BREAKER_WELL},
	[BAY_FAILED] = {BREAKER_FAILED, BREAKER_FAILED},
	[BAY_TIMEOUT] = {BREAKER_FAILED, BREAKER_FAILED},
	[BAY_CANCELED] = {BREAKER_IGNORED, BREAKER_IGNORED},
	[BAY_CLOSED] = {BREAKER_FAILED, BREAKER_IGNORED},
	[BAY_FULL] = {BREAKER_WELL, BREAKER_IGNORED},
	[BAY_NOT_FOUND] = {BREAKER_WELL, BREAKER_IGNORED},
	[BAY_BUSY] = {BREAKER_WELL, BREAKER_IGNORED},
	[BAY_INVALID] = {BREAKER_WELL, BREAKER_IGNORED},
	[BAY_NO_MEMORY] = {BREAKER_FAILED, BREAKER_FAILED},
	[BAY_IO] = {BREAKER_FAILED, BREAKER_FAILED},
	[BAY_TOO_BIG] = {BREAKER_WELL, BREAKER_IGNORED},
	[BAY_LOOP] = {BREAKER_WELL, BREAKER_IGNORED},
	[BAY_PEER_DIED] = {BREAKER_FAILED, BREAKER_FAILED},
	[BAY_NOT_PERMITTED] = {BREAKER_WELL, BREAKER_IGNORED},
};

enum breaker_outcome
call_guard_outcome(int status, bool by_handler)
{
	/* Handlers may have codes of their own. */
	if (status < 0 || (size_t)status >= sizeof call_guard_outcomes / sizeof call_guard_outcomes[0])
		return BREAKER_FAILED;
	return by_handler ? call_guard_outcomes[status].handler : call_guard_outcomes[status].container;
}

/* --- life ------------------------------------------------------------------------------- */

/* "73% of 120 calls failed" */
static char *
call_guard_share_text(const struct breaker_view *view)
{
	return xasprintf("%" PRIu64 "%% of %" PRIu64 " calls failed", view->calls > 0 ?
		view->failed * 100 / view->calls : 0, view->calls);
}

static void
call_guard_on_changed(const struct breaker_view *view, void *arg)
{
	struct call_guard *guard = arg;
	char span[CLOCK_TEXT_SIZE], hidden_text[64];
	uint64_t hidden = 0;
	char *share, *text;

	if (guard->changed == NULL || (view->again && !log_rate_pass(&guard->again, &hidden)))
		return;
	share = call_guard_share_text(view);
	if (view->state == STATUS_BREAKER_OPEN)
		text = xasprintf("%s (breaker = %u%%), next try in %s%s", share, view->percent,
			clock_format_duration(span, sizeof span, view->next_ns - clock_monotonic_ns()),
			log_rate_text(hidden, hidden_text, sizeof hidden_text));
	else if (view->state == STATUS_BREAKER_HALF_OPEN)
		text = xasprintf("calls are let through to try%s", log_rate_text(hidden, hidden_text, sizeof hidden_text));
	else
		text = xstrdup(view->percent != 0 ? "calls go through again" : "there is no breaker any more");
	guard->changed(guard->service, view, text);
	free(share);
	free(text);
}

static struct call_guard *
call_guard_create(struct bay_service *service, unsigned loops)
{
	struct call_guard *guard = xcalloc(1, sizeof *guard);

	guard->service = service;
	guard->again = (struct log_rate){.burst = 6, .period_ns = 10 * INT64_C(1000000000)};
	guard->breaker = breaker_create(loops + 1, call_guard_on_changed, guard);
	pthread_mutex_init(&guard->lock, NULL);
	return guard;
}

void
call_guard_set(struct bay_service *service, const struct call_guard_limits *limits,
	const struct status_page *page, uint32_t slot, call_guard_changed_fn *changed)
{
	struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_relaxed);
	struct status_guard *status = slot < page->services ? status_page_guard(page, slot) : NULL;
	bool fresh = guard == NULL;

	if (fresh) {
		guard = call_guard_create(service, page->loops);
		guard->changed = changed;
	}
	breaker_set_status(guard->breaker, status);
	breaker_set_limits(guard->breaker, &limits->breaker);
	pthread_mutex_lock(&guard->lock);
	guard->status = status;
	retry_budget_set(&guard->budget, limits->retry_percent, limits->retry_min_per_s);
	atomic_store_explicit(&guard->has_budget, retry_budget_is_set(&guard->budget), memory_order_relaxed);
	pthread_mutex_unlock(&guard->lock);
	if (fresh)
		atomic_store_explicit(&service->guard, guard, memory_order_release);
}

void
call_guard_reset(struct bay_service *service)
{
	struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_acquire);

	if (guard != NULL)
		breaker_close(guard->breaker);
}

void
call_guard_finish(struct bay_service *service)
{
	struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_acquire);

	if (guard == NULL)
		return;
	breaker_destroy(guard->breaker);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

/* --- calls ------------------------------------------------------------------------------- */

static void
call_guard_refuse(struct bay_request *request, const struct breaker_view *view, int64_t now_ns)
{
	char *share = call_guard_share_text(view);
	char span[CLOCK_TEXT_SIZE];

	clock_format_duration(span, sizeof span, view->next_ns - now_ns);
	if (view->state == STATUS_BREAKER_OPEN)
		request_fail(request, BAY_CLOSED, "calls to service %s are refused, since %s (breaker = %u%%): next "
			"try in %s [breaker-open]", request->service->name, share, view->percent, span);
	else
		request_fail(request, BAY_CLOSED, "calls to service %s are refused while some others try it, since "
			"%s (breaker = %u%%) [breaker-open]", request->service->name, share, view->percent);
	free(share);
}

bool
call_guard_ask(struct bay_request *request)
{
	struct call_guard *guard = atomic_load_explicit(&request->service->guard, memory_order_acquire);
	int64_t now_ns = clock_monotonic_ns();
	struct breaker_view view;

	request->watched = breaker_let(guard->breaker, now_ns, &request->trial, &view);
	if (!request->watched)
		call_guard_refuse(request, &view, now_ns);
	return request->watched;
}

/* What goes well is counted by the clock of the loop, which costs nothing to read. */
static void
call_guard_count_at(struct call_guard *guard, const struct scheduler *here, enum breaker_outcome outcome)
{
	struct breaker *breaker = guard->breaker;

	if (outcome == BREAKER_IGNORED)
		return;
	if (here == NULL)
		/* The last column is for the control thread. */
		breaker_count(breaker, breaker->column_count - 1, outcome == BREAKER_FAILED, clock_monotonic_ns());
	else if (outcome == BREAKER_WELL)
		breaker_count(breaker, here->index, false, here->loop.now_ns);
	else
		breaker_count(breaker, here->index, true, clock_monotonic_ns());
}

void
call_guard_end(struct bay_request *request, int status, bool by_handler)
{
	struct call_guard *guard = atomic_load_explicit(&request->service->guard, memory_order_acquire);
	enum breaker_outcome outcome = call_guard_outcome(status, by_handler);

	request->watched = false;
	if (request->trial != 0)
		breaker_end_trial(guard->breaker, request->trial, outcome, clock_monotonic_ns());
	else
		call_guard_count_at(guard, scheduler_here, outcome);
}

void
call_guard_count(const struct bay_service *service, const struct scheduler *here, int status, bool by_handler)
{
	struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_acquire);

	call_guard_count_at(guard, here, call_guard_outcome(status, by_handler));
}

/* --- to other cells ------------------------------------------------------------------------ */

void
call_guard_note_sent(struct bay_service *service)
{
	struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_acquire);

	if (guard == NULL || !atomic_load_explicit(&guard->has_budget, memory_order_relaxed))
		return;
	pthread_mutex_lock(&guard->lock);
	retry_budget_note(&guard->budget, clock_monotonic_ns());
	pthread_mutex_unlock(&guard->lock);
}

bool
call_guard_lets_again(struct bay_service *service, char **why_r)
{
	struct call_guard *guard = atomic_load_explicit(&service->guard, memory_order_acquire);
	struct call_counts sent;
	bool lets;

	if (guard == NULL)
		return true;
	pthread_mutex_lock(&guard->lock);
	lets = retry_budget_take(&guard->budget, clock_monotonic_ns(), &sent);
	if (guard->status != NULL)
		status_add(lets ? &guard->status->retries : &guard->status->retries_refused, 1);
	if (!lets)
		*why_r = xasprintf("%" PRIu64 " of %" PRIu64 " requests were in the last 10 s "
			"(retry_budget = %u%%) [retry-budget]", sent.bad, sent.calls, guard->budget.percent);
	pthread_mutex_unlock(&guard->lock);
	return lets;
}
