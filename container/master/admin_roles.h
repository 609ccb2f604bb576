/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom the configuration gives which role at the control socket: the keys viewers, operators and admins
 * of [container], which are lists of users, of groups with an @ in front, and of * for everybody.
 * Numbers stand for those that have no name here. Read only from its making on; has one owner. Master
 * only.
 */
#ifndef BAY_MASTER_ADMIN_ROLES_H
#define BAY_MASTER_ADMIN_ROLES_H

#include <stddef.h>
#include <sys/types.h>

#include "config/config_data.h"
#include "config/config_report.h"
#include "protocol/interface.h"

struct admin_roles;

/* Names that do not exist are left out, and the report (NULL: nobody wants it) says where they stand. */
struct admin_roles *admin_roles_create(const struct config *config, struct config_report *report);

/* NULL is fine. */
void admin_roles_destroy(struct admin_roles *roles);

/* The highest role that a user, or one of his groups, is given. NULL: nobody has one. */
enum interface_role admin_roles_of(const struct admin_roles *roles, uid_t uid, const gid_t *groups,
	size_t count);

/* Complains of what cannot be: names that do not exist, and roles for whom the socket lets nobody in. */
void admin_roles_check(const struct config *config, struct config_report *report);

#endif
