/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a page whose writer may have gone mad: everything is loaded once, then clamped;
 * nothing read here is ever used as an address.
 */
#include "config.h"

#include "base/status_page.h"

#include <string.h>

#include "base/clock.h"

static uint64_t
status_load(const _Atomic uint64_t *figure)
{
	return atomic_load_explicit(figure, memory_order_relaxed);
}

static uint32_t
status_load_below(const _Atomic uint32_t *index, uint32_t limit)
{
	uint32_t value = atomic_load_explicit(index, memory_order_relaxed);

	return value < limit ? value : UINT32_MAX;
}

static void
status_load_text(char *text, const _Atomic uint64_t *words, size_t size)
{
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t word = status_load(&words[i]);

		memcpy(text + i * 8, &word, sizeof(word));
	}
	text[size - 1] = '\0';
}

void
status_page_read_loop(const struct status_page *page, uint32_t loop,
	struct status_loop_view *view_r)
{
	const struct status_loop *line = status_page_loop(page, loop);
	uint32_t word = atomic_load_explicit(&line->phase, memory_order_relaxed);
	uint32_t number = word >> STATUS_PHASE_BITS;

	view_r->slot = status_load_below(&line->slot, page->services);
	view_r->phase = status_phase_of(word);
	if (view_r->phase > STATUS_PHASE_INIT)
		view_r->phase = STATUS_PHASE_RUN;
	status_load_text(view_r->task, number == 0 || number > STATUS_NAMES ? line->task :
		line->names[number - 1], sizeof(view_r->task));
	view_r->pass_ns = status_load(&line->pass_ns);
	view_r->passes = status_load(&line->passes);
	view_r->switches = status_load(&line->switches);
	view_r->tasks = status_load(&line->tasks);
	view_r->stacks = status_load(&line->stacks);
	view_r->wakes = status_load(&line->wakes);
	view_r->polls = status_load(&line->polls);
	view_r->cpu_ns = status_load(&line->cpu_ns);
}

bool
status_page_loop_is_silent(const struct status_page *page, uint32_t loop,
	struct status_loop_view *view_r, int64_t *held_ns_r)
{
	uint64_t now_ns = (uint64_t)clock_monotonic_ns();

	*held_ns_r = 0;
	status_page_read_loop(page, loop, view_r);
	if (view_r->phase == STATUS_PHASE_IDLE || view_r->pass_ns >= now_ns)
		return false;
	*held_ns_r = (int64_t)(now_ns - view_r->pass_ns);
	return *held_ns_r >= STATUS_SILENT_NS;
}

