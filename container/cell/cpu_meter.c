/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/cpu_meter.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/threads.h"
#include "runtime/scheduler.h"

enum {
	/* Between two looks while the loops work; about 0.1 % of a processor. */
	METER_BUSY_NS = 4 * CLOCK_NS_PER_MS,
	/* While they do next to nothing. */
	METER_QUIET_NS = 500 * CLOCK_NS_PER_MS,
	/* Next to nothing: of the time that has passed, one part in so many. */
	METER_QUIET_SHARE = 200
};

struct meter_loop {
	struct loop *loop;
	struct status_loop *line;
	clockid_t clock;       /* of its thread */
	uint64_t seen_ns;      /* of that clock */
	uint64_t pending_ns;   /* had by whom we have not seen */
};

struct cpu_meter {
	const struct status_page *page;
	unsigned count;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;          /* under lock */
	uint64_t random;        /* state of xorshift */
	struct meter_loop loops[STATUS_PAGE_LOOPS_MAX];
};

static uint64_t
meter_cpu_ns(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		return 0;
	return (uint64_t)time.tv_sec * CLOCK_NS_PER_S + (uint64_t)time.tv_nsec;
}

/* Counts what the thread has had since the last look. While the loop sleeps, who had it is not to
 * be seen: it waits for a look that finds it awake. Returns how much it was. */
static uint64_t
meter_look_at(const struct cpu_meter *meter, struct meter_loop *loop, unsigned index)
{
	bool sleeps = loop_sleeping(loop->loop);
	uint32_t slot = atomic_load_explicit(&loop->line->slot, memory_order_relaxed);
	uint64_t cpu_ns = meter_cpu_ns(loop->clock);
	uint64_t had_ns = cpu_ns > loop->seen_ns ? cpu_ns - loop->seen_ns : 0;

	loop->seen_ns += had_ns;
	loop->pending_ns += had_ns;
	status_set(&loop->line->cpu_ns, loop->seen_ns);
	if (sleeps)
		return had_ns;
	if (slot < meter->page->services)
		status_add(&status_page_counters(meter->page, slot, index)->cpu_ns, loop->pending_ns);
	loop->pending_ns = 0;
	return had_ns;
}

/* Not in step with anything that the loops do in turns. */
static int64_t
meter_vary(struct cpu_meter *meter, int64_t period_ns)
{
	meter->random ^= meter->random << 13;
	meter->random ^= meter->random >> 7;
	meter->random ^= meter->random << 17;
	return period_ns / 2 + (int64_t)(meter->random % (uint64_t)period_ns);
}

/* False: it is time to end. */
static bool
meter_sleep(struct cpu_meter *meter, int64_t until_ns)
{
	struct timespec until = {.tv_sec = until_ns / CLOCK_NS_PER_S, .tv_nsec = until_ns % CLOCK_NS_PER_S};
	bool goes_on;

	pthread_mutex_lock(&meter->lock);
	while (!meter->stopping && pthread_cond_timedwait(&meter->changed, &meter->lock, &until) == 0)
		;
	goes_on = !meter->stopping;
	pthread_mutex_unlock(&meter->lock);
	return goes_on;
}

static void *
meter_main(void *arg)
{
	struct cpu_meter *meter = arg;
	int64_t period_ns = METER_BUSY_NS;
	int64_t looked_ns = clock_kernel_ns();

	threads_begin("cpu meter");
	while (meter_sleep(meter, clock_kernel_ns() + meter_vary(meter, period_ns))) {
		int64_t now_ns = clock_kernel_ns();
		uint64_t had_ns = 0;
		unsigned i;

		for (i = 0; i < meter->count; i++)
			had_ns += meter_look_at(meter, &meter->loops[i], i);
		if (had_ns * METER_QUIET_SHARE > (uint64_t)(now_ns - looked_ns))
			period_ns = METER_BUSY_NS;
		else if (period_ns < METER_QUIET_NS)
			period_ns *= 2;
		looked_ns = now_ns;
	}
	threads_end();
	return NULL;
}

static bool
meter_begin(struct cpu_meter *meter)
{
	sigset_t all, mask;
	bool begun;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	begun = pthread_create(&meter->thread, NULL, meter_main, meter) == 0;
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return begun;
}

static void
meter_destroy(struct cpu_meter *meter)
{
	pthread_cond_destroy(&meter->changed);
	pthread_mutex_destroy(&meter->lock);
	free(meter);
}

struct cpu_meter *
cpu_meter_start(const struct status_page *page, struct scheduler *const *schedulers,
	const pthread_t *threads, unsigned count)
{
	struct cpu_meter *meter = xcalloc(1, sizeof *meter);
	pthread_condattr_t monotonic;
	bool ok = true;
	unsigned i;

	meter->page = page;
	meter->count = count;
	meter->random = (uint64_t)clock_kernel_ns() | 1;
	pthread_mutex_init(&meter->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&meter->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (i = 0; i < count; i++) {
		struct meter_loop *loop = &meter->loops[i];

		loop->loop = &schedulers[i]->loop;
		loop->line = status_page_loop(page, i);
		ok &= pthread_getcpuclockid(threads[i], &loop->clock) == 0;
	}
	if (ok && meter_begin(meter))
		return meter;
	meter_destroy(meter);
	return NULL;
}

void
cpu_meter_stop(struct cpu_meter *meter)
{
	if (meter == NULL)
		return;
	pthread_mutex_lock(&meter->lock);
	meter->stopping = true;
	pthread_cond_signal(&meter->changed);
	pthread_mutex_unlock(&meter->lock);
	pthread_join(meter->thread, NULL);
	meter_destroy(meter);
}
