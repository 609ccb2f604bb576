/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/breaker.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

_Static_assert(sizeof(struct call_window) % 64 == 0, "no two columns share a line of the cache");

struct breaker *
breaker_create(unsigned columns, breaker_changed_fn *changed, void *arg)
{
	size_t size = sizeof(struct breaker) + columns * sizeof(struct call_window);
	struct breaker *breaker = aligned_alloc(_Alignof(struct breaker), size);

	if (breaker == NULL)
		abort();
	memset(breaker, 0, size);
	breaker->column_count = columns;
	breaker->changed = changed;
	breaker->arg = arg;
	pthread_mutex_init(&breaker->lock, NULL);
	call_window_begin(&breaker->scale, CALL_WINDOW_SLICES);
	return breaker;
}

void
breaker_destroy(struct breaker *breaker)
{
	if (breaker == NULL)
		return;
	pthread_mutex_destroy(&breaker->lock);
	free(breaker);
}

/* --- under the lock ----------------------------------------------------------------------- */

static void
breaker_publish(struct breaker *breaker)
{
	bool closed = breaker->state == STATUS_BREAKER_CLOSED;

	atomic_store_explicit(&breaker->mode, breaker->limits.percent == 0 ? BREAKER_OFF :
		closed ? BREAKER_COUNTS : BREAKER_STOPS, memory_order_relaxed);
	if (breaker->status == NULL)
		return;
	status_set(&breaker->status->calls, breaker->calls);
	status_set(&breaker->status->failed, breaker->failed);
	status_set(&breaker->status->next_ns, (uint64_t)breaker->next_ns);
	status_set(&breaker->status->state, breaker->state);
}

static void
breaker_view(const struct breaker *breaker, struct breaker_view *view_r)
{
	*view_r = (struct breaker_view){.state = breaker->state, .percent = breaker->limits.percent,
		.calls = breaker->calls, .failed = breaker->failed, .next_ns = breaker->next_ns};
}

/* The only way to change the state. */
static void
breaker_move(struct breaker *breaker, enum status_breaker state)
{
	bool again = breaker->state != STATUS_BREAKER_CLOSED && state != STATUS_BREAKER_CLOSED;
	struct breaker_view view;

	breaker->state = state;
	breaker->let = breaker->well = breaker->unwell = 0;
	if (state == STATUS_BREAKER_CLOSED) {
		breaker->calls = breaker->failed = 0;
		breaker->next_ns = 0;
		/* What had opened it is not to open it again. */
		call_window_begin(&breaker->scale, breaker->limits.window_ns);
	}
	breaker_publish(breaker);
	breaker_view(breaker, &view);
	view.again = again;
	if (breaker->changed != NULL)
		breaker->changed(&view, breaker->arg);
}

static void
breaker_open(struct breaker *breaker, uint64_t calls, uint64_t failed, int64_t now_ns)
{
	breaker->calls = calls;
	breaker->failed = failed;
	breaker->next_ns = now_ns + breaker->limits.delay_ns;
	if (breaker->status != NULL)
		status_add(&breaker->status->opened, 1);
	breaker_move(breaker, STATUS_BREAKER_OPEN);
}

static bool
breaker_too_many(const struct breaker *breaker, uint64_t failed, uint64_t calls)
{
	return failed * 100 >= calls * breaker->limits.percent;
}

/* Whether a call may go as a trial. */
static bool
breaker_try(struct breaker *breaker, int64_t now_ns)
{
	if (breaker->state == STATUS_BREAKER_OPEN) {
		if (now_ns < breaker->next_ns)
			return false;
		breaker->round = breaker->round % UINT8_MAX + 1;
		breaker_move(breaker, STATUS_BREAKER_HALF_OPEN);
	} else if (breaker->let >= breaker->limits.trials && now_ns < breaker->next_ns) {
		return false;
	}
	breaker->let++;
	breaker->next_ns = now_ns + breaker->limits.delay_ns;
	breaker_publish(breaker);
	return true;
}

