/* SPDX-License-Identifier: BSD-2-Clause */
/* Pause, Resume and Drain. Master only; never suspends. */
#ifndef BAY_MASTER_ADMIN_GATE_H
#define BAY_MASTER_ADMIN_GATE_H

struct admin_request;
struct master;

void admin_pause(struct admin_request *request, struct master *master);
void admin_resume(struct admin_request *request, struct master *master);
void admin_drain(struct admin_request *request, struct master *master);

#endif
