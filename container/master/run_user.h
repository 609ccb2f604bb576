/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The users and groups that the configuration names, found in the system: who runs the
 * cells and who may connect to the control socket. Master only.
 */
#ifndef BAY_MASTER_RUN_USER_H
#define BAY_MASTER_RUN_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/config_data.h"
#include "config/config_report.h"

struct run_user {
	bool change;          /* cells do not run as bayd does */
	uid_t uid;
	gid_t gid;
	char *name;           /* of the user, or NULL */
	gid_t control_group;  /* (gid_t)-1: none */
};

/* Looks the names up. False: some do not exist, and report says so. */
bool run_user_resolve(const struct config *config, struct run_user *user_r,
	struct config_report *report)
	__attribute__((warn_unused_result));

void run_user_finish(struct run_user *user);

/* Logs what an operator should know about it, once. */
void run_user_log(const struct run_user *user, const struct config *config);

#endif
