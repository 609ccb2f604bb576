/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a service that crashes the cell that it shares, again and again, to a cell of its
 * own, where it harms nobody else; and the way back, when an operator asks for it. Master only;
 * never suspends.
 */
#ifndef BAY_MASTER_SERVICE_ISOLATION_H
#define BAY_MASTER_SERVICE_ISOLATION_H

#include "master/service_waiters.h"

struct master_service;

/* It has crashed its cell. With the crash that makes it SERVICE_CRASHES_MAX of them within the time
 * of its start_limit, it starts in a cell of its own from then on, if its on_crash says so and
 * somebody else is in the one that it had. */
void service_isolation_note_crash(struct master_service *service);

/* Forgets its failures and crashes. One that was moved goes back to the cell that its configuration
 * says, at once if it runs: as service_change_generation. BAY_BUSY: something else is under way. */
void service_isolation_reset(struct master_service *service, service_done_fn *done, void *arg);

#endif
