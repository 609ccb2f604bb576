/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

/* SO_PEERCRED tells the primary group only; the others are asked for apart (Linux 4.13). */
static bool
admin_peer_is_member(int fd, const struct admin_peer *peer, gid_t group)
{
	gid_t *groups = NULL;
	socklen_t size = 0;
	bool member = false;

	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	groups = xcalloc(1, size);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof(*groups) && !member; i++)
			member = groups[i] == group;
	}
	free(groups);
	return member;
}

bool
admin_peer_read(int fd, const struct admin_policy *policy, struct admin_peer *peer_r)
{
	struct ucred ucred;
	socklen_t size = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) != 0)
		return false;
	*peer_r = (struct admin_peer){.pid = ucred.pid, .uid = ucred.uid, .gid = ucred.gid,
		.role = INTERFACE_ROLE_NONE};
	if (ucred.uid == 0 || ucred.uid == policy->admin_uid)
		peer_r->role = INTERFACE_ROLE_ADMIN;
	else if (policy->operator_group != (gid_t)-1 &&
		admin_peer_is_member(fd, peer_r, policy->operator_group))
		peer_r->role = INTERFACE_ROLE_OPERATOR;
	return true;
}
