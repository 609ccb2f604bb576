/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a service that goes on serving: its cell notices deadlocks and leaks, the
 * master floods and limits. Each kind is told once when it begins and once when it is over, as
 * events, and is a part of the service's health meanwhile.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_FAULTS_H
#define BAY_MASTER_SERVICE_FAULTS_H

#include "protocol/cell_link.h"

struct master_service;

struct service_faults {
	char *text[CELL_FAULT_KINDS]; /* malloc'd, or NULL: it is not so */
};

/* It is so, or, without a text, no more. */
void service_faults_note(struct master_service *service, enum cell_fault_kind kind, const char *text);

/* It is so no more, and that is what came of it; or it was not told. */
void service_faults_over(struct master_service *service, enum cell_fault_kind kind, const char *outcome);

/* Its code does not run any more, and what was wrong with it is over by that: nothing is told. */
void service_faults_forget(struct master_service *service);

#endif
