/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods Pause, Resume and Drain of the control socket: what they ask of service_gate, and its
 * answers and progress as replies.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_GATE_H
#define BAY_MASTER_ADMIN_GATE_H

struct admin_request;
struct master;

void admin_pause(struct admin_request *request, struct master *master);
void admin_resume(struct admin_request *request, struct master *master);
void admin_drain(struct admin_request *request, struct master *master);

#endif
