/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a service that goes on serving: its cell notices deadlocks in it and leaks, the
 * master floods, limits and deadlocks through several cells. Each kind is told once when it begins and once when it is over, as
 * events, and is a part of the service's health meanwhile.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_SERVICE_FAULTS_H
#define BAY_MASTER_SERVICE_FAULTS_H

#include "protocol/cell_link.h"

struct master_service;

/* Who sees a circle of waits: they know nothing of each other. */
enum fault_witness {
	FAULT_SEEN_IN_CELL = 0, /* all of it is there */
	FAULT_SEEN_ACROSS,      /* it goes through several */
	FAULT_WITNESSES
};

struct service_faults {
	char *text[CELL_FAULT_KINDS];   /* malloc'd, or NULL: it is not so */
	char *circles[FAULT_WITNESSES]; /* for which there is a deadlock, likewise */
};

/* It is so, or, without a text, no more. */
void service_faults_note(struct master_service *service, enum cell_fault_kind kind, const char *text);

/* The same of a deadlock: it is so while one of them says so. */
void service_faults_note_circle(struct master_service *service, enum fault_witness witness, const char *circle);

/* It is so no more, and that is what came of it; or it was not told. */
void service_faults_over(struct master_service *service, enum cell_fault_kind kind, const char *outcome);

/* Its code does not run any more, and what was wrong with it is over by that: nothing is told. */
void service_faults_forget(struct master_service *service);

#endif
