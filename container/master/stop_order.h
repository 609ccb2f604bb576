/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first part of the end of all cells when services follow others, by their keys or in their group,
 * in whatever cells: those
 * are stopped, each once all that follow it have stopped. What then is left follows nobody, and is
 * for the end of its cell. Part of the supervisor. Master only; never suspends.
 */
#ifndef BAY_MASTER_STOP_ORDER_H
#define BAY_MASTER_STOP_ORDER_H

#include <stdint.h>

struct stop_order;
struct supervisor;

struct stop_order *stop_order_create(struct supervisor *supervisor);

/* NULL is fine. No call of the cell may be under way any more. */
void stop_order_destroy(struct stop_order *order);

/* Begins, once; done(arg) is called when nothing is left to be stopped, or at this time on the
 * monotonic clock; perhaps before this returns. Services are STOPPING already, and their cells
 * take calls, or have ended. */
void stop_order_begin(struct stop_order *order, int64_t until_ns, void (*done)(void *arg),
	void *arg);

/* done is not called any more. */
void stop_order_give_up(struct stop_order *order);

#endif
