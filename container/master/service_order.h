/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of services that others wait for: what config_order says of a configuration, done
 * with what runs.
 *
 *	start   those that it requires or wants are started too; then it waits, STARTING, until all
 *	        that it follows are ready or will not be: without one that it requires it has FAILED,
 *	        and is started when that is ready
 *	stop    those that require it are stopped too; then it serves on until those that follow it
 *	        and are to stop have stopped
 *	restart the same, and those that require it are started again behind it
 *
 * What comes to rest is looked at from the event loop, once for all that came to rest meanwhile.
 * Part of the supervisor. Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_ORDER_H
#define BAY_MASTER_SERVICE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_order.h"
#include "master/service_waiters.h"

struct master_service;
struct service_order;
struct supervisor;

struct service_order *service_order_create(struct supervisor *supervisor);

/* NULL is fine. */
void service_order_destroy(struct service_order *order);

/* Something has come to rest, or does not: who waited for it is looked at, from the event loop. */
void service_order_touch(struct service_order *order);

/* --- what operators ask for ---------------------------------------------------------- */

enum service_order_wish {
	SERVICE_ORDER_START,
	SERVICE_ORDER_STOP,
	SERVICE_ORDER_RESTART
};

/* Those to whom the same will happen with it, in the order of the configuration; the caller frees
 * the array, which ends with NULL. */
struct master_service **service_order_companions(const struct master_service *service,
	enum service_order_wish wish);

/* As those of service_control.h, with the companions. */
void service_order_start(struct master_service *service, service_done_fn *done, void *arg);
void service_order_stop(struct master_service *service, bool now, service_done_fn *done,
	void *arg);
void service_order_restart(struct master_service *service, service_done_fn *done, void *arg);

/* --- for service_steps ---------------------------------------------------------------- */

/* It is STARTING and there is a cell: whether its turn has come. Else it waits, or has failed and
 * is settled. */
bool service_order_may_start(struct master_service *service);

/* It is READY: whether nobody who follows it is in the way. */
bool service_order_may_stop(const struct master_service *service);

/* It is to be stopped and started again, in its order, with those that require it. */
void service_order_leave(struct master_service *service);

/* Whether it has failed only since what it requires has, and that is tried again by itself. */
bool service_order_has_hope(const struct master_service *service);

/* --- queries -------------------------------------------------------------------------- */

/* Calls fn for each that it waits for; until fn returns false, which is then returned. */
bool service_order_each_awaited(const struct master_service *service,
	bool (*fn)(const struct master_service *awaited, void *arg), void *arg);

#endif