static void
status_sum_value(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

static void
status_sum(uint64_t *sum, const _Atomic uint64_t *figure)
{
	status_sum_value(sum, status_load(figure));
}

/* A gauge may go down on another loop than it went up on: the sum wraps on purpose. */
static void
status_sum_gauge(uint64_t *sum, const _Atomic uint64_t *figure)
{
	*sum += status_load(figure);
}

static void
status_sum_most(uint64_t *most, const _Atomic uint64_t *figure)
{
	uint64_t value = status_load(figure);

	if (value > *most)
		*most = value;
}

static uint64_t
status_not_negative(uint64_t sum)
{
	return sum > INT64_MAX ? 0 : sum;
}

static void
status_sum_counters(struct status_service_view *view, const struct status_counters *counters)
{
	status_sum(&view->direct, &counters->direct);
	status_sum(&view->queued, &counters->queued);
	status_sum(&view->served, &counters->served);
	status_sum(&view->failed, &counters->failed);
	status_sum(&view->timeouts, &counters->timeouts);
	status_sum(&view->canceled, &counters->canceled);
	status_sum(&view->failed_replaced, &counters->failed_replaced);
	status_sum(&view->dropped, &counters->dropped);
	status_sum(&view->rejected, &counters->rejected);
	status_sum_gauge(&view->in_flight, &counters->in_flight);
	status_sum_gauge(&view->memory_bytes, &counters->memory_bytes);
	status_sum_gauge(&view->topic_waiting, &counters->topic_waiting);
	status_sum(&view->topic_lost, &counters->topic_lost);
	status_sum(&view->cpu_ns, &counters->cpu_ns);
	status_sum_gauge(&view->tasks, &counters->tasks);
	status_sum_gauge(&view->tasks, &counters->in_flight);
	status_sum_most(&view->stack_used, &counters->stack_used);
	status_sum(&view->memory_freed, &counters->memory_freed);
}

static void
status_sum_columns(struct status_service_view *view, const struct status_counters *columns, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		status_sum_counters(view, &columns[i]);
	status_sum_value(&view->calls, view->direct);
	status_sum_value(&view->calls, view->queued);
	status_sum_value(&view->calls, view->rejected);
	view->in_flight = status_not_negative(view->in_flight);
	view->memory_bytes = status_not_negative(view->memory_bytes);
	view->topic_waiting = status_not_negative(view->topic_waiting);
	view->tasks = status_not_negative(view->tasks);
}

void
status_page_read_service(const struct status_page *page, uint32_t slot,
	struct status_service_view *view_r)
{
	const struct status_gauges *gauges = status_page_gauges(page, slot);
	const struct status_guard *guard = status_page_guard(page, slot);

	*view_r = (struct status_service_view){
		.queue_length = status_load(&gauges->queued),
		.queue_bytes = status_load(&gauges->queued_bytes),
		.queue_oldest_ns = status_load(&gauges->oldest_ns),
		.waiting_senders = status_load(&gauges->waiting_senders),
		.breaker_refused = status_load(&guard->refused),
		.breaker_opened = status_load(&guard->opened),
		.retries = status_load(&guard->retries),
		.retries_refused = status_load(&guard->retries_refused),
	};
	status_sum_columns(view_r, status_page_counters(page, slot, 0), 2 * page->loops + 1);
}

void
status_page_read_canary(const struct status_page *page, uint32_t slot,
	struct status_service_view *view_r)
{
	const struct status_counters *counters = status_page_counters(page, slot, 0);

	*view_r = (struct status_service_view){0};
	status_sum_columns(view_r, &counters[status_canary_column(page->loops, 0)], page->loops);
}

void
status_page_read_breaker(const struct status_page *page, uint32_t slot,
	struct status_breaker_view *view_r)
{
	const struct status_guard *guard = status_page_guard(page, slot);
	uint64_t state = status_load(&guard->state);

	*view_r = (struct status_breaker_view){
		.state = state <= STATUS_BREAKER_HALF_OPEN ? (enum status_breaker)state : STATUS_BREAKER_CLOSED,
		.calls = status_load(&guard->calls),
		.failed = status_load(&guard->failed),
		.next_ns = status_load(&guard->next_ns),
	};
	/* So that a percentage of it can be made. */
	if (view_r->calls > INT64_MAX / 100)
		view_r->calls = INT64_MAX / 100;
	if (view_r->failed > view_r->calls)
		view_r->failed = view_r->calls;
}

void
status_page_add_histograms(const struct status_page *page, uint32_t slot,
	struct status_histograms *histograms)
{
	const struct status_counters *columns = status_page_counters(page, slot, 0);

	for (uint32_t i = 0; i < 2 * page->loops + 1; i++) {
		histogram_add(&histograms->latency, &columns[i].latency);
		histogram_add(&histograms->wait, &columns[i].wait);
		histogram_add(&histograms->total, &columns[i].total);
	}
}

void
status_page_add_lag(const struct status_page *page, uint32_t loop, struct histogram_counts *lag)
{
	histogram_add(lag, &status_page_loop(page, loop)->lag);
}

bool
status_page_read_crash(const struct status_page *page, struct status_crash_view *view_r)
{
	const struct status_crash *crash = &page->head->crash;
	uint32_t signal;

	if (atomic_load_explicit(&crash->state, memory_order_acquire) != STATUS_CRASH_VALID)
		return false;
	signal = atomic_load_explicit(&crash->signal, memory_order_relaxed);
	view_r->signal = signal <= 64 ? (int)signal : 0;
	view_r->address = status_load(&crash->address);
	view_r->loop = status_load_below(&crash->loop, page->loops);
	view_r->slot = status_load_below(&crash->slot, page->services);
	status_load_text(view_r->task, crash->task, sizeof(view_r->task));
	status_load_text(view_r->text, crash->text, sizeof(view_r->text));
	return true;
}
