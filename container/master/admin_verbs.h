/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands about the verbs of plugins: which there are, as their examination has shown, and
 * doing one. Who may is decided here, by what the kernel says of the client.
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_VERBS_H
#define BAY_MASTER_ADMIN_VERBS_H

#include "master/admin_request.h"

struct master;

void admin_verbs(struct admin_request *request, struct master *master);
void admin_do(struct admin_request *request, struct master *master);

#endif
