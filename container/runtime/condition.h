/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of <bay/condition.h>. */
#ifndef BAY_RUNTIME_CONDITION_H
#define BAY_RUNTIME_CONDITION_H

#include <stdint.h>

#include <bay/condition.h>

/* How long a task that is to end waits for the lock of its condition: less than its service
 * waits for the task when it stops. */
#define CONDITION_PATIENCE_NS BAY_SECOND

/* bay_condition_wait() with another patience. Inside a task; suspends. */
int condition_wait(struct bay_condition *condition, int64_t deadline, int64_t patience_ns);

#endif
