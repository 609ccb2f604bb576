/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Those who asked for something of a service and wait until it has come to rest.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_WAITERS_H
#define BAY_MASTER_SERVICE_WAITERS_H

#include <bay/status.h>

struct master_service;

enum service_wish {
	SERVICE_WISH_START,
	SERVICE_WISH_STOP,
	SERVICE_WISH_RESTART
};

/* How what was asked for ended. BAY_OK; BAY_FAILED, BAY_INVALID (its plugin or settings are
 * refused), BAY_TIMEOUT (it goes on), BAY_BUSY (it refuses to stop) or BAY_CANCELED
 * (something else was asked for meanwhile), with a message. May be called before the asking
 * function returns. */
typedef void service_done_fn(struct master_service *service, enum bay_status status,
	const char *message, void *arg);

/* done may be NULL: nobody waits. */
void service_waiters_add(struct master_service *service, enum service_wish wish,
	service_done_fn *done, void *arg);

/* It has come to rest: answers all, by what they wished and by what has become of it. */
void service_waiters_answer(struct master_service *service);

/* Answers all, or all who want it to run, with this failure. */
void service_waiters_fail(struct master_service *service, enum bay_status status,
	const char *message);
void service_waiters_fail_starters(struct master_service *service, enum bay_status status,
	const char *message);

#endif
