/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds out how much time of a processor each service has on the loops of a cell, for the
 * status page. The loops do nothing for it: a thread looks at them every few milliseconds,
 * reads what time each thread has had since, and counts it for the service whose code runs
 * there at that moment. So what runs for long is counted well, also while it hangs, and
 * what runs for moments on the average of many looks. Nothing is counted twice and nothing is lost.
 */
#ifndef BAY_CELL_CPU_METER_H
#define BAY_CELL_CPU_METER_H

#include <pthread.h>

#include "base/status_page.h"

struct cpu_meter;
struct scheduler;

/* Begins to measure the loops, which run on these threads; page and schedulers are borrowed until
 * the end. NULL: there is no thread for it. */
struct cpu_meter *cpu_meter_start(const struct status_page *page, struct scheduler *const *schedulers,
	const pthread_t *threads, unsigned count)
	__attribute__((warn_unused_result));

/* Ends it and frees, while the threads are there. NULL is fine. */
void cpu_meter_stop(struct cpu_meter *meter);

#endif
