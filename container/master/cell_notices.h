/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the process of a cell tells the master by itself, and asks of it: how its services fare, and
 * for what they need. It is read with distrust, and handed on to whoever is concerned.
 *
 *	process ──► cell_channel ──► cell_keeper ──► here ──► the service, the broker of links, ...
 *
 * arg is the struct master_cell. Master only; never suspends.
 */
#ifndef BAY_MASTER_CELL_NOTICES_H
#define BAY_MASTER_CELL_NOTICES_H

#include <jansson.h>

struct cell_answer;

/* A call, to be answered at once. */
void cell_notices_on_call(const char *method, const json_t *parameters, struct cell_answer *answer, void *arg);

/* One that wants no answer. */
void cell_notices_on_notice(const char *method, const json_t *parameters, void *arg);

#endif