/* --- the interface ------------------------------------------------------------------------- */

void
breaker_set_status(struct breaker *breaker, struct status_guard *status)
{
	pthread_mutex_lock(&breaker->lock);
	breaker->status = status;
	breaker_publish(breaker);
	pthread_mutex_unlock(&breaker->lock);
}

void
breaker_set_limits(struct breaker *breaker, const struct breaker_limits *limits)
{
	bool anew;

	pthread_mutex_lock(&breaker->lock);
	anew = limits->window_ns != breaker->limits.window_ns || breaker->limits.percent == 0;
	breaker->limits = *limits;
	if (limits->percent == 0 && breaker->state != STATUS_BREAKER_CLOSED)
		breaker_move(breaker, STATUS_BREAKER_CLOSED);
	else if (anew)
		call_window_begin(&breaker->scale, limits->window_ns);
	breaker_publish(breaker);
	pthread_mutex_unlock(&breaker->lock);
}

void
breaker_close(struct breaker *breaker)
{
	pthread_mutex_lock(&breaker->lock);
	if (breaker->state != STATUS_BREAKER_CLOSED)
		breaker_move(breaker, STATUS_BREAKER_CLOSED);
	else
		call_window_begin(&breaker->scale, breaker->limits.window_ns);
	pthread_mutex_unlock(&breaker->lock);
}

bool
breaker_let(struct breaker *breaker, int64_t now_ns, uint8_t *trial_r, struct breaker_view *view_r)
{
	bool let = true;

	*trial_r = 0;
	if (breaker_mode(breaker) != BREAKER_STOPS)
		return true;
	pthread_mutex_lock(&breaker->lock);
	if (breaker->state != STATUS_BREAKER_CLOSED) {
		let = breaker_try(breaker, now_ns);
		if (let)
			*trial_r = breaker->round;
		else if (breaker->status != NULL)
			status_add(&breaker->status->refused, 1);
		breaker_view(breaker, view_r);
	}
	pthread_mutex_unlock(&breaker->lock);
	return let;
}

void
breaker_judge(struct breaker *breaker, int64_t now_ns)
{
	struct call_counts sum = {0};

	if (breaker_mode(breaker) != BREAKER_COUNTS)
		return;
	pthread_mutex_lock(&breaker->lock);
	if (breaker->state == STATUS_BREAKER_CLOSED && breaker->limits.percent != 0) {
		for (unsigned i = 0; i < breaker->column_count; i++)
			call_window_sum(&breaker->columns[i], &breaker->scale, now_ns, &sum);
		if (sum.calls >= breaker->limits.calls && breaker_too_many(breaker, sum.bad, sum.calls))
			breaker_open(breaker, sum.calls, sum.bad < sum.calls ? sum.bad : sum.calls, now_ns);
	}
	pthread_mutex_unlock(&breaker->lock);
}

void
breaker_end_trial(struct breaker *breaker, uint8_t trial, enum breaker_outcome outcome, int64_t now_ns)
{
	unsigned trials;

	pthread_mutex_lock(&breaker->lock);
	/* One of an earlier round comes too late. */
	if (breaker->state != STATUS_BREAKER_HALF_OPEN || trial != breaker->round) {
		pthread_mutex_unlock(&breaker->lock);
		return;
	}
	trials = breaker->limits.trials;
	if (outcome == BREAKER_IGNORED && breaker->let > 0)
		breaker->let--;
	breaker->well += outcome == BREAKER_WELL;
	breaker->unwell += outcome == BREAKER_FAILED;
	/* As soon as nothing that the others do can change it. */
	if (breaker_too_many(breaker, breaker->unwell, trials))
		breaker_open(breaker, breaker->well + breaker->unwell, breaker->unwell, now_ns);
	else if (!breaker_too_many(breaker, breaker->well < trials ? trials - breaker->well : 0, trials))
		breaker_move(breaker, STATUS_BREAKER_CLOSED);
	pthread_mutex_unlock(&breaker->lock);
}
