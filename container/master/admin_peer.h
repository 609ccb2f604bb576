/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end of an admin connection, as the kernel says, and what he may do.
 * Master only.
 */
#ifndef BAY_MASTER_ADMIN_PEER_H
#define BAY_MASTER_ADMIN_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "protocol/interface.h"

struct admin_roles;

struct admin_peer {
	pid_t pid; /* may be gone, or another's, by now: for the log only */
	uid_t uid;
	gid_t gid;
	enum interface_role role;
};

/* Who gets which role. */
struct admin_policy {
	uid_t admin_uid;      /* as root, an admin */
	gid_t operator_group; /* its members are operators; (gid_t)-1: there is none */
	const struct admin_roles *roles; /* whom the configuration names; NULL: nobody */
};

/* Reads the credentials of a connected Unix socket. False: errno says why. */
bool admin_peer_read(int fd, const struct admin_policy *policy, struct admin_peer *peer_r)
	__attribute__((warn_unused_result));

#endif
