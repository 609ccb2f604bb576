/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods Load and Unload of the control socket: what they ask of hand_loads, and what came of it
 * as replies.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_LOAD_H
#define BAY_MASTER_ADMIN_LOAD_H

struct admin_request;
struct master;

void admin_load(struct admin_request *request, struct master *master);
void admin_unload(struct admin_request *request, struct master *master);

#endif
