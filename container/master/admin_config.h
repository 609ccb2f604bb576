/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands that show and change the configuration. Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_CONFIG_H
#define BAY_MASTER_ADMIN_CONFIG_H

#include "master/admin_request.h"

struct master;

void admin_reload_config(struct admin_request *request, struct master *master);
void admin_diff_config(struct admin_request *request, struct master *master);
void admin_show_config(struct admin_request *request, struct master *master);
void admin_set_config(struct admin_request *request, struct master *master);
void admin_config_history(struct admin_request *request, struct master *master);
void admin_rollback_config(struct admin_request *request, struct master *master);

#endif
